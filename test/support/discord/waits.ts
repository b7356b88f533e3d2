import type { CallRecord } from './call-log.ts'
import type { Change } from './changes.ts'
import type { Message } from './entities.ts'
import { sameRoute } from './faults.ts'
import type { GatewayEventName, GatewayRecord } from './gateway-log.ts'
import { type MessageRecord, recordOf } from './records.ts'
import { bySnowflake } from './snowflake.ts'

/** A message as it stands now; what is left out does not matter. Deleted messages never match. */
interface MessageCriteria {
  readonly channelId?: string
  readonly authorIsBot?: boolean
  /** In everything a person would read: content, embeds, text displays. */
  readonly contentIncludes?: string
  /** The source of a regular expression for the same text. */
  readonly contentMatches?: string
  readonly ephemeral?: boolean
  /** The label of one of its buttons, or what one of its menus says before anything is chosen. */
  readonly control?: string
  /** Messages newer than this one. */
  readonly afterId?: string
}

type MessageCondition = MessageCriteria & {
  readonly type: 'message'
  /** So many at once; 1. Resolves with the newest of them. */
  readonly count?: number
}

type CallsCondition = {
  readonly type: 'calls'
  readonly method?: string
  readonly route?: string
  readonly status?: number
  /** `ended` (default) waits for the answer, `arrived` only for the call. */
  readonly phase?: 'arrived' | 'ended'
  /** Calls after this sequence number. */
  readonly since?: number
  readonly count?: number
}

type GatewayCondition = {
  readonly type: 'gateway'
  readonly event: GatewayEventName
  /** Counted from the start of the server; 1. */
  readonly count?: number
}

/** In so many channels, the newest message of the bot meets the criteria. */
type SettledCondition = MessageCriteria & { readonly type: 'settled'; readonly channels: number }

export type WaitCondition = MessageCondition | CallsCondition | GatewayCondition | SettledCondition

/** What a wait resolves with. */
export type WaitResult<C extends WaitCondition> = C extends MessageCondition
  ? MessageRecord
  : C extends CallsCondition
    ? CallRecord[]
    : C extends GatewayCondition
      ? GatewayRecord
      : MessageRecord[]

interface Watcher {
  see(change: Change): void
  /** What was waited for; undefined while it has not come. */
  found(): unknown
  /** How far it got, for the error at the deadline. */
  progress(): string
}

/** The changes that lead to a state from nothing: a wait sees them first, so it may begin late. */
export type History = () => Iterable<Change>

/** Lets tests wait for something to be so, without asking again and again. */
export class Waits {
  readonly #history: History
  readonly #open = new Set<{ readonly watcher: Watcher; readonly check: () => void; readonly cancel: () => void }>()

  constructor(history: History) {
    this.#history = history
  }

  see(change: Change): void {
    for (const wait of this.#open) {
      wait.watcher.see(change)
      wait.check()
    }
  }

