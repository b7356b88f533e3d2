/** Given to a thread that reads one PDF, as workerData. */
export interface PdfThreadData {
  readonly bytes: Uint8Array
  /** More of its text is not needed. */
  readonly maxChars: number
}

/** What the thread posts, once. */
export type PdfResult =
  | { readonly type: 'text'; readonly text: string; readonly pages: number }
  /** In words that stand after the name of the file. */
  | { readonly type: 'unreadable'; readonly reason: string }
