import { ApplicationCommandOptionType } from 'discord.js'
import { isTimeZone } from '#domain/zoned-time.ts'
import type { PersonalRecordsApi } from '#protocol/personal-records.ts'
import { type PrivateCommand, type Suggestion, slashCommand } from './command.ts'
import { USUAL_ZONE } from './schedule-words.ts'

const ZONE = 'zone'
/** Discord's own limit. */
const MOST_CHOICES = 25

/** What Intl takes, but lists under an older name only. */
const NEWER_NAMES = [
  'America/Argentina/Buenos_Aires',
  'America/Nuuk',
  'Asia/Ho_Chi_Minh',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Asia/Yangon',
  'Atlantic/Faroe',
  'Europe/Kyiv',
]

/** `/timezone`: where the times are read that the user names. */
export function timezoneCommand(
  records: Pick<PersonalRecordsApi, 'preferences' | 'changePreferences'>,
): PrivateCommand {
  const option = {
    type: ApplicationCommandOptionType.String as const,
    name: ZONE,
    description: 'Such as Europe/Berlin; without it you see what is set.',
    autocomplete: true as const,
  }
  return {
    type: 'private',
    definition: slashCommand({ name: 'timezone', description: 'Where you live, for /remind.', options: [option] }),
    reply: async ({ conversation: { userId }, option: textOf }) => {
      const zone = textOf(ZONE)?.trim()
      if (zone === undefined) return { content: describe((await records.preferences(userId)).timeZone) }
      if (!isTimeZone(zone)) return { content: UNKNOWN }
      const { timeZone } = await records.changePreferences(userId, { timeZone: zone })
      return { content: `${describe(timeZone)} ${UNCHANGED}` }
    },
    suggest: ({ text }) => zonesLike(text),
  }
}

function describe(timeZone: string | null): string {
  if (timeZone === null) return `You have not said where you live: times are read in ${USUAL_ZONE}.`
  return `Times you name are read in ${timeZone}.`
}

/** Those that begin so, or have a city that does, in front. */
function zonesLike(text: string): Suggestion[] {
  const typed = text.trim().toLowerCase().replaceAll(' ', '_')
  const zones = new Set([USUAL_ZONE, ...NEWER_NAMES.filter(isTimeZone), ...Intl.supportedValuesOf('timeZone')])
  const found = [...zones].filter((zone) => zone.toLowerCase().includes(typed))
  const begins = (zone: string) => `/${zone.toLowerCase()}`.includes(`/${typed}`)
  const inOrder = [...found.filter(begins), ...found.filter((zone) => !begins(zone))]
  return inOrder.slice(0, MOST_CHOICES).map((zone) => ({ name: zone, value: zone }))
}

const UNKNOWN =
  'That is no time zone. Nothing was changed; choose one from the list, such as `Europe/Berlin` or `America/New_York`.'

const UNCHANGED = 'What is scheduled already stays as it is.'
