import type { Changes, EntitlementEvent } from './changes.ts'
import type { Channel, Entitlement } from './entities.ts'

/** Whom an entitlement is granted to: a user, or a guild for all its members. */
type EntitlementOwner = { readonly userId: string } | { readonly guildId: string }

/** What is to be granted; without `endsAt` until it is ended. */
export type EntitlementGrant = EntitlementOwner & {
  readonly skuId: string
  /** ms since epoch */
  readonly startsAt?: number
  /** ms since epoch */
  readonly endsAt?: number
}

/** Which entitlements are listed. */
interface EntitlementFilter {
  readonly after?: bigint
  readonly before?: bigint
  readonly skuIds?: readonly string[]
  readonly userId?: string
  readonly guildId?: string
  readonly excludeEnded?: boolean
  readonly excludeDeleted?: boolean
}

interface EntitlementsOptions {
  readonly changes: Changes
  readonly newId: () => string
  readonly now: () => number
}

/** What the bot has sold, as Discord keeps it: what is over stays, with its end in the past. */
export class Entitlements {
  readonly #all = new Map<string, Entitlement>()
  readonly #options: EntitlementsOptions

  constructor(options: EntitlementsOptions) {
    this.#options = options
  }

  grant({ skuId, startsAt, endsAt, ...owner }: EntitlementGrant): Entitlement {
    const owners = { userId: null, guildId: null, ...owner }
    const dates = { startsAt: startsAt ?? this.#options.now(), endsAt: endsAt ?? null }
    return this.#set('ENTITLEMENT_CREATE', { id: this.#options.newId(), skuId, ...owners, ...dates, deleted: false })
  }

  /** A renewal, or the end of a subscription. */
  end(id: string, endsAt: number): void {
    this.#set('ENTITLEMENT_UPDATE', { ...this.#get(id), endsAt })
  }

  /** As after a refund. */
  delete(id: string): void {
    this.#set('ENTITLEMENT_DELETE', { ...this.#get(id), deleted: true })
  }

  /** In the order they were granted. */
  list(filter: EntitlementFilter): Entitlement[] {
    const { after = 0n, before, skuIds, userId, guildId, excludeEnded = false, excludeDeleted = true } = filter
    return [...this.#all.values()].filter(
      (one) =>
        BigInt(one.id) > after &&
        (before === undefined || BigInt(one.id) < before) &&
        (skuIds === undefined || skuIds.includes(one.skuId)) &&
        (userId === undefined || one.userId === userId) &&
        (guildId === undefined || one.guildId === guildId) &&
        !(excludeEnded && this.#hasEnded(one)) &&
        !(excludeDeleted && one.deleted),
    )
  }

  /** What a user may use in a channel: their own, and those of the guild. */
  usableBy(userId: string, channel: Channel): Entitlement[] {
    const guildId = channel.kind === 'guild' ? channel.guildId : undefined
    const usable = this.list({ excludeEnded: true })
    return usable.filter((one) => one.userId === userId || (guildId !== undefined && one.guildId === guildId))
  }

  #hasEnded({ endsAt }: Entitlement): boolean {
    return endsAt !== null && endsAt <= this.#options.now()
  }

  #get(id: string): Entitlement {
    const entitlement = this.#all.get(id)
    if (!entitlement) throw new Error(`There is no entitlement ${id}.`)
    return entitlement
  }

  #set(event: EntitlementEvent, entitlement: Entitlement): Entitlement {
    this.#all.set(entitlement.id, entitlement)
    this.#options.changes.announce({ type: 'entitlement', event, entitlement })
    return entitlement
  }
}
