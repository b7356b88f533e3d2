import { type APIActionRowComponent, type APIButtonComponentWithCustomId, ButtonStyle, ComponentType } from 'discord.js'
import { z } from 'zod'
import type { ReplyFile } from '#domain/reply-file.ts'

const ACTIONS = ['cancel', 'stop', 'retry', 'continue', 'regenerate', 'replace', 'append'] as const

/** What a button of a card does. */
export type CardAction = (typeof ACTIONS)[number]

/** A row of buttons, as Discord's API takes it. */
export type ButtonRow = APIActionRowComponent<APIButtonComponentWithCustomId>

/** One message of a card as it is to be seen. */
export interface CardMessage {
  readonly content: string
  readonly components: readonly ButtonRow[]
  /** What it carries; left out for nothing. */
  readonly files?: readonly ReplyFile[]
}

/** What a button acts on. */
export interface ButtonSubject {
  readonly requestId: string
  /** A message that did not become a request. */
  readonly messageId?: string
}

/** What a pressed button asks for. */
export interface Press extends ButtonSubject {
  readonly action: CardAction
}

const LOOKS: Readonly<
  Record<CardAction, { readonly label: string; readonly style: ButtonStyle.Primary | ButtonStyle.Secondary }>
> = {
  cancel: { label: 'Cancel', style: ButtonStyle.Secondary },
  stop: { label: 'Stop & keep', style: ButtonStyle.Secondary },
  retry: { label: 'Retry', style: ButtonStyle.Primary },
  continue: { label: 'Continue', style: ButtonStyle.Primary },
  regenerate: { label: 'Regenerate', style: ButtonStyle.Secondary },
  replace: { label: 'Replace my question', style: ButtonStyle.Secondary },
  append: { label: 'Add to my question', style: ButtonStyle.Primary },
}

/** Tells the buttons of a card from those of others. */
const PREFIX = 'card'

/** The row of buttons for some actions; all that a press has to know is in their ids, so they outlive the process. */
export function buttonRows(actions: readonly CardAction[], subject: ButtonSubject): ButtonRow[] {
  if (actions.length === 0) return []
  const components = actions.map((action): APIButtonComponentWithCustomId => {
    const { label, style } = LOOKS[action]
    return { type: ComponentType.Button, style, label, custom_id: customIdOf(action, subject) }
  })
  return [{ type: ComponentType.ActionRow, components }]
}

/** At most 75 characters, of 100 that Discord takes. */
function customIdOf(action: CardAction, { requestId, messageId }: ButtonSubject): string {
  return [PREFIX, action, requestId, ...(messageId === undefined ? [] : [messageId])].join(':')
}

/** Reads what a button asks for; undefined when it is none of a card. */
export function readPress(customId: string): Press | undefined {
  const [prefix, name, requestId, messageId] = customId.split(':')
  const action = ACTIONS.find((known) => known === name)
  if (prefix !== PREFIX || action === undefined || requestId === undefined) return undefined
  return { action, requestId, ...(messageId === undefined ? {} : { messageId }) }
}

/** The ids of some rows' buttons in one text, to compare and to keep: two messages with the same have the same buttons. */
export function buttonsIn(rows: readonly ButtonRow[]): string {
  return rows.flatMap(({ components }) => components.map(({ custom_id }) => custom_id)).join(' ')
}

const foundRows = z.array(z.object({ components: z.array(z.object({ custom_id: z.string().optional() })).optional() }))

/** Like `buttonsIn`, of a message as Discord tells it. */
export function readButtons(components: unknown): string {
  const rows = foundRows.safeParse(components).data ?? []
  return rows.flatMap((row) => (row.components ?? []).flatMap(({ custom_id }) => custom_id ?? [])).join(' ')
}
