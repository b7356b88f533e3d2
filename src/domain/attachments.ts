import type { ConversationRequest } from './request.ts'

/** What a model can be given of a file: a picture to look at, or a text to read. */
export type FileKind = 'image' | 'text' | 'pdf'

/** A file that came with a message and can be used. */
export interface UsableFile {
  readonly kind: FileKind
  readonly name: string
  /** Told by the content, such as `image/png`. */
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** A file that cannot be used, and why, in words that stand after its name: `larger than 8 MiB`. */
export interface UnusedFile {
  readonly kind: 'unused'
  readonly name: string
  readonly reason: string
}

export type AttachedFile = UsableFile | UnusedFile

/** The files of a new request: fetched, or those of an earlier request once more. */
export type RequestFiles = { readonly names: readonly string[] } & (
  | { readonly type: 'fetched'; readonly files: readonly AttachedFile[] }
  | { readonly type: 'copied'; readonly fromRequestId: string }
)

const LONGEST_NAME = 60

/** A file's name as people, models and the log may see it: no markup, no line breaks, bounded. */
export function plainName(name: string): string {
  const plain = name.replaceAll(/[^\p{L}\p{N}\p{M} ._()+-]/gu, '_').trim() || 'file'
  const characters = Array.from(plain)
  if (characters.length <= LONGEST_NAME) return plain
  const ending = /\.[\p{L}\p{N}]{1,8}$/u.exec(plain)?.[0] ?? ''
  return `${characters.slice(0, LONGEST_NAME - ending.length - 1).join('')}…${ending}`
}

/** The files of a request that are known when it is accepted. */
export function fetchedFiles(files: readonly AttachedFile[]): RequestFiles {
  return { type: 'fetched', names: files.map(({ name }) => name), files }
}

export function isUsable(file: AttachedFile): file is UsableFile {
  return file.kind !== 'unused'
}

/** What the bytes of files take in memory. */
export function bytesOf(files: RequestFiles | undefined): number {
  if (files?.type !== 'fetched') return 0
  return files.files.reduce((sum, file) => sum + (isUsable(file) ? file.bytes.byteLength : 0), 0)
}

/** A request's message as it stays in the history: of its files only the names. */
export function rememberedMessage({ message, fileNames = [] }: ConversationRequest): string {
  return withFileNote(message, fileNames)
}

/** A message with a line that says which files came with it. */
export function withFileNote(message: string, names: readonly string[], what = 'attached'): string {
  if (names.length === 0) return message
  const note = `[${what}: ${names.join(', ')}]`
  return message === '' ? note : `${message}\n${note}`
}

const MOST_NAMED = 4

/**
 * What people are told of files that were not used, or not all of it: a sentence for each reason.
 *
 * @param shortened the names of those of which only the beginning was used.
 */
export function fileNotes(
  unused: readonly Pick<UnusedFile, 'name' | 'reason'>[],
  shortened: readonly string[] = [],
): string[] {
  const byReason = Map.groupBy(unused, ({ reason }) => reason)
  const notes = [...byReason].map(([reason, of]) => `Not used: ${listed(of.map(({ name }) => name))} (${reason}).`)
  return shortened.length === 0 ? notes : [...notes, `Only the beginning was used: ${listed(shortened)}.`]
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMED
  return more > 0 ? `${names.slice(0, MOST_NAMED).join(', ')} and ${more} more` : names.join(', ')
}
