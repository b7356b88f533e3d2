import { expect, it } from 'vitest'
import { ordinal } from '#discord/ordinal.ts'

it('writes places as English does', () => {
  const places = [1, 2, 3, 4, 10, 11, 12, 13, 14, 20, 21, 22, 23, 24, 101, 102, 111, 112, 113, 121, 1_011, 1_021]
  expect(places.map(ordinal).join(' ')).toBe(
    '1st 2nd 3rd 4th 10th 11th 12th 13th 14th 20th 21st 22nd 23rd 24th 101st 102nd 111th 112th 113th 121st 1011th 1021st',
  )
})
