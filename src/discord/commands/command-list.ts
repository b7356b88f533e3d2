import type { Clock } from '#actors/clock.ts'
import type { DirectConversations } from '#discord/direct-conversations.ts'
import type { AccessRules } from '#domain/access.ts'
import type { QuotaLimits } from '#domain/quota.ts'
import type { DatabaseApi } from '#protocol/database.ts'
import type { PersonalRecordsApi } from '#protocol/personal-records.ts'
import type { RequestQueue } from '#protocol/queue.ts'
import { askCommand } from './ask.ts'
import { askAboutCommand } from './ask-about.ts'
import { cancelCommand } from './cancel.ts'
import type { Command } from './command.ts'
import { exportCommand } from './export.ts'
import { forgetCommand } from './forget.ts'
import { helpCommand } from './help.ts'
import { historyCommand } from './history.ts'
import { type PrivacyFacts, privacyCommand } from './privacy.ts'
import { quotaCommand } from './quota.ts'
import { serverCommand } from './server.ts'
import { statsCommand } from './stats.ts'
import { statusCommand } from './status.ts'

/** What the commands read and change of what is stored. */
export type CommandRecords = PersonalRecordsApi & Pick<DatabaseApi, 'statistics'>

/** What the commands work with. */
export interface CommandParts {
  /** The longest message the queue takes in. */
  readonly maxMessageLength: number
  readonly queue: Pick<RequestQueue, 'active' | 'cancel' | 'stats'>
  readonly records: CommandRecords
  readonly direct: Pick<DirectConversations, 'current' | 'choices' | 'choose'>
  readonly access: Pick<AccessRules, 'owners'>
  readonly quota: QuotaLimits
  readonly privacy: PrivacyFacts
  readonly clock: Pick<Clock, 'now'>
}

/** All commands, in the order `/help` tells them. */
export function commandList({
  maxMessageLength,
  queue,
  records,
  direct,
  access,
  quota,
  privacy,
  clock,
}: CommandParts): Command[] {
  const commands: Command[] = [
    askCommand(maxMessageLength),
    askAboutCommand,
    statusCommand(queue),
    cancelCommand(queue),
    serverCommand(direct),
    historyCommand(records),
    forgetCommand({ records, queue }),
    exportCommand({ records, clock }),
    quotaCommand({ limits: quota, owners: access.owners, records, clock }),
    privacyCommand(privacy),
    statsCommand({ owners: access.owners, queue, records }),
  ]
  return [...commands, helpCommand(commands)]
}
