/** What somebody has bought, or what was bought for all members of a server. */
export interface Entitlement {
  readonly id: string
  /** The product. */
  readonly skuId: string
  /** Who may use it: a user, everybody in a server, or both. */
  readonly ownerIds: readonly string[]
  /** ms since epoch */
  readonly startsAt: number
  /** ms since epoch; infinite while no end is known, in the past for one that was taken back or used up. */
  readonly endsAt: number
}

/** Who may use what. What is over stays, so it is looked at when it is used. */
export class Holdings {
  readonly #byOwner = new Map<string, Map<string, Entitlement>>()

  /** Takes in what has just been said of an entitlement. */
  note(entitlement: Entitlement): void {
    for (const ownerId of entitlement.ownerIds) {
      const held = this.#byOwner.get(ownerId) ?? new Map<string, Entitlement>()
      this.#byOwner.set(ownerId, held.set(entitlement.id, entitlement))
    }
  }

  /** Takes in what a list says of an entitlement: whatever was noted of it is newer. */
  noteListed(entitlement: Entitlement): void {
    const isNoted = entitlement.ownerIds.some((ownerId) => this.#byOwner.get(ownerId)?.has(entitlement.id))
    if (!isNoted) this.note(entitlement)
  }

  /** The products that one of the owners may use at a time, ms since epoch. */
  skuIds(ownerIds: readonly string[], now: number): string[] {
    const held = ownerIds.flatMap((ownerId) => [...(this.#byOwner.get(ownerId)?.values() ?? [])])
    return held.filter(({ startsAt, endsAt }) => startsAt <= now && now < endsAt).map(({ skuId }) => skuId)
  }
}
