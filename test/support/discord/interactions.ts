import { randomBytes } from 'node:crypto'
import { refusal } from './api-error.ts'
import type { Channel, Message, User } from './entities.ts'
import type { JsonObject } from './json.ts'

/** An interaction must be acknowledged in this time. */
const ACKNOWLEDGE_WITHIN_MS = 3_000
/** So long can an acknowledged interaction be answered. */
const TOKEN_LIFETIME_MS = 15 * 60_000

/** Someone ran a command (2), pressed a button (3) or types an option (4). */
export interface Interaction {
  readonly id: string
  readonly token: string
  readonly type: 2 | 3 | 4
  readonly user: User
  readonly channel: Channel
  readonly data: JsonObject
  readonly commandName: string | null
  /** The message whose button was pressed. */
  readonly source: Message | null
  /** ms since epoch */
  readonly createdAt: number
  acknowledged: boolean
  expired: boolean
  /** What `@original` means: the answer, or the message whose button was pressed. */
  original: Message | null
  /** What was suggested for the option that is being typed. */
  choices: readonly unknown[] | null
}

/** The interactions and their tokens, which are worth something for a while only. */
export class Interactions {
  readonly #byToken = new Map<string, Interaction>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  add(
    wanted: Omit<Interaction, 'token' | 'createdAt' | 'acknowledged' | 'expired' | 'original' | 'choices'>,
  ): Interaction {
    const state = { createdAt: this.#now(), acknowledged: false, expired: false, original: null, choices: null }
    const interaction = { ...wanted, token: randomBytes(48).toString('base64url'), ...state }
    this.#byToken.set(interaction.token, interaction)
    return interaction
  }

  get(token: string): Interaction {
    const interaction = this.#byToken.get(token)
    if (!interaction) throw new Error(`No interaction has the token ${token}.`)
    return interaction
  }

  /** Ends a token before its time. */
  expire(token: string): void {
    this.get(token).expired = true
  }

  /** The interaction a callback may still answer. */
  acknowledge(id: string, token: string): Interaction {
    const interaction = this.#byToken.get(token)
    if (interaction?.id !== id) throw refusal('unknownInteraction')
    if (interaction.acknowledged) throw refusal('alreadyAcknowledged')
    const late = this.#now() - interaction.createdAt >= ACKNOWLEDGE_WITHIN_MS
    if (late || interaction.expired) throw refusal('unknownInteraction')
    interaction.acknowledged = true
    return interaction
  }

  /** The interaction whose webhook may be used. */
  forWebhook(token: string): Interaction {
    const interaction = this.#byToken.get(token)
    if (!interaction) throw refusal('unknownWebhook')
    const old = this.#now() - interaction.createdAt >= TOKEN_LIFETIME_MS
    if (old || interaction.expired) throw refusal('invalidWebhookToken')
    if (!interaction.acknowledged) throw refusal('unknownWebhook')
    return interaction
  }
}
