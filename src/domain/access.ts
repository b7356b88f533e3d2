/** People, roles, servers and channels by their Discord ids. */
interface IdLists {
  readonly users: readonly string[]
  readonly roles: readonly string[]
  readonly servers: readonly string[]
  readonly channels: readonly string[]
}

/** Who may ask something. */
export interface AccessRules {
  /** May always. */
  readonly owners: readonly string[]
  /** From whom direct messages are answered. */
  readonly directMessages: 'anyone' | 'sharedServer' | 'allowed'
  /** Without users and roles everybody may; without servers, in each of them; without channels, in each of them. */
  readonly allow: IdLists
  /** Goes before `allow`. */
  readonly deny: IdLists
}

/** Somebody who wants to ask something, and where. */
export interface Asker {
  readonly userId: string
  /** null in direct conversations and groups. */
  readonly serverId: string | null
  /** Their roles in that server. */
  readonly roleIds: readonly string[]
  /** The channel, and of a thread the channel it belongs to. */
  readonly channelIds: readonly string[]
}

/**
 * `person`: not this person; `place`: not in this server or channel; `direct`: not by direct message. `sharesServer`: it
 * depends on whether a server is shared, which has to be looked up.
 */
export type AccessDecision = 'granted' | 'person' | 'place' | 'direct' | 'sharesServer'

/** Decides whether somebody may ask. Owners always may, and what is denied is denied whatever is allowed. */
export function decideAccess(rules: AccessRules, asker: Asker): AccessDecision {
  const { owners, allow, deny } = rules
  if (owners.includes(asker.userId)) return 'granted'
  if (isListed(asker, deny)) return 'person'
  if (isPlaceListed(asker, deny)) return 'place'
  if (asker.serverId === null) return decideDirect(rules, asker)
  if (hasPeople(allow) && !isListed(asker, allow)) return 'person'
  return isPlaceAllowed(asker, allow) ? 'granted' : 'place'
}

/** Where and by whom a server lets questions be asked; of both, none means all. */
interface ServerRules {
  readonly channels: readonly string[]
  readonly roles: readonly string[]
}

/** `serverChannel`: not in this channel; `serverRole`: nobody without one of the server's roles. */
export type ServerAccessDecision = 'granted' | 'serverChannel' | 'serverRole'

/** Decides, after `decideAccess`, what the server itself has to say. Owners of the bot always may. */
export function decideServerAccess(
  { channels, roles }: ServerRules,
  owners: readonly string[],
  { userId, roleIds, channelIds }: Asker,
): ServerAccessDecision {
  if (owners.includes(userId)) return 'granted'
  if (channels.length > 0 && !channelIds.some((id) => channels.includes(id))) return 'serverChannel'
  return roles.length === 0 || roleIds.some((id) => roles.includes(id)) ? 'granted' : 'serverRole'
}

/** Tells whether the rules depend on a channel, so that a thread's own channel has to be known. */
export function concernsChannels({ allow, deny }: AccessRules): boolean {
  return allow.channels.length + deny.channels.length > 0
}

/** Who is allowed by name may write; whoever else, only when nobody is. */
function decideDirect({ directMessages, allow }: AccessRules, asker: Asker): AccessDecision {
  if (allow.users.includes(asker.userId)) return 'granted'
  if (hasPeople(allow)) return 'person'
  switch (directMessages) {
    case 'anyone':
      return 'granted'
    case 'sharedServer':
      return 'sharesServer'
    case 'allowed':
      return 'direct'
    default:
      return directMessages satisfies never
  }
}

function hasPeople({ users, roles }: IdLists): boolean {
  return users.length + roles.length > 0
}

function isListed({ userId, roleIds }: Asker, { users, roles }: IdLists): boolean {
  return users.includes(userId) || roleIds.some((id) => roles.includes(id))
}

function isPlaceListed({ serverId, channelIds }: Asker, { servers, channels }: IdLists): boolean {
  return (serverId !== null && servers.includes(serverId)) || channelIds.some((id) => channels.includes(id))
}

function isPlaceAllowed({ serverId, channelIds }: Asker, { servers, channels }: IdLists): boolean {
  const inServer = servers.length === 0 || (serverId !== null && servers.includes(serverId))
  return inServer && (channels.length === 0 || channelIds.some((id) => channels.includes(id)))
}
