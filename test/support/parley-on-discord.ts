import { expect, onTestFinished } from 'vitest'
import { readButtons } from '#discord/card-buttons.ts'
import type { DiscordServerOptions } from './discord/options.ts'
import type { MessageRecord } from './discord/records.ts'
import { type DiscordServerHandle, startDiscordServer } from './discord/start-discord-server.ts'
import { type OpenAiServerHandle, startOpenAiServer } from './openai/start-openai-server.ts'
import { type ParleyOptions, type ParleyProcess, startParley } from './parley-process.ts'

/** How long a state of Discord is waited for before the test says what was there instead. */
export const PATIENCE_MS = 25_000

/** The button that an answer has once it has ended. */
export const ANSWERED = 'Regenerate'

export interface Place {
  readonly discord: DiscordServerHandle
  readonly model: OpenAiServerHandle
}

/** A Discord and a model for a process to use; both are closed at the end of the test. */
export async function startServers(options: DiscordServerOptions = {}): Promise<Place> {
  const [discord, model] = await Promise.all([startDiscordServer(options), startOpenAiServer({ apiKey: null })])
  onTestFinished(async () => {
    await Promise.all([discord.close(), model.close()])
  })
  return { discord, model }
}

export function onDiscord({ discord, model }: Place, options: ParleyOptions = {}): ParleyProcess {
  return startParley({
    ...options,
    env: {
      DISCORD_TOKEN: discord.token,
      DISCORD_API_URL: discord.apiUrl,
      OPENAI_BASE_URL: model.baseUrl,
      OPENAI_MODEL: 'test-model',
      ...options.env,
    },
  })
}

/** A process that has connected. */
export async function connected(place: Place, options: ParleyOptions = {}): Promise<ParleyProcess> {
  const parley = onDiscord(place, options)
  await parley.logged('connected to Discord')
  return parley
}

/** Ends a process as its owner does. */
export async function stop(parley: ParleyProcess): Promise<void> {
  parley.signal('SIGTERM')
  expect(await parley.exited).toEqual({ code: 0, signal: null })
}

/** Somebody with a direct channel. */
export class PersonOnDiscord {
  readonly userId: string
  readonly channelId: string
  readonly #discord: DiscordServerHandle

  private constructor(discord: DiscordServerHandle, userId: string, channelId: string) {
    this.#discord = discord
    this.userId = userId
    this.channelId = channelId
  }

  static async join({ discord }: Place, username: string): Promise<PersonOnDiscord> {
    const userId = await discord.addUser({ username })
    return new PersonOnDiscord(discord, userId, await discord.openDm(userId))
  }

  write(text: string): Promise<string> {
    return this.#discord.sendDm(this.userId, text)
  }

  /** Resolves once the bot shows a text to them. */
  sees(contentIncludes: string, afterId = '0'): Promise<MessageRecord> {
    return this.#waitFor({ contentIncludes, afterId })
  }

  /** Resolves once an answer has ended: while it is written, all of its words may be there, and its user is not free. */
  isAnswered(contentIncludes: string, afterId = '0'): Promise<MessageRecord> {
    return this.#waitFor({ contentIncludes, afterId, control: ANSWERED })
  }

  #waitFor(what: { readonly contentIncludes: string; readonly afterId: string; readonly control?: string }) {
    const { channelId } = this
    return this.#discord.waitFor({ type: 'message', channelId, authorIsBot: true, ...what }, PATIENCE_MS)
  }

  /** Presses the button of a message that does something. */
  async press({ id: messageId, components }: MessageRecord, action: string): Promise<void> {
    const customId = readButtons(components)
      .split(' ')
      .find((id) => id.split(':')[1] === action)
    if (customId === undefined) throw new Error(`expected a button ${action}, got ${readButtons(components)}`)
    await this.#discord.pressButton({ userId: this.userId, messageId, customId })
  }

  /** The bot's messages that are there. */
  async shown(): Promise<MessageRecord[]> {
    const messages = await this.#discord.messages(this.channelId)
    return messages.filter(({ authorIsBot, deleted }) => authorIsBot && !deleted)
  }
}
