import { isObject, type JsonObject, textsIn } from './json.ts'

/** Whom a message names and whom it would ping. */
export interface Mentions {
  readonly pinged: readonly string[]
  readonly userIds: readonly string[]
}

interface AllowedMentions {
  readonly parse?: unknown
  readonly users?: unknown
  readonly roles?: unknown
  readonly replied_user?: unknown
}

/**
 * Reads the mentions of a message under its `allowed_mentions`; without one, all of them ping, as Discord has it.
 * Code blocks are read too: whoever counts on them to silence a mention is to be seen.
 */
export function readMentions(
  content: string,
  allowedMentions: JsonObject | undefined,
  repliedUserId: string | null,
): Mentions {
  const users = idsIn(content, /<@!?(\d+)>/g).filter(allows(allowedMentions, 'users'))
  const roles = idsIn(content, /<@&(\d+)>/g).filter(allows(allowedMentions, 'roles'))
  const all = ['everyone', 'here'].filter((word) => content.includes(`@${word}`) && parses(allowedMentions, 'everyone'))
  const replied = repliedUserId !== null && pingsReplied(allowedMentions) ? [repliedUserId] : []
  const userIds = [...new Set([...users, ...replied])]
  return { pinged: [...userIds, ...roles, ...all], userIds }
}

/** Tells whether lists and `parse` contradict each other, which Discord refuses. */
export function contradicts(allowedMentions: JsonObject): boolean {
  const { parse, users, roles }: AllowedMentions = allowedMentions
  const parsed = textsIn(parse)
  return (
    (parsed.includes('users') && textsIn(users).length > 0) || (parsed.includes('roles') && textsIn(roles).length > 0)
  )
}

function idsIn(content: string, pattern: RegExp): string[] {
  return [...new Set(Array.from(content.matchAll(pattern), (match) => match[1] ?? ''))]
}

function parses(allowedMentions: JsonObject | undefined, kind: string): boolean {
  if (!isObject(allowedMentions)) return true
  const { parse }: AllowedMentions = allowedMentions
  return textsIn(parse).includes(kind)
}

function allows(allowedMentions: JsonObject | undefined, kind: 'users' | 'roles'): (id: string) => boolean {
  if (!isObject(allowedMentions) || parses(allowedMentions, kind)) return () => true
  const listed: AllowedMentions = allowedMentions
  const ids = textsIn(listed[kind])
  return (id) => ids.includes(id)
}

function pingsReplied(allowedMentions: JsonObject | undefined): boolean {
  if (!isObject(allowedMentions)) return true
  const { replied_user }: AllowedMentions = allowedMentions
  return replied_user === true
}
