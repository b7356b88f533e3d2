import { refusal } from './api-error.ts'
import { attachmentsAfter, checkAttachments } from './attachment-rules.ts'
import { checkComponents } from './component-rules.ts'
import { checkEmbeds } from './embed-rules.ts'
import type { Attachment, Revision } from './entities.ts'
import { FormErrors } from './form-errors.ts'
import { isObject, type JsonObject, objectsIn } from './json.ts'
import { contradicts } from './mentions.ts'

/** The bit that makes a message consist of components only. */
const COMPONENTS_V2 = 1 << 15
export const EPHEMERAL = 1 << 6
export const LOADING = 1 << 7

const MAX_CONTENT_CHARACTERS = 2_000
const MAX_NONCE_CHARACTERS = 25

/** The parts of a message a request can set. */
export type MessageParts = Pick<
  Revision,
  'content' | 'embeds' | 'components' | 'attachments' | 'flags' | 'allowedMentions'
>

/** A message that was asked for and is in order. */
export interface MessageDraft extends MessageParts {
  readonly nonce: string | number | null
  readonly enforceNonce: boolean
  readonly reference: { readonly messageId: string; readonly mustExist: boolean } | null
}

interface MessageForm {
  readonly content?: unknown
  readonly embeds?: unknown
  readonly components?: unknown
  readonly attachments?: unknown
  readonly flags?: unknown
  readonly allowed_mentions?: unknown
  readonly nonce?: unknown
  readonly enforce_nonce?: unknown
  readonly message_reference?: unknown
}

interface ReferenceForm {
  readonly message_id?: unknown
  readonly fail_if_not_exists?: unknown
}

/** A message without anything in it. */
export const NOTHING: MessageParts = {
  content: '',
  embeds: [],
  components: [],
  attachments: [],
  flags: 0,
  allowedMentions: undefined,
}

/** Reads the form of a new message; throws what Discord would refuse it with. */
export function readDraft(body: JsonObject, attachments: readonly Attachment[]): MessageDraft {
  const { nonce, enforce_nonce, message_reference }: MessageForm = body
  const parts = readParts(body, NOTHING, attachments)
  return {
    ...parts,
    nonce: typeof nonce === 'string' || typeof nonce === 'number' ? nonce : null,
    enforceNonce: enforce_nonce === true,
    reference: readReference(message_reference),
  }
}

/** Reads the form of an edit on top of what the message is; fields that are left out stay. */
export function readEdit(body: JsonObject, before: MessageParts, attachments: readonly Attachment[]): MessageParts {
  return readParts(body, { ...partsOf(before), allowedMentions: undefined }, attachments)
}

/** Only what a message consists of. */
export function partsOf(from: MessageParts): MessageParts {
  const { content, embeds, components, attachments, flags, allowedMentions } = from
  return { content, embeds, components, attachments, flags, allowedMentions }
}

function readParts(body: JsonObject, before: MessageParts, added: readonly Attachment[]): MessageParts {
  const form: MessageForm = body
  const errors = new FormErrors()
  checkAttachments(form.attachments, before.attachments, added, errors)
  checkForm(form, form.flags ?? before.flags, errors)
  const parts: MessageParts = {
    content: form.content === undefined ? before.content : typeof form.content === 'string' ? form.content.trim() : '',
    embeds: form.embeds === undefined ? before.embeds : objectsIn(form.embeds),
    components: form.components === undefined ? before.components : objectsIn(form.components),
    attachments: attachmentsAfter(form.attachments, before.attachments, added),
    flags: typeof form.flags === 'number' ? form.flags & ~(EPHEMERAL | LOADING) : before.flags,
    allowedMentions: isObject(form.allowed_mentions) ? form.allowed_mentions : undefined,
  }
  checkWhole(parts)
  return parts
}

function checkForm(form: MessageForm, flags: unknown, errors: FormErrors): void {
  errors.text('content', form.content, MAX_CONTENT_CHARACTERS)
  if (typeof form.nonce === 'string') errors.text('nonce', form.nonce, MAX_NONCE_CHARACTERS)
  checkEmbeds(form.embeds, errors)
  checkComponents(form.components, isV2(flags), errors)
  if (isObject(form.allowed_mentions) && contradicts(form.allowed_mentions)) {
    errors.add(
      'allowed_mentions',
      'MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE',
      'parse and the id lists are mutually exclusive.',
    )
  }
  errors.check()
}

function checkWhole(parts: MessageParts): void {
  const { content, embeds, components, attachments } = parts
  if (isV2(parts.flags) && (content !== '' || embeds.length > 0)) {
    const errors = new FormErrors()
    const field = content === '' ? 'embeds' : 'content'
    errors.add(
      field,
      'MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2',
      `The '${field}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2`,
    )
    errors.check()
  }
  if (content === '' && embeds.length + components.length + attachments.length === 0) throw refusal('emptyMessage')
}

function isV2(flags: unknown): boolean {
  return typeof flags === 'number' && (flags & COMPONENTS_V2) !== 0
}

function readReference(value: unknown): MessageDraft['reference'] {
  if (!isObject(value)) return null
  const { message_id, fail_if_not_exists }: ReferenceForm = value
  return typeof message_id === 'string' ? { messageId: message_id, mustExist: fail_if_not_exists !== false } : null
}
