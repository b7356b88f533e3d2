import type { AdmissionRefusal } from '#domain/admission.ts'
import type { Refusal } from '#protocol/queue.ts'

const FIXED = {
  REQUEST_DUPLICATE: 'This message was already taken in. You do not need to do anything.',
  QUEUE_BUSY:
    'Too many messages are coming in at this moment. Yours was not taken in; please send it again in a minute.',
  REQUEST_NOT_STORED:
    'Parley cannot store anything right now. Your message was not taken in; please send it again in a few minutes.',
  QUEUE_STOPPING: 'Parley is shutting down. Your message was not taken in; please send it again when it is back.',
  QUEUE_DRAINING:
    'Parley takes no new questions at the moment; those it has are still being answered. Your message was not taken in; please send it again later.',
  REQUEST_ALREADY_ACTIVE:
    'Your last question is still being worked on, and each person has one at a time. This message was not taken in; please send it again after the answer.',
} as const

/** The words for refusals that need no numbers. */
export function refusal(code: keyof typeof FIXED): Refusal {
  return { code, message: FIXED[code] }
}

/** The words for a message that our own mistake kept from being taken in. */
export const NOT_TAKEN_IN: Refusal = {
  code: 'QUEUE_BUSY',
  message:
    'Something unexpected broke while your message was taken in. It was not taken in; please send it again in a minute.',
}

interface Limits {
  readonly maxQueueSize: number
  readonly maxMessageLength: number
}

/**
 * Puts an admission's reason into words for the user.
 *
 * @param waiting how many do, those left out that start at once.
 */
export function describeRefusal(reason: AdmissionRefusal, limits: Limits, waiting: number): Refusal {
  switch (reason.code) {
    case 'QUEUE_STOPPING':
    case 'REQUEST_DUPLICATE':
    case 'REQUEST_ALREADY_ACTIVE':
      return refusal(reason.code)
    case 'REQUEST_INVALID':
      return { code: reason.code, message: describeInvalid(reason.problem, limits.maxMessageLength) }
    case 'QUEUE_FULL':
      return {
        code: reason.code,
        message: `${describeFull(limits, waiting)} Yours was not taken in; please send it again in a few minutes.`,
      }
    default:
      return reason satisfies never
  }
}

/** Places can be free and reserved for others. */
function describeFull({ maxQueueSize }: Limits, waiting: number): string {
  if (waiting >= maxQueueSize) return `The queue is full: ${waiting} questions are waiting.`
  const are = waiting === 1 ? '1 is' : `${waiting} are`
  return `The queue has no place left for you: ${are} waiting, and the places that are left are kept for certain people.`
}

function describeInvalid(problem: 'empty' | 'too long', maxMessageLength: number): string {
  return problem === 'empty'
    ? 'There is no text in that message. Nothing was taken in; please write your question as text.'
    : `That message is longer than ${maxMessageLength} characters. It was not taken in; please send a shorter one.`
}
