import {
  type APIButtonComponent,
  type APIStringSelectComponent,
  ApplicationCommandOptionType,
  ButtonStyle,
  ComponentType,
} from 'discord.js'
import type { Schedule } from '#domain/schedule.ts'
import type { DueQuestion, ScheduleChanges } from '#protocol/schedules.ts'
import { customId, type PrivateCommand, type Reply, type Suggestion, slashCommand } from './command.ts'
import type { SchedulingOptions } from './remind.ts'
import {
  describeDue,
  describeSchedule,
  messageProblem,
  readOptions,
  readPlan,
  scheduleOptions,
  USUAL_ZONE,
} from './schedule-words.ts'
import { subcommand } from './subcommand.ts'

const NAME = 'reminders'
const WHICH = 'which'
/** What a press does. */
const SHOW = 'show'
const DELETE = 'delete'
const LIST = 'list'
/** Discord's own limit for a choice, and for the options of a menu. */
const LONGEST_CHOICE = 100
const MOST_CHOICES = 25

/** `/reminders list | edit`: what the user has scheduled. */
export function remindersCommand(options: SchedulingOptions): PrivateCommand {
  const { records, maxMessageLength } = options
  return {
    type: 'private',
    definition: slashCommand({
      name: NAME,
      description: 'What you have scheduled with /remind.',
      options: [
        subcommand('list', 'What you have scheduled, to look at and to delete.'),
        subcommand('edit', 'Change one of them; what you leave out stays as it is.', [
          {
            type: ApplicationCommandOptionType.String,
            name: WHICH,
            description: 'The one to change.',
            required: true,
            autocomplete: true,
          },
          ...scheduleOptions(maxMessageLength, { required: false }),
        ]),
      ],
    }),
    reply: ({ conversation: { userId }, subcommand: action, option }) =>
      action === 'edit' ? edit(options, userId, option) : list(records, userId),
    pressed: ({ conversation: { userId }, words: [action, id = ''], values: [chosen = id] }) =>
      press(records, { userId, action, id: chosen }),
    suggest: async ({ userId, text }) => (await records.schedulesOf(userId)).map(choiceOf).filter(isLike(text)),
  }
}

type Records = SchedulingOptions['records']

async function list(records: Records, userId: string, said = ''): Promise<Reply> {
  const [due, schedules] = await Promise.all([records.dueQuestionsOf(userId), records.schedulesOf(userId)])
  const choices = [...due.map(choiceOfDue), ...schedules.map(choiceOf)]
  if (choices.length === 0) return { content: `${said}${NOTHING}` }
  const are = choices.length === 1 ? 'is 1 reminder' : `are ${choices.length} reminders`
  const which = choices.length > MOST_CHOICES ? `one of the first ${MOST_CHOICES}` : 'one'
  return { content: `${said}There ${are} of yours; choose ${which} to see or delete it.`, menu: menuOf(choices) }
}

function menuOf(choices: readonly Suggestion[]): APIStringSelectComponent {
  const options = choices.slice(0, MOST_CHOICES).map(({ name: label, value }) => ({ label, value }))
  return { type: ComponentType.StringSelect, custom_id: customId(NAME, SHOW), options }
}

function choiceOfDue({ id, message }: DueQuestion): Suggestion {
  return choice(id, `Due, waits for its turn: ${message}`)
}

/** A menu shows plain text, so the time is written as the wall shows it. */
function choiceOf(schedule: Schedule): Suggestion {
  const { id, nextAt, zone, recurrence, message } = schedule
  const when = new Date(nextAt).toLocaleString('en-GB', { timeZone: zone, dateStyle: 'medium', timeStyle: 'short' })
  const repeat = recurrence === 'once' ? '' : `, ${recurrence}`
  return choice(id, `${when}${repeat}: ${message}`)
}

function choice(value: string, words: string): Suggestion {
  const line = words.replaceAll(/\s+/g, ' ')
  // Not half a character at the end.
  return { value, name: line.slice(0, LONGEST_CHOICE).replace(/[\uD800-\uDBFF]$/u, '') }
}

function isLike(text: string): (choice: Suggestion) => boolean {
  return ({ name }) => name.toLowerCase().includes(text.trim().toLowerCase())
}

interface Pressed {
  readonly userId: string
  readonly action: string | undefined
  readonly id: string
}

async function press(records: Records, { userId, action, id }: Pressed): Promise<Reply> {
  if (action === DELETE) {
    const said = (await records.deleteSchedule(userId, id)) ? 'It is deleted. ' : 'It was gone already. '
    return list(records, userId, said)
  }
  const content = action === SHOW && (await describe(records, userId, id))
  return content ? { content, buttons: buttonsOf(id) } : list(records, userId)
}

async function describe(records: Records, userId: string, id: string): Promise<string | undefined> {
  const schedule = await find(records, userId, id)
  if (schedule) return `${describeSchedule(schedule)}\n${HOW_TO_EDIT}`
  const due = (await records.dueQuestionsOf(userId)).find((question) => question.id === id)
  return due && describeDue(due)
}

function buttonsOf(id: string): APIButtonComponent[] {
  const button = { type: ComponentType.Button } as const
  return [
    { ...button, style: ButtonStyle.Danger, label: 'Delete', custom_id: customId(NAME, DELETE, id) },
    { ...button, style: ButtonStyle.Secondary, label: 'Back', custom_id: customId(NAME, LIST) },
  ]
}

async function edit(
  options: SchedulingOptions,
  userId: string,
  option: (name: string) => string | undefined,
): Promise<Reply> {
  const { records, scheduling } = options
  const schedule = await find(records, userId, option(WHICH) ?? '')
  if (!schedule) return { content: `There is no such reminder of yours. ${NOTHING_CHANGED}` }
  const changes = await changesOf(options, schedule, option)
  if ('problem' in changes) return { content: `${changes.problem} ${NOTHING_CHANGED}` }
  const changed = await records.changeSchedule(userId, schedule.id, changes)
  if (!changed) return { content: `Its time has just come. ${NOTHING_CHANGED}` }
  scheduling.onChanged()
  return { content: `It is now:\n${describeSchedule(changed)}` }
}

async function changesOf(
  { records, clock, maxMessageLength }: SchedulingOptions,
  schedule: Schedule,
  option: (name: string) => string | undefined,
): Promise<ScheduleChanges | { readonly problem: string }> {
  const { when, message, recurrence, ifMissed } = readOptions(option)
  const problem = message === undefined ? undefined : messageProblem(message, maxMessageLength)
  if (problem !== undefined) return { problem }
  const plain = { ...(message && { message }), ...(ifMissed && { ifMissed }), ...(recurrence && { recurrence }) }
  if (when === undefined) return plain
  const { timeZone } = await records.preferences(schedule.userId)
  const plan = readPlan(when, recurrence ?? schedule.recurrence, clock.now(), timeZone ?? USUAL_ZONE)
  return 'problem' in plan ? plan : { ...plain, ...plan }
}

async function find(records: Records, userId: string, id: string): Promise<Schedule | undefined> {
  return (await records.schedulesOf(userId)).find((schedule) => schedule.id === id)
}

const NOTHING = 'You have no reminders. `/remind` makes one.'

const NOTHING_CHANGED = 'Nothing was changed.'

const HOW_TO_EDIT = '-# To change it, use `/reminders edit`.'