  /** Resolves once the condition holds; rejects with what was seen instead after `timeoutMs`. */
  wait(condition: WaitCondition, timeoutMs: number): Promise<unknown> {
    const watcher = watcherOf(condition)
    for (const change of this.#history()) watcher.see(change)
    const found = watcher.found()
    if (found !== undefined) return Promise.resolve(found)
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer)
        this.#open.delete(entry)
      }
      const fail = (why: string) => {
        end()
        reject(new Error(`${why}: ${JSON.stringify(condition)}. ${watcher.progress()}`))
      }
      const check = () => {
        const result = watcher.found()
        if (result === undefined) return
        end()
        resolve(result)
      }
      const timer = setTimeout(() => fail(`Waited ${timeoutMs} ms in vain for`), timeoutMs)
      const entry = { watcher, check, cancel: () => fail('The server was closed while waiting for') }
      this.#open.add(entry)
    })
  }

  close(): void {
    for (const { cancel } of [...this.#open]) cancel()
  }
}

function watcherOf(condition: WaitCondition): Watcher {
  switch (condition.type) {
    case 'message':
      return new MessageWatcher(condition)
    case 'calls':
      return new CallsWatcher(condition)
    case 'gateway':
      return new GatewayWatcher(condition)
    case 'settled':
      return new SettledWatcher(condition)
    default:
      return condition satisfies never
  }
}

function messageOf(change: Change): Message | undefined {
  return 'message' in change ? change.message : undefined
}

function matcher(criteria: MessageCriteria): (message: Message) => boolean {
  const { channelId, authorIsBot, contentIncludes, contentMatches, ephemeral, control, afterId } = criteria
  const pattern = contentMatches === undefined ? undefined : new RegExp(contentMatches, 'su')
  return (message) => {
    if (message.deleted || message.loading) return false
    const { text, components } = recordOf(message)
    return (
      (channelId === undefined || message.channel.id === channelId) &&
      (authorIsBot === undefined || message.author.bot === authorIsBot) &&
      (ephemeral === undefined || message.ephemeral === ephemeral) &&
      (control === undefined || hasControl(components, control)) &&
      (afterId === undefined || bySnowflake(message.id, afterId) > 0) &&
      (contentIncludes === undefined || text.includes(contentIncludes)) &&
      (pattern === undefined || pattern.test(text))
    )
  }
}

function hasControl(components: MessageRecord['components'], words: string): boolean {
  const found = JSON.stringify(components)
  return ['label', 'placeholder'].some((name) => found.includes(`"${name}":${JSON.stringify(words)}`))
}

const SHOWN_AT_DEADLINE = 8

class MessageWatcher implements Watcher {
  readonly #matches: (message: Message) => boolean
  readonly #count: number
  readonly #channelId: string | undefined
  readonly #found = new Map<string, Message>()
  readonly #seen = new Map<string, Message>()

  constructor(condition: MessageCondition) {
    this.#matches = matcher(condition)
    this.#count = condition.count ?? 1
    this.#channelId = condition.channelId
  }

  see(change: Change): void {
    const message = messageOf(change)
    if (!message) return
    this.#seen.set(message.id, message)
    if (this.#matches(message)) this.#found.set(message.id, message)
    else this.#found.delete(message.id)
  }

  found(): MessageRecord | undefined {
    if (this.#found.size < this.#count) return undefined
    const newest = [...this.#found.values()].toSorted((a, b) => bySnowflake(a.id, b.id)).at(-1)
    return newest && recordOf(newest)
  }

  progress(): string {
    const inPlace = [...this.#seen.values()].filter(({ channel }) => (this.#channelId ?? channel.id) === channel.id)
    const last = inPlace.slice(-SHOWN_AT_DEADLINE).map(describe)
    return `${this.#found.size} of ${this.#count} were there. The last messages${this.#channelId ? ' of the channel' : ''}: ${last.join(' | ') || 'none'}`
  }
}

class SettledWatcher implements Watcher {
  readonly #matches: (message: Message) => boolean
  readonly #channels: number
  readonly #newest = new Map<string, Message>()
  readonly #settled = new Map<string, Message>()

  constructor(condition: SettledCondition) {
    this.#matches = matcher(condition)
    this.#channels = condition.channels
  }

  see(change: Change): void {
    const message = messageOf(change)
    if (!message?.author.bot) return
    const { id } = message.channel
    const newest = this.#newest.get(id)
    if (newest && bySnowflake(newest.id, message.id) > 0) return
    this.#newest.set(id, message)
    if (this.#matches(message)) this.#settled.set(id, message)
    else this.#settled.delete(id)
  }

  found(): MessageRecord[] | undefined {
    return this.#settled.size < this.#channels ? undefined : [...this.#settled.values()].map(recordOf)
  }

  progress(): string {
    const open = [...this.#newest.values()].filter(({ channel }) => !this.#settled.has(channel.id))
    const shown = open.slice(0, SHOWN_AT_DEADLINE).map(describe)
    return `${this.#settled.size} of ${this.#channels} channels were. Of those that were not: ${shown.join(' | ') || 'none'}`
  }
}

class CallsWatcher implements Watcher {
  readonly #condition: CallsCondition
  readonly #calls: CallRecord[] = []
  readonly #others = new Map<string, number>()

  constructor(condition: CallsCondition) {
    this.#condition = condition
  }

  see(change: Change): void {
    const { method, route, status, since = 0, phase = 'ended' } = this.#condition
    if (change.type !== (phase === 'ended' ? 'callEnded' : 'callArrived')) return
    const { call } = change
    const counts =
      call.seq > since &&
      (method === undefined || method === call.method) &&
      (route === undefined || sameRoute(route, call.route)) &&
      (status === undefined || status === call.status)
    const key = `${call.method} ${call.route} → ${call.status}`
    if (counts) this.#calls.push(call)
    else this.#others.set(key, (this.#others.get(key) ?? 0) + 1)
  }

  found(): CallRecord[] | undefined {
    return this.#calls.length < (this.#condition.count ?? 1) ? undefined : this.#calls.map((call) => ({ ...call }))
  }

  progress(): string {
    const others = [...this.#others].map(([key, count]) => `${count} × ${key}`)
    return `${this.#calls.length} came. Other calls: ${others.join(', ') || 'none'}`
  }
}

class GatewayWatcher implements Watcher {
  readonly #condition: GatewayCondition
  readonly #records: GatewayRecord[] = []
  readonly #others: string[] = []

  constructor(condition: GatewayCondition) {
    this.#condition = condition
  }

  see(change: Change): void {
    if (change.type !== 'gateway') return
    if (change.record.event === this.#condition.event) this.#records.push(change.record)
    else this.#others.push(change.record.event)
  }

  found(): GatewayRecord | undefined {
    const count = this.#condition.count ?? 1
    return this.#records[count - 1]
  }

  progress(): string {
    return `${this.#records.length} came. Other events: ${this.#others.slice(-SHOWN_AT_DEADLINE).join(', ') || 'none'}`
  }
}

function describe(message: Message): string {
  const { text, authorName, deleted } = recordOf(message)
  return `${authorName}${deleted ? ' (deleted)' : ''}: ${JSON.stringify(text.slice(0, 120))}`
}
