import type { Clock } from '#actors/clock.ts'
import { type AttachedFile, plainName } from '#domain/attachments.ts'
import { fileTypeOf } from '#domain/file-kind.ts'
import { NOT_SEEN } from '#domain/vision.ts'
import type { OfferedFile } from './offered-file.ts'

export interface FetchLimits {
  readonly maxSizeMiB: number
  /** For one file. */
  readonly timeoutMs: number
  /** The origins it fetches from: a link can be forged, and Parley may reach what its sender cannot. */
  readonly hosts: readonly string[]
  /** Whether there is a model that looks at pictures. */
  readonly seesImages: boolean
}

const NOT_DOWNLOADED = 'could not be downloaded'
const WRONG_TYPE = 'neither a picture nor a text nor a PDF'

const MEBIBYTE = 1024 * 1024

/** Fetches files from where Discord keeps them, bounded in size and time. */
export class FileFetcher {
  readonly #limits: FetchLimits
  readonly #clock: Clock
  readonly #aborter = new AbortController()

  constructor(limits: FetchLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Never rejects: what cannot be fetched or used says so. */
  async fetch({ name: given, sizeBytes, url }: OfferedFile): Promise<AttachedFile> {
    const name = plainName(given)
    const unused = (reason: string) => ({ kind: 'unused', name, reason }) as const
    if (sizeBytes > this.#maxBytes) return unused(this.#tooLarge)
    const bytes = this.#mayFetch(url) ? await this.#download(url).catch(() => undefined) : undefined
    if (bytes === undefined) return unused(NOT_DOWNLOADED)
    if (bytes === 'tooLarge') return unused(this.#tooLarge)
    const type = fileTypeOf(bytes)
    if (!type) return unused(WRONG_TYPE)
    if (type.kind === 'image' && !this.#limits.seesImages) return unused(NOT_SEEN)
    return { ...type, name, bytes }
  }

  /** Ends what is under way; nothing is fetched any more. */
  close(): void {
    this.#aborter.abort()
  }

  get #maxBytes(): number {
    return this.#limits.maxSizeMiB * MEBIBYTE
  }

  get #tooLarge(): string {
    return `larger than ${this.#limits.maxSizeMiB} MiB`
  }

  #mayFetch(url: string): boolean {
    const parsed = URL.parse(url)
    return parsed !== null && this.#limits.hosts.includes(parsed.origin)
  }

  /** Rejects when it fails or takes too long. */
  async #download(url: string): Promise<Uint8Array | 'tooLarge'> {
    const deadline = new AbortController()
    const timer = this.#clock.setTimeout(() => deadline.abort(), this.#limits.timeoutMs)
    try {
      const signal = AbortSignal.any([deadline.signal, this.#aborter.signal])
      // A redirect could lead anywhere.
      // Node's own fetch: the undici package beside it would become what discord.js sends its files with, and fail.
      const response = await fetch(url, { signal, redirect: 'error' })
      return await this.#read(response)
    } finally {
      timer.cancel()
    }
  }

  /** What comes is counted while it comes, whatever was announced. */
  async #read({ status, body }: Response): Promise<Uint8Array | 'tooLarge'> {
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of body ?? []) {
      length += chunk.length
      if (status !== 200 || length > this.#maxBytes) break
      chunks.push(chunk)
    }
    if (status !== 200) throw new Error(`expected status 200, got ${status}`)
    return length > this.#maxBytes ? 'tooLarge' : shared(chunks, length)
  }
}

/** In memory that threads share: the database thread gets it without a copy, and it is still here should that fail. */
function shared(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(new SharedArrayBuffer(length))
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}
