import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { RawFile } from 'discord.js'
import type { Clock } from '#actors/clock.ts'
import { FIRST_ROW, type PersonalRecordsApi, type RowCursor } from '#protocol/personal-records.ts'
import type { SchedulesApi } from '#protocol/schedules.ts'
import type { ServerRecordsApi } from '#protocol/server-records.ts'
import { type PrivateCommand, type Reply, slashCommand } from './command.ts'

export interface ExportOptions {
  readonly records: Pick<
    PersonalRecordsApi,
    'exportRequests' | 'exportMessages' | 'directChannelsOf' | 'usageOf' | 'preferences' | 'undeliveredOf'
  > &
    Pick<ServerRecordsApi, 'exportSettingChanges'> &
    Pick<SchedulesApi, 'schedulesOf'>
  readonly clock: Pick<Clock, 'now'>
  /** Tests pass smaller ones. */
  readonly limits?: ExportLimits
}

interface ExportLimits {
  /** What Discord takes as one file. */
  readonly fileBytes: number
  /** What is gathered at most; packed it may still be small enough. */
  readonly textBytes: number
}

const MEBIBYTE = 1024 * 1024
const LIMITS: ExportLimits = { fileBytes: 8 * MEBIBYTE, textBytes: 64 * MEBIBYTE }
/** Few enough that neither thread is kept for long by one page. */
const PAGE_ROWS = 100

const packed = promisify(gzip)

/** `/export`: all that is stored of the user, as a file. */
export function exportCommand(options: ExportOptions): PrivateCommand {
  return {
    type: 'private',
    definition: slashCommand({ name: 'export', description: 'All that Parley stores about you, as a file.' }),
    reply: ({ conversation }) => exportOf(conversation.userId, options),
  }
}

async function exportOf(userId: string, { records, clock, limits = LIMITS }: ExportOptions): Promise<Reply> {
  const budget = { bytes: limits.textBytes }
  const listed: Record<string, string> = {}
  for (const [name, read] of Object.entries(listsOf(userId, records))) {
    const rows = await read(budget)
    if (!rows) return TOO_MUCH
    listed[name] = `[${rows.map((row) => `\n    ${row}`).join(',')}\n  ]`
  }
  const file = await fileOf(
    textOf({
      userId: JSON.stringify(userId),
      exportedAt: String(clock.now()),
      ...listed,
      directChannels: JSON.stringify(await records.directChannelsOf(userId)),
      tokensByDay: JSON.stringify(await records.usageOf(userId)),
      preferences: JSON.stringify(await records.preferences(userId)),
      schedules: JSON.stringify(await records.schedulesOf(userId)),
      undelivered: JSON.stringify(await records.undeliveredOf(userId)),
    }),
    limits,
  )
  if (!file) return TOO_MUCH
  return { content: 'This is all that is stored about you. The times are milliseconds since 1970.', files: [file] }
}

const TOO_MUCH: Reply = {
  content: 'That is more than fits into a file on Discord; please ask whoever runs this bot for it.',
}

type ReadRows = (budget: { bytes: number }) => Promise<string[] | undefined>

/** What there can be much of is read page by page. */
function listsOf(userId: string, records: ExportOptions['records']): Readonly<Record<string, ReadRows>> {
  return {
    requests: (budget) => rowsOf((after) => records.exportRequests(userId, after, PAGE_ROWS), budget),
    messages: (budget) => rowsOf((after) => records.exportMessages(userId, after, PAGE_ROWS), budget),
    serverSettingChanges: (budget) => rowsOf((after) => records.exportSettingChanges(userId, after, PAGE_ROWS), budget),
  }
}

/** All rows, each as JSON; undefined when that is too much. */
async function rowsOf<Row extends RowCursor>(
  read: (after: RowCursor) => Promise<Row[]>,
  budget: { bytes: number },
): Promise<string[] | undefined> {
  const rows: string[] = []
  let after: RowCursor = FIRST_ROW
  for (;;) {
    const page = await read(after)
    for (const { row: _, ...shown } of page) {
      const text = JSON.stringify(shown)
      budget.bytes -= Buffer.byteLength(text)
      rows.push(text)
    }
    if (budget.bytes < 0) return undefined
    const last = page.at(-1)
    if (!last || page.length < PAGE_ROWS) return rows
    after = { serverId: last.serverId, row: last.row }
  }
}

/** Each part is JSON already: to make it of all of them at once would hold up everybody else. */
function textOf(parts: Readonly<Record<string, string>>): string {
  const lines = Object.entries(parts).map(([name, json]) => `  ${JSON.stringify(name)}: ${json}`)
  return `{\n${lines.join(',\n')}\n}\n`
}

async function fileOf(text: string, { fileBytes }: ExportLimits): Promise<RawFile | undefined> {
  const plain = Buffer.from(text)
  if (plain.length <= fileBytes) return { name: 'parley.json', data: plain, contentType: 'application/json' }
  const small = await packed(plain)
  return small.length <= fileBytes
    ? { name: 'parley.json.gz', data: small, contentType: 'application/gzip' }
    : undefined
}
