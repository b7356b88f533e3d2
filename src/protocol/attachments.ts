import type { AttachedFile } from '#domain/attachments.ts'

/** What is stored of a file besides its content. */
export interface StoredFile {
  /** Its place among the files of its request. */
  readonly position: number
  readonly name: string
  readonly kind: AttachedFile['kind']
  /** null for what is not used */
  readonly mediaType: string | null
  /** Why it is not used; null when it is. */
  readonly reason: string | null
  /** null for what is not used */
  readonly sizeBytes: number | null
}

/** What an assistant asks about the files of its request. */
export interface AttachmentsApi {
  /** What is known of a request's files, in order. */
  filesOf(requestId: string): Promise<StoredFile[]>
  /** The content of one of them, each by a call of its own, as they can be large; undefined when there is none. */
  fileBytes(requestId: string, position: number): Promise<Uint8Array | undefined>
}
