import Database from 'better-sqlite3'
import { verifyDatabase } from '#database/verify.ts'
import { isTerminal, type RequestStatus } from '#domain/request.ts'
import type { Question, Shown } from './outside.ts'
import { isAnswerTo, isFinal } from './outside.ts'

/** A request as the file has it. */
export interface StoredRequest {
  /** The Discord message it came from; its own id without one. */
  readonly origin: string
  readonly status: RequestStatus
  readonly attempt: number
  readonly errorCode: string | null
  readonly answer: string | null
  /** Messages that are still to be delivered. */
  readonly pending: number
}

/** Every request in a file whose Parley is dead or at rest, by its origin. */
export function storedRequests(path: string): ReadonlyMap<string, StoredRequest> {
  const reader = new Database(path, { readonly: true, fileMustExist: true })
  try {
    const rows = reader.prepare<[], StoredRequest>(
      `SELECT coalesce(discord_message_id, id) AS origin, status, attempt, error_code AS errorCode,
         (SELECT content FROM messages WHERE request_id = requests.id AND role = 'assistant') AS answer,
         (SELECT count(*) FROM outbox WHERE request_id = requests.id AND state = 'PENDING') AS pending
         FROM requests`,
    )
    return new Map(rows.all().map((row) => [row.origin, row]))
  } finally {
    reader.close()
  }
}

/** Whether nothing is left to do for a request. */
export function isDelivered({ status, pending }: StoredRequest): boolean {
  return isTerminal(status) && pending === 0
}

/** What `parley verify` finds wrong with a file. */
export function violations(path: string): string[] {
  const broken = verifyDatabase(path).checks.filter((check) => check.violations > 0)
  return broken.map(({ name, examples }) => `not so: ${name} (${examples.join(', ')})`)
}

/** Where the file and what is shown contradict each other; nothing of this may be so at any moment. */
export function contradictions(question: Question, shown: Shown, stored: StoredRequest | undefined): string[] {
  const problems: string[] = []
  // What is shown while it is being written can be the whole answer already, so this is all that can be asked of it.
  if ((shown.type === 'unfinished' || shown.type === 'answer') && !stored) {
    problems.push('was acknowledged and is not in the file')
  }
  if (shown.type === 'answer' && stored && isTerminal(stored.status) && stored.status !== 'COMPLETED') {
    problems.push(`shows an answer and is ${stored.status}`)
  }
  if (stored?.answer && !isAnswerTo(question, stored.answer)) problems.push('has the answer of something else')
  if (stored?.status === 'COMPLETED' && stored.answer === null) problems.push('is COMPLETED without an answer')
  return problems.map((problem) => `${question.content.slice(0, 12)}: ${problem}`)
}

/** What is still open although all should have come to its end. */
export function unfinished(question: Question, shown: Shown, stored: StoredRequest | undefined): string[] {
  const problems: string[] = []
  if (!isFinal(shown)) problems.push(`shows ${shown.type}`)
  if (stored && !isTerminal(stored.status)) problems.push(`is ${stored.status} in the file`)
  if (stored && stored.pending > 0) problems.push(`has ${stored.pending} messages in the outbox`)
  if (stored?.status === 'COMPLETED' && shown.type !== 'answer') problems.push(`is answered and shows ${shown.type}`)
  if (stored?.status === 'FAILED' && shown.type !== 'failed') problems.push(`has failed and shows ${shown.type}`)
  if (!stored && shown.type !== 'refused') problems.push(`is not in the file and shows ${shown.type}`)
  return problems.map((problem) => `${question.content.slice(0, 12)}: ${problem}`)
}
