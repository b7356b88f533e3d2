import type { IncomingMessage } from 'node:http'
import { refusal } from './api-error.ts'
import type { Attachment } from './entities.ts'
import type { ApiRequest } from './route.ts'

const MAX_BODY_BYTES = 26_214_400

/** Reads a call from the socket. Throws a refusal when its body is too large or no JSON. */
export async function readRequest(request: IncomingMessage, newId: () => string): Promise<ApiRequest> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  const raw = await readBody(request)
  const contentType = request.headers['content-type'] ?? ''
  const read = contentType.startsWith('multipart/form-data')
    ? await readForm(raw, contentType, newId)
    : { body: parseJson(raw.toString()), attachments: [] }
  return {
    method: request.method ?? 'GET',
    path: pathname.replace(/^\/api\/v(?:9|10)(?=\/)/, ''),
    query: searchParams,
    authorization: request.headers.authorization,
    ...read,
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw refusal('tooLarge')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parseJson(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw refusal('invalidJson')
  }
}

async function readForm(
  raw: Buffer,
  contentType: string,
  newId: () => string,
): Promise<{ readonly body: unknown; readonly attachments: readonly Attachment[] }> {
  const form = await new Response(new Uint8Array(raw), { headers: { 'content-type': contentType } }).formData()
  const attachments: Attachment[] = []
  for (const value of form.values()) {
    if (typeof value === 'string') continue
    const text = await value.text()
    attachments.push({
      id: newId(),
      filename: value.name,
      sizeBytes: value.size,
      contentType: value.type || null,
      text,
    })
  }
  const payload = form.get('payload_json')
  return { body: parseJson(typeof payload === 'string' ? payload : ''), attachments }
}
