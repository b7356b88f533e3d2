/** A group of people with a weight of their own in the fair order. */
export interface Tier {
  readonly name: string
  /** How much of the whole each of them is to get beside others; 1 is usual. */
  readonly weight: number
  /** Places in the queue that nobody else can take. */
  readonly reserved: number
  /** Who belongs to it: any one of these is enough. */
  readonly users: readonly string[]
  readonly roles: readonly string[]
  /** What is sold on Discord: whoever may use one of these, or whose server may. */
  readonly skus: readonly string[]
}

/** What is known of somebody that can make them belong to a tier. */
export interface TierFacts {
  readonly userId: string
  /** Their roles in the server they ask in. */
  readonly roleIds: readonly string[]
  /** Of what they have bought and may use. */
  readonly skuIds: readonly string[]
}

/** Of whoever belongs to no other tier. */
export const DEFAULT_TIER: Tier = { name: 'default', weight: 1, reserved: 0, users: [], roles: [], skus: [] }

/** The tier of somebody: of those they belong to the one with the largest weight, the first of equals. */
export function tierOf(tiers: readonly Tier[], { userId, roleIds, skuIds }: TierFacts): Tier {
  const belongs = tiers.filter(
    ({ users, roles, skus }) =>
      users.includes(userId) || roles.some((id) => roleIds.includes(id)) || skus.some((id) => skuIds.includes(id)),
  )
  const heaviest = belongs.reduce<Tier | undefined>(
    (best, tier) => (best && best.weight >= tier.weight ? best : tier),
    undefined,
  )
  return heaviest ?? tiers.find(({ name }) => name === DEFAULT_TIER.name) ?? DEFAULT_TIER
}

/**
 * Places of the queue that somebody of a tier may take: all but those that other tiers have reserved and not used.
 *
 * @param waiting how many wait, by tier.
 */
export function capacityFor(
  tierName: string,
  tiers: readonly Tier[],
  waiting: ReadonlyMap<string, number>,
  maxQueueSize: number,
): number {
  const keptForOthers = tiers
    .filter(({ name }) => name !== tierName)
    .reduce((kept, { name, reserved }) => kept + Math.max(0, reserved - (waiting.get(name) ?? 0)), 0)
  return Math.max(0, maxQueueSize - keptForOthers)
}

/** Places of the queue that somebody may take whose tier is not known: as many as the tier that may take most. */
export function largestCapacity(
  tiers: readonly Tier[],
  waiting: ReadonlyMap<string, number>,
  maxQueueSize: number,
): number {
  return Math.max(...[DEFAULT_TIER, ...tiers].map(({ name }) => capacityFor(name, tiers, waiting, maxQueueSize)))
}
