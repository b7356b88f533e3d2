import { getResolvedPDFJS } from 'unpdf'
import type { PdfResult, PdfThreadData } from '#protocol/pdf.ts'

const MOST_PAGES = 500

const PROTECTED = 'protected by a password'
const BROKEN = 'a PDF that cannot be read'
const WITHOUT_TEXT = 'a PDF without text in it, such as a scan'

/** Reads the text of a PDF, page by page, as far as it is needed. Not bounded in time: whoever calls it is. */
export async function readPdf({ bytes, maxChars }: PdfThreadData): Promise<PdfResult> {
  const { getDocument, VerbosityLevel } = await getResolvedPDFJS()
  const loading = getDocument({
    // It takes the memory for itself.
    data: Uint8Array.from(bytes),
    verbosity: VerbosityLevel.ERRORS,
    // Text needs neither, and nothing is to be looked for on the disk or in the network.
    disableFontFace: true,
    useSystemFonts: false,
  })
  try {
    const pdf = await loading.promise
    const pages: string[] = []
    for (let length = 0; pages.length < Math.min(pdf.numPages, MOST_PAGES) && length < maxChars; ) {
      const page = await pdf.getPage(pages.length + 1)
      const text = textOf((await page.getTextContent()).items)
      page.cleanup()
      pages.push(text)
      length += text.length
    }
    const text = pages.join('\n\n').trim()
    return text === '' ? { type: 'unreadable', reason: WITHOUT_TEXT } : { type: 'text', text, pages: pdf.numPages }
  } catch (error) {
    const isProtected = error instanceof Error && error.name === 'PasswordException'
    return { type: 'unreadable', reason: isProtected ? PROTECTED : BROKEN }
  } finally {
    await loading.destroy()
  }
}

interface TextItem {
  readonly str: string
  readonly hasEOL: boolean
}

function textOf(items: readonly object[]): string {
  const texts = items.filter((item): item is TextItem => 'str' in item)
  return texts.map(({ str, hasEOL }) => (hasEOL ? `${str}\n` : str)).join('')
}
