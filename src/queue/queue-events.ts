import { Emitter } from '#actors/emitter.ts'
import type { Log } from '#actors/log.ts'
import { errorMessage } from '#domain/errors.ts'
import type { QueueEvent, RequestEvent } from '#protocol/queue.ts'
import type { ActiveRequest } from './queue-state.ts'

/** What the queue tells: each request's own listener first, then everybody. A listener that throws harms nothing. */
export class QueueEvents {
  readonly #log: Log
  readonly #emitter = new Emitter<QueueEvent>((error, { type }) => this.#listenerFailed(error, type))
  #positionsChanged = false

  constructor(log: Log) {
    this.#log = log
  }

  on(listener: (event: QueueEvent) => void): () => void {
    return this.#emitter.on(listener)
  }

  tell(active: ActiveRequest, event: RequestEvent): void {
    try {
      active.attached.listener(event)
    } catch (error) {
      this.#listenerFailed(error, event.type)
    }
    this.#emitter.emit(event)
  }

  /** Notes that places in line changed; told with `tellPositions`, however often it happened before. */
  positionsChanged(): void {
    this.#positionsChanged = true
  }

  tellPositions(waiting: number): void {
    if (!this.#positionsChanged) return
    this.#positionsChanged = false
    this.#emitter.emit({ type: 'positionsChanged', waiting })
  }

  #listenerFailed(error: unknown, type: string): void {
    this.#log.error({ type, error: errorMessage(error) }, 'a listener of the queue failed')
  }
}
