import type { Clock, Timer } from '#actors/clock.ts'

/** Gathers what a model generates: the first piece is sent at once, then one piece in each interval. */
export class DeltaGatherer {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #send: (text: string) => void
  #gathered = ''
  #timer: Timer | undefined

  constructor(clock: Clock, intervalMs: number, send: (text: string) => void) {
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#send = send
  }

  push(text: string): void {
    this.#gathered += text
    if (!this.#timer) this.#sendGathered()
  }

  /** Sends what is left and stops. */
  flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#gathered !== '') this.#send(this.#gathered)
    this.#gathered = ''
  }

  #sendGathered(): void {
    this.#timer = undefined
    if (this.#gathered === '') return
    this.#send(this.#gathered)
    this.#gathered = ''
    this.#timer = this.#clock.setTimeout(() => this.#sendGathered(), this.#intervalMs)
  }
}
