import { type REST, Routes } from 'discord.js'
import type { Clock, Timer } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import { type Entitlement, Holdings } from '#domain/entitlement.ts'
import { errorMessage } from '#domain/errors.ts'
import type { DiscordAsker } from './access-check.ts'
import type { Delivery } from './delivery.ts'
import { readDeliveryProblem } from './delivery-problem.ts'
import {
  readDeletedEntitlement,
  readEntitlement,
  readEntitlementPage,
  readEntitlementsOf,
} from './entitlement-payload.ts'
import { inTime } from './in-time.ts'
import { laneOf } from './lane.ts'
import { patiently } from './patiently.ts'
import { byAge } from './snowflake.ts'

export interface EntitlementsOptions {
  /** The products that matter; of others nothing is kept, and without any Discord is asked nothing. */
  readonly skuIds: readonly string[]
  readonly rest: REST
  /** Says when may be looked for what can wait. */
  readonly turns: Pick<Delivery, 'call'>
  readonly clock: Clock
  readonly log: Log
}

/** Discord's own limit for one call. */
const PAGE_SIZE = 100

/** Before the list is read once more that was given up for a reason that may pass: a session can last for weeks. */
const READ_AGAIN_MS = 10 * 60_000

/** So long a question waits at most for the list at the start; without it, it is one of somebody who has bought nothing. */
const FIRST_LIST_MS = 3_000

/**
 * What people have bought from Discord: listed at the start of a session, kept up by events, and told with every
 * interaction.
 */
export class Entitlements {
  readonly #options: EntitlementsOptions
  readonly #skuIds: ReadonlySet<string>
  readonly #aborter = new AbortController()
  #held = new Holdings()
  /** Of the list that is being read, with what events have said meanwhile, which is newer. */
  #reading: Holdings | undefined
  #again: Timer | undefined
  /** Resolves when the first list was read, or has taken too long. */
  #firstList: Promise<unknown> | undefined

  constructor(options: EntitlementsOptions) {
    this.#options = options
    this.#skuIds = new Set(options.skuIds)
  }

  /** A new session has begun: what happened before it, no event tells. */
  begin(applicationId: string): void {
    if (this.#skuIds.size === 0 || this.#aborter.signal.aborted) return
    this.#again?.cancel()
    const list = this.#readList(applicationId)
    this.#firstList ??= inTime(list, this.#options.clock, FIRST_LIST_MS)
  }

  /** The products that somebody may use where they ask; never rejects. */
  async skuIdsOf({ userId, guildId }: Pick<DiscordAsker, 'userId' | 'guildId'>): Promise<readonly string[]> {
    await this.#firstList
    const ownerIds = guildId === null ? [userId] : [userId, guildId]
    return this.#held.skuIds(ownerIds, this.#options.clock.now())
  }

  /** The payload of an ENTITLEMENT_CREATE or _UPDATE. */
  noteChanged(payload: unknown): void {
    this.#note(readEntitlement(payload))
  }

  /** The payload of an ENTITLEMENT_DELETE. */
  noteDeleted(payload: unknown): void {
    this.#note(readDeletedEntitlement(payload))
  }

  /** The payload of an INTERACTION_CREATE. */
  noteInteraction(payload: unknown): void {
    if (this.#skuIds.size === 0) return
    for (const entitlement of readEntitlementsOf(payload)) this.#note(entitlement)
  }

  /** Reads nothing any more. */
  stop(): void {
    this.#aborter.abort()
    this.#again?.cancel()
  }

  #note(entitlement: Entitlement | undefined): void {
    if (!entitlement || !this.#skuIds.has(entitlement.skuId)) return
    this.#held.note(entitlement)
    this.#reading?.note(entitlement)
  }

  /** Never rejects: what was known before stays. */
  async #readList(applicationId: string): Promise<void> {
    const { clock, log } = this.#options
    const { signal } = this.#aborter
    const reading = new Holdings()
    this.#reading = reading
    const isPassing = (error: unknown) => readDeliveryProblem(error).type === 'passing'
    try {
      const listed = await patiently(() => this.#readPages(applicationId), { clock, signal, isPassing })
      for (const entitlement of listed) reading.noteListed(entitlement)
      if (this.#reading === reading) this.#held = reading
      log.info({ entitlements: listed.length }, 'read what people have bought')
    } catch (error) {
      if (!signal.aborted) log.warn({ error: errorMessage(error) }, 'what people have bought could not be read')
      const isWanted = !signal.aborted && this.#reading === reading && isPassing(error)
      if (isWanted) this.#again = clock.setTimeout(() => this.begin(applicationId), READ_AGAIN_MS)
    }
    if (this.#reading === reading) this.#reading = undefined
  }

  async #readPages(applicationId: string): Promise<readonly Entitlement[]> {
    const all: Entitlement[] = []
    for (let after = '0'; ; ) {
      const page = await this.#readPage(applicationId, after)
      all.push(...page)
      const last = page
        .map(({ id }) => id)
        .toSorted(byAge)
        .at(-1)
      if (last === undefined || page.length < PAGE_SIZE) return all
      after = last
    }
  }

  #readPage(applicationId: string, after: string): Promise<readonly Entitlement[]> {
    const { rest, turns } = this.#options
    const route = Routes.entitlements(applicationId)
    const query = new URLSearchParams({
      sku_ids: [...this.#skuIds].join(','),
      exclude_ended: 'true',
      limit: String(PAGE_SIZE),
      after,
    })
    const need = { urgency: 'reading', lane: laneOf('GET', route) } as const
    const read = async (own: AbortSignal) => readEntitlementPage(await rest.get(route, { query, signal: own }))
    return turns.call(need, read, this.#aborter.signal)
  }
}
