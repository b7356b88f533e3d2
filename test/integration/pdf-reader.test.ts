import { describe, expect, it } from 'vitest'
import { systemClock } from '#actors/clock.ts'
import { PdfReader } from '#assistant/pdf-reader.ts'
import { turnOfTheEventLoop } from '#support/event-loop.ts'
import { pdfOf } from '#support/pdf.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'

const HUNGRY = new URL('../support/hungry-pdf-thread.ts', import.meta.url)
const HOARDING = new URL('../support/hoarding-pdf-thread.ts', import.meta.url)
const ENDLESS = new URL('../support/stubborn-pdf-thread.ts', import.meta.url)
const never = new AbortController().signal

function read(bytes: Uint8Array, maxChars = 10_000) {
  return new PdfReader({ clock: systemClock, timeoutMs: 60_000 }).read({ bytes, maxChars }, never)
}

describe('reading a PDF', () => {
  it('gives its text, line by line and page by page', async () => {
    const bytes = pdfOf(['The plan', 'has two lines.'], ['And a second page.'])
    const text = 'The plan\nhas two lines.\n\nAnd a second page.'
    expect(await read(bytes)).toEqual({ type: 'text', text, pages: 2 })
  })

  it('works on memory that is shared with other threads, and leaves it as it is', async () => {
    const pdf = pdfOf(['Shared'])
    const shared = new Uint8Array(new SharedArrayBuffer(pdf.length))
    shared.set(pdf)
    expect(await read(shared)).toMatchObject({ text: 'Shared' })
    expect(Buffer.from(shared)).toEqual(pdf)
  })

  it('goes no further than what is needed of it', async () => {
    const pages = Array.from({ length: 50 }, (_, index) => [`page ${index}`])
    expect(await read(pdfOf(...pages), 20)).toEqual({
      type: 'text',
      text: 'page 0\n\npage 1\n\npage 2\n\npage 3',
      pages: 50,
    })
  })

  it.each([
    ['one without text', pdfOf([]), 'a PDF without text in it, such as a scan'],
    ['one that only begins as one', Buffer.from('%PDF-1.7\nnothing'), 'a PDF that cannot be read'],
    ['an empty file', Buffer.alloc(0), 'a PDF that cannot be read'],
  ])('says what is the matter with %s', async (_, bytes, reason) => {
    expect(await read(bytes)).toEqual({ type: 'unreadable', reason })
  })

  it.each([
    ['memory', HUNGRY],
    ['memory outside of the heap', HOARDING],
  ])('ends one that takes too much %s, and with it nothing but its thread', async (_, entry) => {
    const reader = new PdfReader({ clock: systemClock, timeoutMs: 30_000, entry })
    const result = await reader.read({ bytes: pdfOf(['x']), maxChars: 1 }, never)
    expect(result).toEqual({ type: 'unreadable', reason: 'a PDF that takes too much memory to read' })
  })

  it('ends one that takes too long, and goes on with the next', async () => {
    const clock = new SimulatedClock()
    const reader = new PdfReader({ clock, timeoutMs: 1000, entry: ENDLESS })
    const first = reader.read({ bytes: pdfOf(['x']), maxChars: 1 }, never)
    const second = reader.read({ bytes: pdfOf(['x']), maxChars: 1 }, never)
    const untilReading = async () => {
      while (clock.pending === 0) await turnOfTheEventLoop()
    }
    await untilReading()
    await clock.advance(1000)
    expect(await first).toEqual({ type: 'unreadable', reason: 'a PDF that takes too long to read' })
    await untilReading()
    await clock.advance(1000)
    expect(await second).toMatchObject({ type: 'unreadable' })
  })

  it('ends with the question it is read for', async () => {
    const aborter = new AbortController()
    const reader = new PdfReader({ clock: systemClock, timeoutMs: 60_000, entry: ENDLESS })
    const reading = reader.read({ bytes: pdfOf(['x']), maxChars: 1 }, aborter.signal)
    const waiting = reader.read({ bytes: pdfOf(['x']), maxChars: 1 }, aborter.signal)
    aborter.abort()
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' })
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  })
})
