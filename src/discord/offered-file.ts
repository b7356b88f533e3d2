import { z } from 'zod'

/** A file that Discord keeps and that can be fetched there, for a while. */
export interface OfferedFile {
  readonly name: string
  readonly sizeBytes: number
  readonly url: string
}

const attachments = z.array(z.object({ filename: z.string(), size: z.number(), url: z.string() }))

/** As discord.js hands them on. */
const collected = z.array(z.object({ name: z.string(), size: z.number(), url: z.string() }))

/** Reads the attachments of a message; none when they are not what Discord says they are. */
export function readOfferedFiles(value: unknown): OfferedFile[] {
  if (value instanceof Map) {
    return (collected.safeParse([...value.values()]).data ?? []).map(({ size, ...file }) => ({
      ...file,
      sizeBytes: size,
    }))
  }
  return (attachments.safeParse(value).data ?? []).map(({ filename: name, size: sizeBytes, url }) => ({
    name,
    sizeBytes,
    url,
  }))
}
