import { z } from 'zod'
import { readOfferedFiles } from '#discord/offered-file.ts'
import type { TargetMessage } from './command.ts'

/** From channels that discord.js does not know it hands a message on as Discord sent it. */
const target = z.object({
  content: z.string(),
  attachments: z.unknown().optional(),
  author: z.object({
    username: z.string(),
    displayName: z.string().optional(),
    global_name: z.string().nullish(),
  }),
})

/** The message a command was used on; undefined when it is none. */
export function readTarget(message: unknown): TargetMessage | undefined {
  const { data } = target.safeParse(message)
  if (!data) return undefined
  const { username, displayName, global_name } = data.author
  const files = readOfferedFiles(data.attachments)
  const read = { author: displayName ?? global_name ?? username, text: data.content }
  return files.length === 0 ? read : { ...read, files }
}
