import { expect, it } from 'vitest'
import { readRetryAfterMs } from '#assistant/retry-after.ts'

const NOW = Date.UTC(2030, 0, 1)

it.each([
  [{}, undefined],
  [{ 'retry-after': '20' }, 20_000],
  [{ 'retry-after': '0.5' }, 500],
  [{ 'retry-after-ms': '150', 'retry-after': '20' }, 150],
  [{ 'retry-after': 'Tue, 01 Jan 2030 00:00:30 GMT' }, 30_000],
  [{ 'retry-after': 'Mon, 31 Dec 2029 00:00:00 GMT' }, 0],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': '' }, undefined],
] as [Record<string, string>, number | undefined][])('the headers %j say to wait %s ms', (headers, expected) => {
  expect(readRetryAfterMs(new Headers(headers), NOW)).toBe(expected)
})
