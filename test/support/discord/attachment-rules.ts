import { refusal } from './api-error.ts'
import type { Attachment } from './entities.ts'
import type { FormErrors } from './form-errors.ts'
import { type JsonObject, objectsIn } from './json.ts'

const MAX_ATTACHMENTS = 10
/** Of each file; what a server has been boosted to is not played. */
const MAX_FILE_BYTES = 10_485_760

/**
 * What a message carries after a request. Without the field `attachments` that is what was there and what was uploaded;
 * with it, only what it lists: what is kept by its id, what is new by its number in `files[n]`.
 */
export function attachmentsAfter(
  listed: unknown,
  before: readonly Attachment[],
  uploaded: readonly Attachment[],
): readonly Attachment[] {
  if (listed === undefined || listed === null) return [...before, ...uploaded]
  return objectsIn(listed).flatMap((entry) => {
    const { id }: JsonObject = entry
    return uploaded[Number(id)] ?? before.find((kept) => kept.id === id) ?? []
  })
}

/** Checks uploads against Discord's documented limits. */
export function checkAttachments(
  listed: unknown,
  before: readonly Attachment[],
  uploaded: readonly Attachment[],
  errors: FormErrors,
): void {
  if (uploaded.some(({ sizeBytes }) => sizeBytes > MAX_FILE_BYTES)) throw refusal('tooLarge')
  errors.list('attachments', attachmentsAfter(listed, before, uploaded), MAX_ATTACHMENTS)
}
