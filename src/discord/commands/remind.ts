import { ApplicationIntegrationType, InteractionContextType } from 'discord.js'
import type { Clock } from '#actors/clock.ts'
import type { AccessCheck } from '#discord/access-check.ts'
import { failureNotice } from '#domain/notices.ts'
import type { Schedule } from '#domain/schedule.ts'
import type { PersonalRecordsApi } from '#protocol/personal-records.ts'
import type { SchedulesApi } from '#protocol/schedules.ts'
import { type CommandCall, type PrivateCommand, type Reply, refused, slashCommand } from './command.ts'
import {
  describeSchedule,
  messageProblem,
  readOptions,
  readPlan,
  scheduleOptions,
  USUAL_ZONE,
} from './schedule-words.ts'

export interface SchedulingOptions {
  readonly records: Pick<PersonalRecordsApi, 'preferences'> &
    Pick<SchedulesApi, 'addSchedule' | 'schedulesOf' | 'dueQuestionsOf' | 'changeSchedule' | 'deleteSchedule'>
  readonly accessCheck: Pick<AccessCheck, 'refusal'>
  readonly scheduling: Scheduling
  readonly maxMessageLength: number
  readonly clock: Pick<Clock, 'now'>
}

/** What scheduling needs of the rest of Parley. */
export interface Scheduling {
  /** 0: nobody can schedule anything. */
  readonly maxPerUser: number
  readonly newId: () => string
  /** Somebody has planned something, or planned it anew. */
  readonly onChanged: () => void
}

/** The answer comes by itself, so only where the bot can write without having been asked. */
const WHERE_BOT_WRITES = {
  integration_types: [ApplicationIntegrationType.GuildInstall],
  contexts: [InteractionContextType.Guild, InteractionContextType.BotDM],
}

/** `/remind`: asks something later, perhaps again and again. */
export function remindCommand(options: SchedulingOptions): PrivateCommand {
  const definition = slashCommand({
    name: 'remind',
    description: 'Have Parley asked something later; the answer comes here.',
    options: scheduleOptions(options.maxMessageLength, { required: true }),
  })
  return {
    type: 'private',
    definition: { ...definition, ...WHERE_BOT_WRITES },
    reply: (call) => schedule(options, call),
  }
}

async function schedule(options: SchedulingOptions, call: CommandCall): Promise<Reply> {
  const { records, accessCheck, scheduling, maxMessageLength, clock } = options
  const { conversation, guildId, channelId, roleIds, botMayWrite } = call
  const { userId } = conversation
  if (scheduling.maxPerUser === 0) return { content: OFF }
  if (!botMayWrite) return { content: NOT_WRITABLE }
  const refusal = await accessCheck.refusal({ userId, guildId, channelId, roleIds })
  if (refusal) return refused({ refusal })
  const here = await call.here()
  if ('refusal' in here) return refused(here)
  const { when = '', message = '', recurrence = 'once', ifMissed = 'run' } = readOptions(call.option)
  const problem = messageProblem(message, maxMessageLength)
  if (problem !== undefined) return { content: `${problem} ${NOTHING_SCHEDULED}` }
  const { timeZone } = await records.preferences(userId)
  const now = clock.now()
  const plan = readPlan(when, recurrence, now, timeZone ?? USUAL_ZONE)
  if ('problem' in plan) return { content: `${plan.problem} ${NOTHING_SCHEDULED}` }
  const planned: Schedule = {
    ...plan,
    id: scheduling.newId(),
    userId,
    serverId: here.serverId,
    directServerName: guildId === null ? (here.serverName ?? null) : null,
    channelId,
    message,
    ifMissed,
    createdAt: now,
  }
  if ((await records.addSchedule(planned, scheduling.maxPerUser)) === 'full') return full(scheduling)
  scheduling.onChanged()
  return { content: `Scheduled; the answer comes here.\n${describeSchedule(planned)}\n${zoneNote(timeZone)}` }
}

function full({ maxPerUser }: Scheduling): Reply {
  const message = `You have as many reminders as one person may have, which is ${maxPerUser}. Nothing was scheduled; delete one with /reminders list.`
  return { content: failureNotice({ code: 'SCHEDULES_FULL', message }) }
}

function zoneNote(timeZone: string | null): string {
  return timeZone === null
    ? `-# You have not said where you live, so the time was read in ${USUAL_ZONE}; \`/timezone\` changes that for the next one.`
    : `-# Times are read in ${timeZone}; \`/timezone\` changes that.`
}

const NOTHING_SCHEDULED = 'Nothing was scheduled.'

const OFF = 'Scheduling is switched off here. Whoever runs this bot can change that.'

const NOT_WRITABLE =
  'Parley may not write in this channel, so the answer could not be shown here. Nothing was scheduled; please use another channel.'
