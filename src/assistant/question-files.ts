import { type UnusedFile, withFileNote } from '#domain/attachments.ts'
import { beginningOf, type PromptFiles, type PromptImage, type PromptText } from '#domain/prompt-files.ts'
import { NOT_SEEN } from '#domain/vision.ts'
import type { AttachmentsApi, StoredFile } from '#protocol/attachments.ts'
import type { PdfResult } from '#protocol/pdf.ts'
import type { PdfReader } from './pdf-reader.ts'

/** A file of a question as it is stored. */
export interface LoadedFile extends StoredFile {
  /** Left out for what is not used. */
  readonly bytes?: Uint8Array
}

/** What a model can be given of a question's files, and what it cannot. */
export interface QuestionFiles extends PromptFiles {
  readonly unused: readonly Pick<UnusedFile, 'name' | 'reason'>[]
  /** Of which only the beginning is given. */
  readonly shortened: readonly string[]
}

export const WITHOUT_FILES: QuestionFiles = { texts: [], images: [], unused: [], shortened: [] }

const NOT_LOADED = 'could not be read from the database'

/** Reads a request's files from the database, one by one. */
export async function loadFiles(database: AttachmentsApi, requestId: string): Promise<LoadedFile[]> {
  const loaded: LoadedFile[] = []
  for (const file of await database.filesOf(requestId)) {
    const bytes = file.kind === 'unused' ? undefined : await database.fileBytes(requestId, file.position)
    loaded.push(bytes === undefined ? file : { ...file, bytes })
  }
  return loaded
}

export interface ReadingOptions {
  /** Files that came with the question; those that were not loaded are told of. */
  readonly fileNames: readonly string[]
  /** Characters of text, of all files together. */
  readonly textChars: number
  readonly seesImages: boolean
  readonly pdfs: Pick<PdfReader, 'read'>
  readonly signal: AbortSignal
}

/** Makes of stored files what a prompt can hold. Rejects only when the signal ends it. */
export async function readFiles(files: readonly LoadedFile[], options: ReadingOptions): Promise<QuestionFiles> {
  const missing = files.length === 0 ? options.fileNames : []
  const reading = new FilesReading(options, [...missing].map(notLoaded))
  for (const file of files) await reading.take(file)
  return reading
}

/** A question's text as the model sees it: with the names of what came along, and of what it cannot be given. */
export function questionText(message: string, { texts, images, unused }: QuestionFiles): string {
  const given = [...texts, ...images].map(({ name }) => name)
  const named = withFileNote(message, given)
  return withFileNote(
    named,
    unused.map(({ name }) => name),
    'attached, but it cannot be read',
  )
}

class FilesReading implements QuestionFiles {
  readonly texts: PromptText[] = []
  readonly images: PromptImage[] = []
  readonly unused: Pick<UnusedFile, 'name' | 'reason'>[]
  readonly shortened: string[] = []
  readonly #options: ReadingOptions
  #charsLeft: number

  constructor(options: ReadingOptions, unused: Pick<UnusedFile, 'name' | 'reason'>[]) {
    this.#options = options
    this.#charsLeft = options.textChars
    this.unused = unused
  }

  async take(file: LoadedFile): Promise<void> {
    const { name, kind, mediaType, reason, bytes } = file
    if (bytes === undefined || mediaType === null) {
      this.unused.push({ name, reason: reason ?? NOT_LOADED })
    } else if (kind === 'image') {
      if (this.#options.seesImages) this.images.push({ name, mediaType, bytes })
      else this.unused.push({ name, reason: NOT_SEEN })
    } else if (kind === 'pdf') {
      this.#takeRead(name, await this.#readPdf(bytes))
    } else {
      this.#takeText(name, new TextDecoder().decode(bytes))
    }
  }

  /** One character more tells that there is more. */
  #readPdf(bytes: Uint8Array): Promise<PdfResult> {
    const { pdfs, signal } = this.#options
    return pdfs.read({ bytes, maxChars: this.#charsLeft + 1 }, signal)
  }

  #takeRead(name: string, result: PdfResult): void {
    if (result.type === 'text') this.#takeText(name, result.text)
    else this.unused.push({ name, reason: result.reason })
  }

  #takeText(name: string, whole: string): void {
    const text = beginningOf(whole, this.#charsLeft)
    if (text === '') {
      this.unused.push({ name, reason: whole === '' ? 'empty' : NO_ROOM })
      return
    }
    if (text.length < whole.length) this.shortened.push(name)
    this.#charsLeft -= text.length
    this.texts.push({ name, text })
  }
}

/** Why nothing of a file is in the prompt, in words that stand after its name. */
export const NO_ROOM = 'no room left for it'

function notLoaded(name: string): Pick<UnusedFile, 'name' | 'reason'> {
  return { name, reason: NOT_LOADED }
}
