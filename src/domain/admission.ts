/** What admission looks at; all of it is known without waiting for anything. */
export interface AdmissionFacts {
  readonly message: string
  /** A file can be a question without words. */
  readonly hasFiles: boolean
  /** In UTF-16 code units. */
  readonly maxMessageLength: number
  readonly stopping: boolean
  readonly userIsActive: boolean
  /** It is the message of the user's active request, told once more. */
  readonly isReplay: boolean
  /** Accepted requests that have not begun, those that can start at once included. */
  readonly waiting: number
  /** Places where one can begin now: as many of the waiting ones are about to start and do not fill the queue. */
  readonly freeSlots: number
  readonly maxQueueSize: number
}

export type AdmissionRefusal =
  | { readonly code: 'QUEUE_STOPPING' }
  | { readonly code: 'REQUEST_INVALID'; readonly problem: 'empty' | 'too long' }
  | { readonly code: 'REQUEST_DUPLICATE' }
  | { readonly code: 'REQUEST_ALREADY_ACTIVE' }
  | { readonly code: 'QUEUE_FULL' }

/** Decides whether a message becomes a request: undefined, or the first reason against it. */
export function refuse(facts: AdmissionFacts): AdmissionRefusal | undefined {
  if (facts.stopping) return { code: 'QUEUE_STOPPING' }
  if (facts.message.trim() === '' && !facts.hasFiles) return { code: 'REQUEST_INVALID', problem: 'empty' }
  if (facts.message.length > facts.maxMessageLength) return { code: 'REQUEST_INVALID', problem: 'too long' }
  if (facts.isReplay) return { code: 'REQUEST_DUPLICATE' }
  if (facts.userIsActive) return { code: 'REQUEST_ALREADY_ACTIVE' }
  if (facts.waiting - facts.freeSlots >= facts.maxQueueSize) return { code: 'QUEUE_FULL' }
  return undefined
}
