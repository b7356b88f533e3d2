import { z } from 'zod'
import type { Entitlement } from '#domain/entitlement.ts'

const date = z.iso
  .datetime({ offset: true })
  .nullish()
  .transform((text) => (typeof text === 'string' ? Date.parse(text) : undefined))

/** Those of a test, and of a subscription that goes on, have no dates. */
const entitlement = z
  .object({
    id: z.string(),
    sku_id: z.string(),
    user_id: z.string().nullish(),
    guild_id: z.string().nullish(),
    deleted: z.boolean().default(false),
    consumed: z.boolean().default(false),
    starts_at: date,
    ends_at: date,
  })
  .transform(({ id, sku_id, user_id, guild_id, deleted, consumed, starts_at, ends_at }): Entitlement => {
    const ownerIds = [user_id, guild_id].filter((ownerId) => typeof ownerId === 'string')
    const endsAt = deleted || consumed ? OVER : (ends_at ?? Number.POSITIVE_INFINITY)
    return { id, skuId: sku_id, ownerIds, startsAt: starts_at ?? 0, endsAt }
  })

const OVER = 0

const page = z.array(entitlement)

const interaction = z.object({ entitlements: page })

/** Reads the payload of an ENTITLEMENT_CREATE or _UPDATE; undefined when it is not one. */
export function readEntitlement(payload: unknown): Entitlement | undefined {
  return entitlement.safeParse(payload).data
}

/** Reads the payload of an ENTITLEMENT_DELETE, which ends it whatever else it says. */
export function readDeletedEntitlement(payload: unknown): Entitlement | undefined {
  const deleted = readEntitlement(payload)
  return deleted && { ...deleted, endsAt: OVER }
}

/** Reads what an INTERACTION_CREATE says of its user's entitlements. */
export function readEntitlementsOf(payload: unknown): readonly Entitlement[] {
  return interaction.safeParse(payload).data?.entitlements ?? []
}

/** Reads a page of the list. Throws when it is none. */
export function readEntitlementPage(body: unknown): readonly Entitlement[] {
  return page.parse(body)
}
