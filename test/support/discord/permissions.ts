import type { Guild } from './entities.ts'

/** View, send, embed, attach, read history, use commands: what a chat bot is usually given. */
export const USUAL_PERMISSIONS = '2147601408'

const MANAGE_GUILD = 1n << 5n

/** What a member may do in a guild, as a bit set in decimal. */
export function permissionsOf({ managerIds }: Guild, userId: string): string {
  return managerIds.has(userId) ? String(BigInt(USUAL_PERMISSIONS) | MANAGE_GUILD) : USUAL_PERMISSIONS
}
