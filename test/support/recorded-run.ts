import type { ConversationRequest } from '#domain/request.ts'
import type { AssistantEvent, AssistantOutcome } from '#protocol/assistant.ts'
import type { AssistantPool, AssistantRun } from '#protocol/pool.ts'

/** A run in a pool and everything it tells, in order. */
export class RecordedRun {
  /** The types of the events as they arrived, then that of the outcome. */
  readonly order: string[] = []
  readonly events: AssistantEvent[] = []
  readonly outcome: Promise<AssistantOutcome>
  readonly #run: AssistantRun
  readonly #waiting: { readonly matches: (event: AssistantEvent) => boolean; readonly resolve: () => void }[] = []

  constructor(pool: AssistantPool, request: ConversationRequest, attempt = 1) {
    this.#run = pool.run(request, attempt, (event) => this.#add(event))
    this.outcome = this.#run.outcome.then((outcome) => {
      this.order.push(outcome.type)
      return outcome
    })
  }

  /** All text that was told. */
  get text(): string {
    return this.events.map((event) => (event.type === 'delta' ? event.text : '')).join('')
  }

  cancel(): void {
    this.#run.cancel()
  }

  stopAndKeep(): void {
    this.#run.stopAndKeep()
  }

  /** Resolves with the first event of that type, past or future; rejects when the run ends without. */
  async first<T extends AssistantEvent['type']>(type: T): Promise<Extract<AssistantEvent, { type: T }>> {
    const matches = (event: AssistantEvent): event is Extract<AssistantEvent, { type: T }> => event.type === type
    if (!this.events.some(matches)) {
      const ended = this.outcome.then(() => undefined)
      await Promise.race([new Promise<void>((resolve) => this.#waiting.push({ matches, resolve })), ended])
    }
    const event = this.events.find(matches)
    if (event) return event
    throw new Error(`expected an event ${type}, the run ended: ${this.order.join(', ')}`)
  }

  #add(event: AssistantEvent): void {
    this.order.push(event.type)
    this.events.push(event)
    for (const { matches, resolve } of this.#waiting) if (matches(event)) resolve()
  }
}
