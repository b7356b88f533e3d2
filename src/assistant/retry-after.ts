/** When a server wants to be asked again, in ms from now; undefined when its headers do not say so. */
export function readRetryAfterMs(headers: Pick<Headers, 'get'>, now: number): number | undefined {
  const ms = readNumber(headers.get('retry-after-ms'))
  if (ms !== undefined) return ms
  const after = headers.get('retry-after')
  const seconds = readNumber(after)
  if (seconds !== undefined) return seconds * 1000
  const at = after === null ? Number.NaN : Date.parse(after)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

function readNumber(text: string | null): number | undefined {
  if (text === null || text.trim() === '') return undefined
  const number = Number(text)
  return Number.isFinite(number) && number >= 0 ? number : undefined
}
