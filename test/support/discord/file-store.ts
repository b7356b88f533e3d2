import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Attachment } from './entities.ts'

/**
 * How the download of a file goes wrong: `hang` sends half of it and no more, `cut` half of it and the end of the
 * connection, `endless` more and more, `redirect` sends elsewhere, `missing` is what a link says that has ended,
 * `wrongLength` announces more than comes.
 */
export type FileFault = 'hang' | 'cut' | 'endless' | 'redirect' | 'missing' | 'wrongLength'

/** A file that somebody attaches. */
export interface SentFile {
  readonly filename: string
  readonly content: string | Uint8Array
  readonly contentType?: string
  /** What Discord says it has; its real size. */
  readonly sizeBytes?: number
  readonly fault?: FileFault
}

const PATH = /^\/attachments\/\d+\/(\d+)\/[^/?]+/

/** Keeps what people attach and serves it, as Discord's CDN does. */
export class FileStore {
  readonly #files = new Map<string, { readonly bytes: Buffer; readonly fault: FileFault | undefined }>()
  /** The paths that were asked for. */
  readonly downloads: string[] = []
  readonly #waiting = new Set<() => void>()

  add(file: SentFile, id: string): Attachment {
    const bytes = Buffer.from(file.content)
    this.#files.set(id, { bytes, fault: file.fault })
    return {
      id,
      filename: file.filename,
      sizeBytes: file.sizeBytes ?? bytes.length,
      contentType: file.contentType ?? null,
      text: bytes.toString(),
    }
  }

  /** Resolves once so many were asked for. */
  untilDownloads(count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (this.downloads.length < count) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** Answers a request for a file; false when it is for something else. */
  serve(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    const path = incoming.url ?? '/'
    const id = PATH.exec(path)?.[1]
    if (id === undefined) return false
    this.downloads.push(path)
    for (const look of this.#waiting) look()
    const file = this.#files.get(id)
    if (!file || file.fault === 'missing') outgoing.writeHead(404).end('This content is no longer available.')
    else send(outgoing, file.bytes, file.fault)
    return true
  }
}

function send(outgoing: ServerResponse, bytes: Buffer, fault: Exclude<FileFault, 'missing'> | undefined): void {
  const half = bytes.subarray(0, bytes.length / 2)
  switch (fault) {
    case undefined:
      return void outgoing.writeHead(200, { 'content-length': bytes.length }).end(bytes)
    case 'hang':
      return void outgoing.writeHead(200, { 'content-length': bytes.length }).write(half)
    case 'cut':
      outgoing.writeHead(200, { 'content-length': bytes.length })
      return void outgoing.write(half, () => outgoing.socket?.destroy())
    case 'wrongLength':
      outgoing.writeHead(200, { 'content-length': bytes.length + 1 })
      return void outgoing.write(bytes, () => outgoing.socket?.end())
    case 'redirect':
      return void outgoing.writeHead(302, { location: '/attachments/1/1/elsewhere' }).end()
    case 'endless':
      outgoing.writeHead(200)
      return sendEndlessly(outgoing)
    default:
      fault satisfies never
  }
}

/** As fast as the reader takes it. */
function sendEndlessly(outgoing: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const next = () => {
    if (!outgoing.destroyed) outgoing.write(chunk, next)
  }
  next()
}
