import type { RawFile } from 'discord.js'
import { z } from 'zod'
import { MESSAGE_LIMIT, smallPrint } from '#domain/notices.ts'
import type { ReplyFile } from '#domain/reply-file.ts'
import type { CardMessage } from './card-buttons.ts'

/** What a call that makes a message is made with. */
export function creationOf({ files = [], ...message }: CardMessage) {
  return { body: message, files: files.map(rawFile) }
}

/** What a call that changes a message is made with: its files take the place of those that are there, so it can be made again. */
export function changeOf({ files = [], ...message }: CardMessage) {
  const attachments = files.map(({ name: filename }, id) => ({ id, filename }))
  return { body: { ...message, attachments }, files: files.map(rawFile) }
}

/** What a message is where files may not be sent: the note is left out only when it is too long. */
export function withoutFiles({ files: _files, content, ...message }: CardMessage): CardMessage {
  const noted = `${content}\n${smallPrint('Files may not be sent here; /history has all of the answer.')}`
  return { ...message, content: noted.length <= MESSAGE_LIMIT ? noted : content }
}

function rawFile({ name, text }: ReplyFile): RawFile {
  return { name, data: Buffer.from(text), contentType: 'text/markdown; charset=utf-8' }
}

/** The names and sizes of some files in one text, to compare: two messages with the same carry the same files. */
export function filesIn(files: readonly ReplyFile[] = []): string {
  return signature(files.map(({ name, text }) => ({ filename: name, size: Buffer.byteLength(text) })))
}

const foundFiles = z.array(z.object({ filename: z.string(), size: z.number() }))

/** Like `filesIn`, of a message as Discord tells it. */
export function readFiles(attachments: unknown): string {
  return signature(foundFiles.safeParse(attachments).data ?? [])
}

function signature(files: readonly { readonly filename: string; readonly size: number }[]): string {
  return files
    .map(({ filename, size }) => `${filename}:${size}`)
    .sort()
    .join(' ')
}
