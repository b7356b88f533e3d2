import { constants, createDeflate } from 'node:zlib'

/** Compresses frames into one zlib stream, each flushed so that it can be read on its own. */
export class ZlibStream {
  readonly #deflate = createDeflate()
  readonly #send: (compressed: Buffer) => void
  #chunks: Buffer[] = []

  constructor(send: (compressed: Buffer) => void) {
    this.#send = send
    this.#deflate.on('data', (chunk: Buffer) => this.#chunks.push(chunk))
  }

  write(frame: string): void {
    this.#deflate.write(frame)
    // Flushes are done in the order they were asked for, so frames keep their order and their borders.
    this.#deflate.flush(constants.Z_SYNC_FLUSH, () => {
      this.#send(Buffer.concat(this.#chunks))
      this.#chunks = []
    })
  }

  close(): void {
    this.#deflate.close()
  }
}
