import type { MessageRecord } from '#support/discord/records.ts'

/** Something a person did that is no message, such as pressing a button. */
export interface Deed {
  /** ms since epoch */
  readonly at: number
  readonly text: string
}

/** A part of the recording: what it shows, and what was seen. */
export interface Scene {
  readonly title: string
  /** What the reader should look at. */
  readonly intro: string
  /** ms since epoch */
  readonly beganAt: number
  readonly deeds: readonly Deed[]
  readonly messages: readonly MessageRecord[]
  /** Where messages were written, by channel id. */
  readonly places: ReadonlyMap<string, string>
  /** Of people, by their id. */
  readonly names: ReadonlyMap<string, string>
}

type Revision = MessageRecord['revisions'][number]

interface Seen {
  readonly at: number
  readonly lines: readonly string[]
}

/** A scene as markdown: everything in the order it was seen, with the seconds since the scene began. */
export function renderScene(scene: Scene): string {
  const seen = [...scene.deeds.map(({ at, text }) => ({ at, lines: [`_${text}_`] })), ...scene.messages.flatMap(seenOf)]
  const lines = seen
    .filter(({ at }) => at >= scene.beganAt)
    .sort((a, b) => a.at - b.at)
    .flatMap(({ at, lines }) => ['', `\`${seconds(at - scene.beganAt)}\` ${lines[0]}`, ...lines.slice(1)])
  return [`## ${scene.title}`, '', scene.intro, ...lines, ''].join('\n')

  function seenOf(message: MessageRecord): Seen[] {
    const place = scene.places.get(message.channelId) ?? ''
    const shown = milestones(message.revisions).map(({ revision, skipped }, index) => ({
      at: revision.at,
      lines: [headOf(message, place, index, skipped), '', ...bodyOf(message, revision, scene.names)],
    }))
    if (message.deletedAt === null) return shown
    const first = message.revisions[0]?.content.split('\n')[0] ?? ''
    return [...shown, { at: message.deletedAt, lines: [`_Parley deletes its message “${first}” (${place})_`] }]
  }
}

interface Milestone {
  readonly revision: Revision
  /** Revisions before it that only were the same text, not yet as long. */
  readonly skipped: number
}

/** A text that only grows is shown as it began and as it ended. */
function milestones(revisions: readonly Revision[]): Milestone[] {
  const kept: Milestone[] = []
  let skipped = 0
  for (const [index, revision] of revisions.entries()) {
    const [before, after] = [revisions[index - 1], revisions[index + 1]]
    if (before && after && grows(before, revision) && grows(revision, after)) skipped++
    else {
      kept.push({ revision, skipped })
      skipped = 0
    }
  }
  return kept
}

const COMMON_START = 12
const LONGEST_LINE = 400

function grows(before: Revision, after: Revision): boolean {
  const start = before.content.slice(0, COMMON_START)
  return before.content !== '' && after.content.length >= before.content.length && after.content.startsWith(start)
}

function headOf(message: MessageRecord, place: string, index: number, skipped: number): string {
  const { authorName, authorIsBot, ephemeral } = message
  const where = `${place}${ephemeral ? ', seen by its user alone' : ''}`
  if (!authorIsBot) return `**${authorName}** (${where}):`
  if (index === 0) return `**Parley** (${where}):`
  const edits = skipped === 0 ? '' : ` after ${skipped} ${skipped === 1 ? 'step' : 'steps'} between`
  return `**Parley** changes its message (${where})${edits}:`
}

function bodyOf(message: MessageRecord, revision: Revision, names: ReadonlyMap<string, string>): string[] {
  const { content, components, attachments } = revision
  const isWaiting =
    content === '' && message.authorIsBot && revision === message.revisions[0] && attachments.length === 0
  const text = isWaiting ? ['_Parley is thinking…_'] : readable(content, names).split('\n').map(shortened)
  const files = attachments.map(({ filename }) => `📎 ${filename}`)
  return withEndsOfQuotes([...text, ...files, ...controlsOf(components)]).map((line) => `> ${line}`.trimEnd())
}

/** Markdown takes the line after a quote for a part of it, Discord does not. */
function withEndsOfQuotes(lines: readonly string[]): string[] {
  const isQuote = (line = '') => line.startsWith('>')
  return lines.flatMap((line, index) =>
    isQuote(lines[index - 1]) && !isQuote(line) && line !== '' ? ['', line] : [line],
  )
}

/** A line that goes on and on says nothing more here. */
function shortened(line: string): string {
  const characters = Array.from(line)
  if (characters.length <= LONGEST_LINE) return line
  return `${characters.slice(0, LONGEST_LINE).join('')}… _(${characters.length} characters)_`
}

/** Mentions and times as Discord's clients show them. */
function readable(content: string, names: ReadonlyMap<string, string>): string {
  return content
    .replaceAll(/<@!?(\d+)>/gu, (_, id: string) => `@${names.get(id) ?? id}`)
    .replaceAll(/<t:(\d+):R>/gu, (_, seconds: string) => fromNow(Number(seconds)))
    .replaceAll(/<t:(\d+):\w>/gu, '(a time)')
}

/** Such as “in 3 days”. */
function fromNow(instantSeconds: number): string {
  const seconds = instantSeconds - Date.now() / 1_000
  const [unit, size] = UNITS.find((candidate) => Math.abs(seconds) >= candidate[1]) ?? (['second', 1] as const)
  return new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(Math.round(seconds / size), unit)
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const

/** Buttons and menus as a reader would see them. */
function controlsOf(rows: readonly unknown[]): string[] {
  const found = JSON.stringify(rows)
  const labels = [...found.matchAll(/"(?:label|placeholder)":("(?:[^"\\]|\\.)*")/gu)].map(([, json]) =>
    String(JSON.parse(json ?? '""')),
  )
  return labels.length === 0 ? [] : ['', labels.map((label) => `\`[ ${label} ]\``).join(' ')]
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
