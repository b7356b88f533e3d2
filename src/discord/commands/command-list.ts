import type { Clock } from '#actors/clock.ts'
import type { AccessCheck } from '#discord/access-check.ts'
import type { DirectConversations } from '#discord/direct-conversations.ts'
import type { ServerSettingsBook } from '#discord/server-settings-book.ts'
import type { AccessRules } from '#domain/access.ts'
import type { ModelChoices } from '#domain/briefing.ts'
import type { QuotaLimits } from '#domain/quota.ts'
import type { DatabaseApi } from '#protocol/database.ts'
import type { DeliveryStatistics } from '#protocol/delivery.ts'
import type { ForgetScope, PersonalRecordsApi } from '#protocol/personal-records.ts'
import type { RequestQueue } from '#protocol/queue.ts'
import type { SchedulesApi } from '#protocol/schedules.ts'
import type { ServerRecordsApi } from '#protocol/server-records.ts'
import { askCommand } from './ask.ts'
import { askAboutCommand } from './ask-about.ts'
import { cancelCommand } from './cancel.ts'
import type { Command } from './command.ts'
import { exportCommand } from './export.ts'
import { forgetCommand } from './forget.ts'
import { helpCommand } from './help.ts'
import { historyCommand } from './history.ts'
import { modelCommand } from './model.ts'
import { personaCommand } from './persona.ts'
import { type PrivacyFacts, privacyCommand } from './privacy.ts'
import { queueCommand } from './queue.ts'
import { quotaCommand } from './quota.ts'
import { reasoningCommand } from './reasoning.ts'
import { remindCommand, type Scheduling } from './remind.ts'
import { remindersCommand } from './reminders.ts'
import { serverCommand } from './server.ts'
import { settingsCommand } from './settings.ts'
import { statsCommand } from './stats.ts'
import { statusCommand } from './status.ts'
import { timezoneCommand } from './timezone.ts'

/** What the commands read and change of what is stored. */
export type CommandRecords = PersonalRecordsApi &
  ServerRecordsApi &
  Pick<SchedulesApi, 'addSchedule' | 'schedulesOf' | 'dueQuestionsOf' | 'changeSchedule' | 'deleteSchedule'> &
  Pick<DatabaseApi, 'statistics'>

/** What the commands work with. */
export interface CommandParts {
  /** The longest message the queue takes in. */
  readonly maxMessageLength: number
  readonly queue: Pick<RequestQueue, 'active' | 'cancel' | 'stats' | 'setMode'>
  /** Takes back what somebody has written and waits for more; tells whether there was anything. */
  readonly withdraw: (scope: ForgetScope) => boolean
  readonly records: CommandRecords
  readonly delivery: () => DeliveryStatistics
  readonly direct: Pick<DirectConversations, 'current' | 'choices' | 'choose'>
  readonly access: Pick<AccessRules, 'owners'>
  readonly accessCheck: Pick<AccessCheck, 'refusal'>
  readonly scheduling: Scheduling
  readonly quota: QuotaLimits
  readonly privacy: PrivacyFacts
  readonly models: ModelChoices
  readonly serverSettings: ServerSettingsBook
  readonly clock: Pick<Clock, 'now'>
}

/** All commands, in the order `/help` tells them. */
export function commandList({
  maxMessageLength,
  queue,
  withdraw,
  records,
  delivery,
  direct,
  access,
  accessCheck,
  scheduling,
  quota,
  privacy,
  models,
  serverSettings,
  clock,
}: CommandParts): Command[] {
  const choosing = { records, serverSettings, models }
  const schedules = { records, accessCheck, scheduling, maxMessageLength, clock }
  const commands: Command[] = [
    askCommand(maxMessageLength),
    askAboutCommand,
    statusCommand(queue),
    cancelCommand(queue, withdraw),
    serverCommand(direct),
    remindCommand(schedules),
    remindersCommand(schedules),
    timezoneCommand(records),
    historyCommand(records),
    forgetCommand({ records, queue, withdraw }),
    exportCommand({ records, clock }),
    personaCommand(choosing),
    modelCommand(choosing),
    reasoningCommand(records),
    settingsCommand({ records, serverSettings, models }),
    quotaCommand({ limits: quota, owners: access.owners, records, clock }),
    privacyCommand(privacy),
    statsCommand({ owners: access.owners, queue, records, delivery }),
    queueCommand({ owners: access.owners, queue }),
  ]
  return [...commands, helpCommand(commands)]
}
