import type { CallRecord } from './call-log.ts'
import type { Entitlement, Guild, GuildChannel, Message } from './entities.ts'
import type { GatewayRecord } from './gateway-log.ts'
import type { Interaction } from './interactions.ts'

/** How the gateway calls what becomes of an entitlement. */
export type EntitlementEvent = 'ENTITLEMENT_CREATE' | 'ENTITLEMENT_UPDATE' | 'ENTITLEMENT_DELETE'

/** Everything that happens inside the server and that its other parts may have to act on. */
export type Change =
  | { readonly type: 'messageCreated'; readonly message: Message }
  | { readonly type: 'messageEdited'; readonly message: Message }
  | { readonly type: 'messageDeleted'; readonly message: Message }
  /** A gateway event goes out a second time. */
  | { readonly type: 'messageReplayed'; readonly message: Message }
  | { readonly type: 'guildAdded'; readonly guild: Guild }
  | { readonly type: 'channelAdded'; readonly channel: GuildChannel }
  | { readonly type: 'entitlement'; readonly event: EntitlementEvent; readonly entitlement: Entitlement }
  | { readonly type: 'interactionCreated'; readonly interaction: Interaction }
  | { readonly type: 'callArrived'; readonly call: CallRecord }
  | { readonly type: 'callEnded'; readonly call: CallRecord }
  | { readonly type: 'gateway'; readonly record: GatewayRecord }

/** Hands each change to everyone who listens, in the order they came. */
export class Changes {
  readonly #listeners: ((change: Change) => void)[] = []

  listen(listener: (change: Change) => void): void {
    this.#listeners.push(listener)
  }

  announce(change: Change): void {
    for (const listener of this.#listeners) listener(change)
  }
}
