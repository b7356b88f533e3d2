import { isUtf8 } from 'node:buffer'
import type { FileKind } from './attachments.ts'

/** What a file is, told by its content: its name and what its sender says about it are worth nothing. */
export interface FileType {
  readonly kind: FileKind
  readonly mediaType: string
}

/** How files begin, in hex; dots stand for any byte. */
const BEGINNINGS: readonly (FileType & { readonly hex: RegExp })[] = [
  { kind: 'image', mediaType: 'image/png', hex: /^89504e470d0a1a0a/ },
  { kind: 'image', mediaType: 'image/jpeg', hex: /^ffd8ff/ },
  { kind: 'image', mediaType: 'image/gif', hex: /^47494638(37|39)61/ },
  { kind: 'image', mediaType: 'image/webp', hex: /^52494646.{8}57454250/ },
  { kind: 'pdf', mediaType: 'application/pdf', hex: /^255044462d/ },
]

const LONGEST_BEGINNING = 12

/** Undefined for what a model can be given nothing of. */
export function fileTypeOf(bytes: Uint8Array): FileType | undefined {
  const beginning = Buffer.from(bytes.subarray(0, LONGEST_BEGINNING)).toString('hex')
  const known = BEGINNINGS.find(({ hex }) => hex.test(beginning))
  if (known) return { kind: known.kind, mediaType: known.mediaType }
  return isUtf8(bytes) && !bytes.includes(0) ? { kind: 'text', mediaType: 'text/plain' } : undefined
}
