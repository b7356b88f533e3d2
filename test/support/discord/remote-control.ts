import type { DiscordServer } from './discord-server.ts'
import type { WaitCondition, WaitResult } from './waits.ts'

/** What a test can do with a server that runs elsewhere. */
const CONTROL_METHODS = [
  'botUserId',
  'addUser',
  'addGuild',
  'addGuildChannel',
  'addMember',
  'removeMember',
  'giveRole',
  'addManager',
  'addSku',
  'grantEntitlement',
  'endEntitlement',
  'deleteEntitlement',
  'addThread',
  'openDm',
  'sendDm',
  'sendGuildMessage',
  'replayMessage',
  'editUserMessage',
  'deleteMessage',
  'runCommand',
  'runMessageCommand',
  'pressButton',
  'chooseOptions',
  'typeOption',
  'choicesFor',
  'replayInteraction',
  'failNext',
  'clearFaults',
  'releaseHeld',
  'refuseDm',
  'setLimits',
  'advanceClock',
  'expireToken',
  'closeGateway',
  'invalidateSession',
  'requestReconnect',
  'freezeGateway',
  'log',
  'counts',
  'downloads',
  'untilDownloads',
  'messages',
  'commands',
  'gatewayEvents',
  'identifies',
  'resumes',
  'heartbeats',
  'waitFor',
] as const satisfies readonly (keyof DiscordServer)[]

type ControlMethod = (typeof CONTROL_METHODS)[number]

/** The server's methods, each one asynchronous. */
export type RemoteControl = {
  readonly [Name in Exclude<ControlMethod, 'waitFor'>]: (
    ...parameters: Parameters<DiscordServer[Name]>
  ) => Promise<Awaited<ReturnType<DiscordServer[Name]>>>
} & {
  /** Resolves once a condition holds, at once when it does already; rejects at the timeout with what was seen. */
  readonly waitFor: <C extends WaitCondition>(condition: C, timeoutMs: number) => Promise<WaitResult<C>>
}

/** From the test to the server. */
export type ControlRequest =
  | {
      readonly type: 'call'
      readonly id: number
      readonly method: ControlMethod
      readonly parameters: readonly unknown[]
    }
  | { readonly type: 'close' }

/** From the server to the test. */
export type ControlReply =
  | { readonly type: 'listening'; readonly apiUrl: string }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'done'; readonly id: number; readonly value: unknown }
  | { readonly type: 'refused'; readonly id: number; readonly message: string }

/** Serves a server to the other side of a channel until it says `close`. */
export function serveControl(
  server: DiscordServer,
  post: (reply: ControlReply) => void,
): (request: ControlRequest) => Promise<void> {
  return async (request) => {
    if (request.type === 'close') return server.close()
    const { id, method, parameters } = request
    try {
      // The other side is typed by the same class.
      const run = server[method].bind(server) as (...values: readonly unknown[]) => unknown
      post({ type: 'done', id, value: await run(...parameters) })
    } catch (error) {
      post({ type: 'refused', id, message: error instanceof Error ? error.message : String(error) })
    }
  }
}

interface OpenCall {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** The calling side of a channel; calls that are open when it ends are rejected. */
export class ControlClient {
  readonly #post: (request: ControlRequest) => void
  readonly #open = new Map<number, OpenCall>()
  #lastId = 0
  #ended: Error | null = null

  constructor(post: (request: ControlRequest) => void) {
    this.#post = post
  }

  /** The server's methods as this side calls them. */
  methods(): RemoteControl {
    const entries = CONTROL_METHODS.map((method) => [
      method,
      (...parameters: readonly unknown[]) => this.#call(method, parameters),
    ])
    // Built from the list the type is made of.
    return Object.fromEntries(entries) as RemoteControl
  }

  receive(reply: ControlReply): void {
    if (reply.type !== 'done' && reply.type !== 'refused') return
    const call = this.#open.get(reply.id)
    this.#open.delete(reply.id)
    if (reply.type === 'done') call?.resolve(reply.value)
    else call?.reject(new Error(reply.message))
  }

  end(reason: Error): void {
    this.#ended ??= reason
    for (const { reject } of this.#open.values()) reject(this.#ended)
    this.#open.clear()
  }

  #call(method: ControlMethod, parameters: readonly unknown[]): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended)
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject })
      this.#post({ type: 'call', id, method, parameters })
    })
  }
}
