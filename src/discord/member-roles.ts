import { z } from 'zod'

/**
 * discord.js keeps the ids of all roles in `_roles`; what it shows in `roles` are only those of servers it knows, and
 * Parley has it know none. From a server that was never heard of it hands the member on as Discord sent it.
 */
const member = z.union([
  z.object({ _roles: z.array(z.string()) }).transform(({ _roles }) => _roles),
  z.object({ roles: z.array(z.string()) }).transform(({ roles }) => roles),
])

/** The ids of a member's roles. Throws when they cannot be told: somebody who was denied must not pass unseen. */
export function rolesOf(who: unknown): readonly string[] {
  return who === null || who === undefined ? [] : member.parse(who)
}
