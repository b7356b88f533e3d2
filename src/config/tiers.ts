import { z } from 'zod'
import { DEFAULT_TIER, type Tier } from '#domain/tier.ts'

const MOST_TIERS = 20
const MOST_RESERVED = 1_000_000

const id = z.string().regex(/^\d{15,20}$/)

const tier = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/),
  weight: z.number().min(0.01).max(1_000),
  reserved: z.int().min(0).max(MOST_RESERVED).default(0),
  users: z.array(id).default([]),
  roles: z.array(id).default([]),
  skus: z.array(id).default([]),
})

const EXPECTED =
  "a list of tiers, such as [{ name: supporters, weight: 4, roles: ['80351110224678912'], reserved: 5 }]; each has a name of its own in small letters, a weight from 0.01 to 1000, and perhaps users, roles, skus (lists of Discord ids in quotes) and reserved"

/** Groups of people with a weight of their own; JSON counts, so that an environment variable can give it. */
export function tiers() {
  return z.unknown().transform((value, context): readonly Tier[] => {
    const { data } = z.array(tier).max(MOST_TIERS).safeParse(fromJson(value))
    const names = new Set(data?.map(({ name }) => name))
    if (data && names.size === data.length && data.every(isUseful)) return Object.freeze(data)
    context.addIssue({ code: 'custom', message: EXPECTED })
    return z.NEVER
  })
}

export const TOO_MUCH_RESERVED = 'tiers that together reserve no more places than queue.maxQueueSize has'

/** Tells whether there are as many places as the tiers reserve: more could be promised to nobody. */
export function keepsReserved(queue: { readonly maxQueueSize: number; readonly tiers: readonly Tier[] }): boolean {
  return queue.tiers.reduce((sum, { reserved }) => sum + reserved, 0) <= queue.maxQueueSize
}

/** Everybody without another tier is in the default one, so nobody can be put there. */
function isUseful({ name, users, roles, skus }: Tier): boolean {
  const isForSome = users.length + roles.length + skus.length > 0
  return isForSome !== (name === DEFAULT_TIER.name)
}

function fromJson(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

/** As the owner is shown it. */
export function describeTier({ name, weight, reserved, users, roles, skus }: Tier): string {
  const people = [
    ...(users.length > 0 ? [`${users.length} by name`] : []),
    ...(roles.length > 0 ? [`by ${roles.length === 1 ? 'a role' : `${roles.length} roles`}`] : []),
    ...(skus.length > 0 ? [`by ${skus.length === 1 ? 'a purchase' : `${skus.length} purchases`}`] : []),
  ]
  const places = reserved > 0 ? [`${reserved} places`] : []
  return `${name} (${[`weight ${weight}`, ...people, ...places].join(', ')})`
}
