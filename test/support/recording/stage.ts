import { snowflakeAt } from '#discord/snowflake.ts'
import { menuOf } from '#support/command-room.ts'
import { type DiscordServerHandle, startDiscordServer } from '#support/discord/start-discord-server.ts'
import { type OpenAiServerHandle, startOpenAiServer } from '#support/openai/start-openai-server.ts'
import { type ParleyProcess, startParley } from '#support/parley-process.ts'
import { temporaryFolder } from '#support/temporary-folder.ts'
import { type Deed, renderScene } from './record.ts'

/** How long something is waited for that a scene shows. */
const PATIENCE_MS = 25_000

/** Somebody who talks to Parley. */
export interface Person {
  readonly id: string
  readonly name: string
  /** Their direct messages with Parley. */
  readonly dm: string
}

type Options = Parameters<DiscordServerHandle['runCommand']>[0]['options']

/** A real Parley, a Discord and a model on loopback, the people who talk to it, and a record of all that is seen. */
export class Stage {
  readonly discord: DiscordServerHandle
  readonly model: OpenAiServerHandle
  readonly #places = new Map<string, string>()
  readonly #names = new Map<string, string>()
  readonly #env: Record<string, string> = {}
  readonly #folder = temporaryFolder()
  #parley: ParleyProcess | undefined
  #deeds: Deed[] = []
  /** Messages of the scene have larger ids. */
  #sceneId = '0'

  private constructor(discord: DiscordServerHandle, model: OpenAiServerHandle) {
    this.discord = discord
    this.model = model
  }

  static async build(): Promise<Stage> {
    const [discord, model] = await Promise.all([
      startDiscordServer({ botUser: { username: 'Parley' } }),
      startOpenAiServer({ apiKey: null, models: null }),
    ])
    const stage = new Stage(discord, model)
    stage.#names.set(await discord.botUserId(), 'Parley')
    return stage
  }

  get parley(): ParleyProcess {
    if (!this.#parley) throw new Error('Parley has not been started')
    return this.#parley
  }

  /** Starts Parley with these settings, which those after it add to. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    Object.assign(this.#env, env)
    const connection = {
      DISCORD_TOKEN: this.discord.token,
      DISCORD_API_URL: this.discord.apiUrl,
      OPENAI_BASE_URL: this.model.baseUrl,
      OPENAI_MODEL: 'small-model',
    }
    this.#parley = startParley({ folder: this.#folder, env: { ...connection, ...this.#env } })
    await this.#parley.logged('connected to Discord')
  }

  /** Stops it and starts it with other settings. */
  async restart(env: Readonly<Record<string, string>>): Promise<void> {
    await this.stop()
    await this.start(env)
  }

  async stop(): Promise<void> {
    this.parley.signal('SIGTERM')
    await this.parley.exited
  }

  async close(): Promise<void> {
    if (this.#parley?.isRunning) await this.#parley.kill()
    await Promise.all([this.discord.close(), this.model.close()])
  }

  async person(name: string): Promise<Person> {
    const id = await this.discord.addUser({ username: name })
    const dm = await this.discord.openDm(id)
    this.#names.set(id, name)
    this.#places.set(dm, `${name}’s direct messages`)
    return { id, name, dm }
  }

  /** A server with one channel, and its members. */
  async server(name: string, channel: string, members: readonly Person[]) {
    const guildId = await this.discord.addGuild(name)
    const channelId = await this.discord.addGuildChannel(guildId, channel)
    for (const { id } of members) await this.discord.addMember(guildId, id)
    this.#places.set(channelId, `#${channel} of ${name}`)
    return { guildId, channelId }
  }

  /** Plays a scene and returns its record. */
  async scene(title: string, intro: string, play: () => Promise<void>): Promise<string> {
    const beganAt = Date.now()
    this.#sceneId = snowflakeAt(beganAt)
    this.#deeds = []
    await play()
    const messages = await Promise.all([...this.#places.keys()].map((channelId) => this.discord.messages(channelId)))
    return renderScene({
      title,
      intro,
      beganAt,
      deeds: this.#deeds,
      messages: messages.flat(),
      places: this.#places,
      names: this.#names,
    })
  }

  /** Tells the reader of the record what happens besides messages. */
  tell(text: string): void {
    this.#deeds.push({ at: Date.now(), text })
  }

  say({ id }: Person, content: string, options: Parameters<DiscordServerHandle['sendDm']>[2] = {}): Promise<string> {
    return this.discord.sendDm(id, content, options)
  }

  /** Does something that makes Parley call the model, which does this; resolves once the call has arrived. */
  async modelIsAsked<T>(script: Parameters<OpenAiServerHandle['script']>[0], act: () => Promise<T>): Promise<T> {
    const { requests } = await this.model.stats()
    await this.model.script(script)
    const result = await act()
    await this.model.waitForRequests(requests + 1)
    return result
  }

  /** Runs a command of one word, or of two. */
  async run({ id, name }: Person, command: string, options: Options = {}, channelId?: string) {
    const told = Object.entries(options).map(([option, value]) => ` ${option}: ${value}`)
    this.tell(`${name} runs /${command}${told.join('')}`)
    const [first = '', subcommand] = command.split(' ')
    const words = { name: first, ...(subcommand && { subcommand }), options }
    return this.discord.runCommand({ userId: id, ...words, ...(channelId && { channelId }) })
  }

  /** Presses a button below the newest message with a text, once it is there. */
  async press({ id, name }: Person, label: string, below: string, channelId: string) {
    const { id: messageId, components } = await this.sees(channelId, below, { control: label })
    this.tell(`${name} presses [ ${label} ]`)
    return this.discord.pressButton({ userId: id, messageId, customId: customIdOf(components, label) })
  }

  /** Resolves once an answer with a text stands there to its end, and is stored. */
  answered(channelId: string, text: string) {
    return this.sees(channelId, text, { control: 'Regenerate' })
  }

  /** Chooses what has a label, or a part of it, from the menu of the newest message with a text, once it is there. */
  async choose({ id, name }: Person, label: string, below: string, channelId: string) {
    const { id: messageId, components } = await this.sees(channelId, below)
    const menu = menuOf(components)
    const value = menu?.options.find((option) => option.label.includes(label))?.value
    if (!menu || value === undefined) throw new Error(`expected a menu with ${label} below ${below}`)
    this.tell(`${name} chooses “${label}” from the menu`)
    await this.discord.chooseOptions({ userId: id, messageId, customId: menu.custom_id, values: [value] })
  }

  /** Resolves with the newest message that Parley wrote in this scene, in a channel, with a text. */
  sees(channelId: string, text: string, more: { readonly control?: string; readonly ephemeral?: boolean } = {}) {
    const message = { type: 'message', channelId, authorIsBot: true, contentIncludes: text } as const
    return this.discord.waitFor({ ...message, afterId: this.#sceneId, ...more }, PATIENCE_MS)
  }
}

function customIdOf(components: unknown, label: string): string {
  const rows = JSON.stringify(components)
  for (const [button] of rows.matchAll(/\{[^{}]*"custom_id"[^{}]*\}/gu)) {
    const read: { label?: string; custom_id?: string } = JSON.parse(button)
    if (read.label === label && read.custom_id !== undefined) return read.custom_id
  }
  throw new Error(`expected a button ${label} in ${rows}`)
}
