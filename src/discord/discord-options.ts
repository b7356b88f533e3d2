import type { Clock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import type { AccessRules } from '#domain/access.ts'
import type { ModelChoices } from '#domain/briefing.ts'
import type { QuotaLimits } from '#domain/quota.ts'
import type { Tier } from '#domain/tier.ts'
import type { RequestQueue } from '#protocol/queue.ts'
import type { PressStore } from './card-presses.ts'
import type { CatchUpLimits } from './catch-up.ts'
import type { CommandRecords } from './commands/command-list.ts'
import type { PrivacyFacts } from './commands/privacy.ts'
import type { Scheduling } from './commands/remind.ts'
import type { DeliveryStore } from './delivery-ledger.ts'
import type { FileLimits } from './file-intake.ts'

/** What Parley's connection to Discord is built with. */
export interface DiscordOptions {
  readonly token: string
  /** Without the version, such as https://discord.com/api. */
  readonly apiUrl: string
  readonly editIntervalMs: number
  /** In this time the same person is told the same reason for a refusal once. */
  readonly refusalIntervalMs: number
  /** After so long a wait for the first word the answer comes in a new message; 0 for never. */
  readonly notifyAfterMs: number
  /** Whether people see seconds and "… is typing" while there is nothing to read; true. */
  readonly signsOfLife?: boolean
  /** The longest message the queue takes in, in UTF-16 code units. */
  readonly maxMessageLength: number
  /** Messages of one person in one channel within this time of each other become one question; 0 for never, as without. */
  readonly debounceMs?: number
  /** Calls a second that Discord takes from the whole bot; 50. */
  readonly callsPerSecond?: number
  /** How long one call may take before discord.js makes it again; 15 s. */
  readonly callTimeoutMs?: number
  readonly queue: RequestQueue
  readonly store: DeliveryStore & PressStore
  readonly records: CommandRecords
  readonly privacy: PrivacyFacts
  /** Who gets how much beside others when there is a line; left out when all are equal. */
  readonly tiers?: readonly Tier[]
  /** Who may ask something. */
  readonly access: AccessRules
  readonly quota: QuotaLimits
  readonly scheduling: Scheduling
  /** What people may choose from. */
  readonly models: ModelChoices
  /** What is taken in of the files that come with questions. */
  readonly files: FileLimits
  /** What is read of the messages that came while nobody listened. */
  readonly catchUp: CatchUpLimits
  readonly clock: Clock
  /** Never jumps, for what Discord counts; `clock` unless told. */
  readonly steadyClock?: Clock
  readonly log: Log
  /** Discord has closed the connection for good. */
  readonly onGivenUp: (error: Error) => void
}
