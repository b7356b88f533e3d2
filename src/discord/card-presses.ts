import { type ButtonInteraction, MessageFlags, type REST, Routes } from 'discord.js'
import type { Clock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import type { RequestFiles } from '#domain/attachments.ts'
import { errorMessage } from '#domain/errors.ts'
import { withQuote } from '#domain/quoted-message.ts'
import type { ConversationRequest } from '#domain/request.ts'
import type { DatabaseApi, KnownRequest } from '#protocol/database.ts'
import type { GateRefusal, NewRequest, Refusal, RequestQueue } from '#protocol/queue.ts'
import type { DiscordAsker } from './access-check.ts'
import { acknowledge, DEFER_UPDATE } from './acknowledge.ts'
import type { CardMessage, Press } from './card-buttons.ts'
import type { DirectConversations } from './direct-conversations.ts'
import type { ReceivedInteraction } from './interaction-target.ts'
import { rolesOf } from './member-roles.ts'
import { AMENDED, CONTINUE, PRESS_REPLIES as SAY, WITHOUT_FILES } from './press-replies.ts'
import { readRefusedMessage } from './refused-message.ts'
import { NO_MENTIONS } from './reply-target.ts'

/** The part of the database that pressed buttons need. */
export type PressStore = Pick<DatabaseApi, 'findRequest' | 'markDelivered'>

export interface PressesOptions {
  readonly rest: REST
  readonly queue: RequestQueue
  readonly store: PressStore
  readonly direct: Pick<DirectConversations, 'prefixed'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly botId: () => string
  /** The longest message the queue takes in, in UTF-16 code units. */
  readonly maxMessageLength: number
  /** A message that had been refused is in its user's request now. */
  readonly onAmended: (messageId: string) => void
  /** Offers a request to the queue as any other; its answer replies to the message whose button was pressed. */
  readonly offer: (
    request: NewRequest,
    asker: DiscordAsker,
    interaction: PressInteraction,
  ) => Promise<Refusal | GateRefusal | undefined>
}

type PressInteraction = Omit<ReceivedInteraction, 'applicationId' | 'botId'>

/** Who pressed which button, and where. */
interface Pressed {
  readonly interaction: Pick<ButtonInteraction, 'id' | 'token' | 'applicationId' | 'channelId' | 'guildId' | 'member'>
  readonly press: Press
  readonly userId: string
  readonly messageId: string
  /** ms since epoch */
  readonly receivedAt: number
}

/** A press after Discord was told of it; `acknowledged` is false when that came too late. */
interface TakenPress extends Pressed {
  readonly acknowledged: boolean
}

/** What a new request asks, and the request whose answer it is to replace. */
type Again = Pick<ConversationRequest, 'message' | 'replaces'> & { readonly files?: RequestFiles }

/** What the presser is to be told; undefined when the card shows it. */
type Reply = string | undefined

const REFUSED = {
  notWaiting: SAY.notWaiting,
  tooLong: SAY.tooLong,
  duplicate: SAY.doneAlready,
  notStored: SAY.notStored,
} as const

/** Does what the buttons of cards say. Of earlier cards only the button and the file are known. */
export class CardPresses {
  readonly #options: PressesOptions
  readonly #underWay = new Set<Promise<void>>()

  constructor(options: PressesOptions) {
    this.#options = options
  }

  /** Deals with a press; resolves when that is done. */
  take(interaction: ButtonInteraction, press: Press): Promise<void> {
    const [userId, messageId] = [interaction.user.id, interaction.message.id]
    const pressed = { interaction, press, userId, messageId, receivedAt: this.#options.clock.now() }
    const work: Promise<void> = this.#take(pressed).finally(() => this.#underWay.delete(work))
    this.#underWay.add(work)
    return work
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }

  /** Discord waits three seconds for a sign, so that comes before anything else. */
  async #take(pressed: Pressed): Promise<void> {
    const { rest, log } = this.#options
    const acknowledged = await acknowledge(rest, pressed.interaction, log, DEFER_UPDATE)
    const reply = await this.#do({ ...pressed, acknowledged })
    if (reply !== undefined && acknowledged) await this.#whisper(pressed, reply)
  }

  async #do(pressed: TakenPress): Promise<Reply> {
    const { action, requestId } = pressed.press
    try {
      return await this.#act(pressed)
    } catch (error) {
      const facts = { requestId, action, error: errorMessage(error) }
      this.#options.log.error(facts, 'a pressed button could not be dealt with')
      return SAY.broken
    }
  }

  #act(pressed: TakenPress): Promise<Reply> {
    switch (pressed.press.action) {
      case 'cancel':
        return this.#cancel(pressed)
      case 'stop':
        return this.#stop(pressed)
      case 'retry':
        return this.#retry(pressed)
      case 'continue':
        return this.#continue(pressed)
      case 'regenerate':
        return this.#regenerate(pressed)
      case 'replace':
      case 'append':
        return this.#amend(pressed, pressed.press.action)
      default:
        return pressed.press.action satisfies never
    }
  }

  async #cancel(pressed: Pressed): Promise<Reply> {
    if (!this.#isActive(pressed)) return this.#notActive(pressed)
    const status = await this.#options.queue.cancel(pressed.press.requestId)
    return status === undefined ? SAY.ended : undefined
  }

  async #stop(pressed: Pressed): Promise<Reply> {
    if (!this.#isActive(pressed)) return this.#notActive(pressed)
    const status = await this.#options.queue.stopAndKeep(pressed.press.requestId)
    return status === undefined ? SAY.nothingToKeep : undefined
  }

  async #retry(pressed: TakenPress): Promise<Reply> {
    const known = await this.#options.store.findRequest(pressed.press.requestId)
    if (!known) return SAY.unknown
    if (known.request.userId !== pressed.userId) return SAY.notYours
    if (known.status !== 'FAILED' && known.status !== 'CANCELLED') return SAY.notFailed
    const { message, replaces, fileNames, id } = known.request
    const files = copied(fileNames, id)
    return this.#askAgain(pressed, known, { message, replaces, ...(files && { files }) })
  }

  async #continue(pressed: TakenPress): Promise<Reply> {
    const known = await this.#options.store.findRequest(pressed.press.requestId)
    if (!known) return SAY.unknown
    if (known.request.userId !== pressed.userId) return SAY.notYours
    if (!known.isNewestTurn) return SAY.goneOn
    return this.#askAgain(pressed, known, { message: CONTINUE, replaces: null })
  }

  async #regenerate(pressed: TakenPress): Promise<Reply> {
    const known = await this.#options.store.findRequest(pressed.press.requestId)
    if (!known) return SAY.unknown
    const { id, userId, message, fileNames } = known.request
    if (userId !== pressed.userId) return SAY.notYours
    if (!known.isNewestTurn) return SAY.notNewest
    const files = copied(fileNames, id)
    return this.#askAgain(pressed, known, { message, replaces: id, ...(files && { files }) })
  }

  /**
   * Makes a new request that comes from the message with the button. A message becomes one request at most, so a button
   * that is pressed twice, even in another process, asks once.
   */
  async #askAgain(pressed: TakenPress, { request }: KnownRequest, { message, replaces, files }: Again): Promise<Reply> {
    const { store, offer } = this.#options
    const { messageId, userId, interaction, receivedAt, acknowledged } = pressed
    if (message === '' && !files) return SAY.forgotten
    // Who presses has seen the end. Were it still to be delivered, the replies to it would be taken for a part of it.
    await store.markDelivered(request.id, [messageId])
    const { serverId, directServerName } = request
    const { id, token, channelId, guildId, member } = interaction
    const asker = { userId, channelId, guildId, roleIds: rolesOf(member) }
    const origin = { userId, serverId, channelId, discordMessageId: messageId, interactionToken: null }
    const facts = { ...(directServerName !== null && { directServerName }), ...(replaces !== null && { replaces }) }
    const received = { id, token, channelId, receivedAt, acknowledged, pressedId: messageId }
    const refusal = await offer({ ...origin, ...facts, message, ...(files && { files }) }, asker, received)
    if (refusal && refusal.code !== 'REQUEST_DUPLICATE') return refusal.message
    await this.#removeButtons(pressed)
    return refusal && SAY.doneAlready
  }

  /** The text is read from Discord: a message that was refused is kept nowhere else. */
  async #amend(pressed: Pressed, type: 'replace' | 'append'): Promise<Reply> {
    const { rest, queue, botId, maxMessageLength, onAmended } = this.#options
    const { press, userId, interaction } = pressed
    const { requestId, messageId } = press
    if (!this.#isActive(pressed)) return this.#notChanged(pressed, await this.#notActive(pressed, SAY.notWaiting))
    if (messageId === undefined) return SAY.messageGone
    const where = { channelId: interaction.channelId, messageId, botId: botId() }
    const written = await readRefusedMessage(rest, where)
    if (written?.userId !== userId) return this.#notChanged(pressed, SAY.messageGone)
    if (written.text === '') return this.#notChanged(pressed, written.hasFiles ? SAY.onlyFiles : SAY.messageGone)
    const own = await this.#withoutPrefix(pressed, written.text)
    if (own === undefined) return this.#notChanged(pressed, SAY.otherConversation)
    const text = withQuote(own, written.quoted, maxMessageLength)
    const result = await queue.amend(requestId, { type, text }, messageId)
    if (result !== 'amended') return this.#notChanged(pressed, REFUSED[result])
    onAmended(messageId)
    const content = written.hasFiles ? `${AMENDED[type]} ${WITHOUT_FILES}` : AMENDED[type]
    await this.#edit(pressed, { content, components: [] })
    return undefined
  }

  /** What is asked in a direct message; undefined when that names the server of another conversation. */
  async #withoutPrefix({ userId, interaction }: Pressed, text: string): Promise<string | undefined> {
    if (interaction.guildId !== null) return text
    const prefixed = await this.#options.direct.prefixed(userId, text)
    if (prefixed === undefined) return text
    const serverId = this.#options.queue.active(userId)?.serverId
    return prefixed !== 'unclear' && prefixed.server.id === serverId ? prefixed.question : undefined
  }

  /** Buttons that will not do it later either go. */
  async #notChanged(pressed: Pressed, reply: Reply): Promise<Reply> {
    const mayWorkLater = reply === SAY.notYours || reply === SAY.notStored || reply === SAY.tooLong
    if (!mayWorkLater) await this.#removeButtons(pressed)
    return reply
  }

  #isActive({ press, userId }: Pressed): boolean {
    return this.#options.queue.active(userId)?.requestId === press.requestId
  }

  async #notActive({ press, userId }: Pressed, otherwise: string = SAY.ended): Promise<Reply> {
    const known = await this.#options.store.findRequest(press.requestId)
    return known && known.request.userId !== userId ? SAY.notYours : otherwise
  }

  #removeButtons(pressed: Pressed): Promise<void> {
    return this.#edit(pressed, { components: [] })
  }

  /** Changes the message with the button. */
  async #edit({ interaction }: Pressed, changes: Partial<CardMessage>): Promise<void> {
    const { rest, log } = this.#options
    const body = { ...changes, allowed_mentions: NO_MENTIONS }
    const route = Routes.webhookMessage(interaction.applicationId, interaction.token, '@original')
    try {
      await rest.patch(route, { body, auth: false })
    } catch (error) {
      // Pressed once more they say that it was done.
      log.debug({ error: errorMessage(error) }, 'buttons that were pressed could not be removed')
    }
  }

  /** Seen by the presser alone. */
  async #whisper({ interaction }: Pressed, content: string): Promise<void> {
    const body = { content, flags: MessageFlags.Ephemeral, allowed_mentions: NO_MENTIONS }
    await this.#options.rest.post(Routes.webhook(interaction.applicationId, interaction.token), { body, auth: false })
  }
}

/** The files of a request, for another one. */
function copied(names: readonly string[] | undefined, fromRequestId: string): RequestFiles | undefined {
  return names && { type: 'copied', names, fromRequestId }
}
