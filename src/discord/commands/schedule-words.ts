import { ApplicationCommandOptionType } from 'discord.js'
import { readWhen } from '#discord/read-when.ts'
import {
  IF_MISSED,
  type IfMissed,
  type Plan,
  planFrom,
  RECURRENCES,
  type Recurrence,
  type Schedule,
} from '#domain/schedule.ts'
import type { DueQuestion } from '#protocol/schedules.ts'
import { beginningOf } from './beginning-of.ts'
import { dateAndTime, timeAgo } from './timestamps.ts'

/** The zone of those who have not said theirs. */
export const USUAL_ZONE = 'UTC'

const TEXT = ApplicationCommandOptionType.String as const
/** Discord's own limit for a text option. */
const MAX_OPTION_LENGTH = 6_000
const LONGEST_WHEN = 100
const QUOTED_CHARACTERS = 200

const REPEATS = {
  once: 'not at all',
  daily: 'every day',
  weekdays: 'Monday to Friday',
  weekly: 'every week',
} as const satisfies Record<Recurrence, string>

const MISSED = {
  run: 'ask it then, with a note',
  skip: 'leave it out',
} as const satisfies Record<IfMissed, string>

/** The options that `/remind` and `/reminders edit` have in common; none of them has to be given for an edit. */
export function scheduleOptions(maxMessageLength: number, { required }: { readonly required: boolean }) {
  const when = 'Such as: in 2 hours, tomorrow 9:00, monday 8am, 24.12. 18:00.'
  const max_length = Math.min(MAX_OPTION_LENGTH, maxMessageLength)
  return [
    { type: TEXT, name: 'when', description: when, required, max_length: LONGEST_WHEN },
    { type: TEXT, name: 'message', description: 'What Parley is to be asked then.', required, max_length },
    { type: TEXT, name: 'repeat', description: 'Whether it comes again.', choices: choicesOf(REPEATS) },
    {
      type: TEXT,
      name: 'if_missed',
      description: 'What to do when Parley was not running at that time.',
      choices: choicesOf(MISSED),
    },
  ]
}

function choicesOf(words: Readonly<Record<string, string>>) {
  return Object.entries(words).map(([value, name]) => ({ name, value }))
}

/** Reads the options of `scheduleOptions`; what was not given is undefined. */
export function readOptions(option: (name: string) => string | undefined) {
  const [repeat, missed] = [option('repeat'), option('if_missed')]
  return {
    when: option('when'),
    message: option('message')?.trim(),
    recurrence: RECURRENCES.find((known) => known === repeat),
    ifMissed: IF_MISSED.find((known) => known === missed),
  }
}

/** Makes a plan of a time in words, or says what its user has to change. */
export function readPlan(
  when: string,
  recurrence: Recurrence,
  now: number,
  zone: string,
): Plan | { readonly problem: string } {
  const read = readWhen(when, now, zone)
  return 'problem' in read ? { problem: PROBLEMS[read.problem] } : planFrom(recurrence, read.at, zone, read.wall)
}

/** None with a year, which would be over one day. */
const EXAMPLES =
  'Times that are understood are such as `in 2 hours`, `tomorrow 9:00`, `monday 8am`, `dec 24 at 18:00`, `24.12. 18:00`, and those of ISO 8601.'

const PROBLEMS = {
  unclear: `That is no clear time. ${EXAMPLES}`,
  past: `That time is over. ${EXAMPLES}`,
  tooFar: `That is more than a year away. ${EXAMPLES}`,
} as const

/** Says why a message could not be asked when its time comes; Discord counts its characters in another way. */
export function messageProblem(message: string, maxMessageLength: number): string | undefined {
  if (message === '') return 'There is no text in the message.'
  return message.length > maxMessageLength ? `The message is longer than ${maxMessageLength} characters.` : undefined
}

/** A schedule in a few lines. */
export function describeSchedule(schedule: Schedule): string {
  const { nextAt, message, ifMissed } = schedule
  const missed = ifMissed === 'skip' ? '\nWhen Parley is not running at that time, it is left out.' : ''
  return `⏰ ${dateAndTime(nextAt)} (${timeAgo(nextAt)})${describeRepeat(schedule)}\n> ${beginningOf(message, QUOTED_CHARACTERS)}${missed}`
}

/** A question whose time has come, in a few lines. */
export function describeDue({ dueAt, message }: DueQuestion): string {
  const since = `⏰ Due at ${dateAndTime(dueAt)} (${timeAgo(dueAt)}); it is asked as soon as it is its turn.`
  return `${since}\n> ${beginningOf(message, QUOTED_CHARACTERS)}`
}

function describeRepeat({ recurrence, zone }: Schedule): string {
  return recurrence === 'once' ? '' : `, ${REPEATS[recurrence]} at that time in ${zone}`
}
