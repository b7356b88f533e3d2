import { z } from 'zod'
import { readButtons } from './card-buttons.ts'
import { readFiles } from './card-files.ts'
import type { RawMessage } from './channel-messages.ts'
import { isPlaceholder } from './render-card.ts'

/** A message of ours that Discord has. */
export interface FoundMessage {
  readonly messageId: string
  readonly content: string
  /** The ids of its buttons, as `buttonsIn` gives them. */
  readonly buttons: string
  /** What it carries, as `filesIn` gives it. */
  readonly files: string
  /** Whether it says that it answers the question; one without a reference can belong to any. */
  readonly isOurs: boolean
}

/** What makes a message the answer to a question. */
export interface Question {
  /** The message or the interaction. */
  readonly id: string
  readonly botId: string
  /** Messages that are known to show its answer. */
  readonly knownIds: readonly string[]
}

/** The part of a message that tells whose it is. */
const ownMessage = z.object({
  id: z.string(),
  content: z.string(),
  components: z.unknown().optional(),
  attachments: z.unknown().optional(),
  author: z.object({ id: z.string() }),
  message_reference: z.object({ message_id: z.string().optional() }).nullish(),
  interaction_metadata: z.object({ id: z.string() }).nullish(),
})

/** A message of ours, and whether it belongs to an interaction, which then is what may change it. */
export interface OwnMessage extends FoundMessage {
  readonly ofInteraction: boolean
}

/**
 * Picks, of a channel's messages after a question, those of ours that answer it: that refer to the question, to its
 * interaction, or to a message found before. Those that refer to nothing come along, marked so.
 */
export function findOwnMessages(oldestFirst: readonly RawMessage[], question: Question): OwnMessage[] {
  const ours = new Set([question.id, ...question.knownIds])
  const found: OwnMessage[] = []
  for (const raw of oldestFirst) {
    const { data: message } = ownMessage.safeParse(raw)
    if (message?.author.id !== question.botId) continue
    const referenceId = message.interaction_metadata?.id ?? message.message_reference?.message_id
    const isOurs = ours.has(message.id) || (referenceId !== undefined && ours.has(referenceId))
    if (!isOurs && referenceId !== undefined) continue
    if (isOurs) ours.add(message.id)
    const ofInteraction = Boolean(message.interaction_metadata)
    const [buttons, files] = [readButtons(message.components), readFiles(message.attachments)]
    found.push({ messageId: message.id, content: message.content, buttons, files, isOurs, ofInteraction })
  }
  return found
}

/** The messages that ours answer or refuse; one with a mere placeholder below it is still to be answered. */
export function answeredIn(messages: readonly RawMessage[], botId: string): ReadonlySet<string> {
  const answered = new Set<string>()
  for (const raw of messages) {
    const { data: message } = ownMessage.safeParse(raw)
    const referenceId = message?.message_reference?.message_id
    if (message?.author.id !== botId || referenceId === undefined || isPlaceholder(message.content)) continue
    answered.add(referenceId)
  }
  return answered
}
