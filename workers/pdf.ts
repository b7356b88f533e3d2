import { parentPort, workerData } from 'node:worker_threads'
import { readPdf } from '#assistant/pdf-text.ts'
import type { PdfResult, PdfThreadData } from '#protocol/pdf.ts'

// Checked by the type of the reader that starts this thread.
const threadData: PdfThreadData = workerData
const result: PdfResult = await readPdf(threadData)
parentPort?.postMessage(result)
