import { type REST, Routes } from 'discord.js'
import { z } from 'zod'
import { byAge } from './snowflake.ts'

/** The most messages Discord hands out at once. */
const PAGE_SIZE = 100

const messages = z.array(z.looseObject({ id: z.string() }))

/** A message as Discord's API tells it; only its id has been looked at. */
export type RawMessage = z.infer<typeof messages>[number]

/** Reads what a channel's messages after one of them are, oldest first and `limit` at most; pages are asked for one by one. */
export async function readMessagesAfter(
  rest: REST,
  channelId: string,
  after: string,
  limit: number,
  signal: AbortSignal,
): Promise<RawMessage[]> {
  const read: RawMessage[] = []
  for (let last = after; read.length < limit; ) {
    const size = Math.min(PAGE_SIZE, limit - read.length)
    const query = new URLSearchParams({ after: last, limit: String(size) })
    const page = messages.parse(await rest.get(Routes.channelMessages(channelId), { query, signal }))
    read.push(...page.sort((a, b) => byAge(a.id, b.id)))
    const newest = read.at(-1)
    if (page.length < size || newest === undefined) break
    last = newest.id
  }
  return read
}
