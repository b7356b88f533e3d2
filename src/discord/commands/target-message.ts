import { z } from 'zod'
import type { TargetMessage } from './command.ts'

/** From channels that discord.js does not know it hands a message on as Discord sent it. */
const target = z.object({
  content: z.string(),
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
  return { author: displayName ?? global_name ?? username, text: data.content }
}
