import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ERROR_CODES } from '#domain/errors.ts'

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
const described = Array.from(page.matchAll(/^\| `([A-Z_]+)` +\|/gm), ([, code]) => code)

it('docs/errors.md describes every error code, once and in the order of the code, and no other', () => {
  expect(described).toEqual([...ERROR_CODES])
})
