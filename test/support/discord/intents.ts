/** The gateway intents this server looks at, by bit. */
export const INTENTS = {
  guilds: 1 << 0,
  guildMessages: 1 << 9,
  directMessages: 1 << 12,
  messageContent: 1 << 15,
} as const

const GUILD_MEMBERS = 1 << 1
const GUILD_PRESENCES = 1 << 8
// Bits 0 to 16, 20, 21, 24 and 25.
const VALID_INTENTS = 0x1_ffff | (1 << 20) | (1 << 21) | (1 << 24) | (1 << 25)

/** All intents that need no approval. */
export const UNPRIVILEGED_INTENTS = VALID_INTENTS & ~(GUILD_MEMBERS | GUILD_PRESENCES | INTENTS.messageContent)

/** Tells whether every bit asked for exists. */
export function areValid(intents: number): boolean {
  return (intents & ~VALID_INTENTS) === 0
}
