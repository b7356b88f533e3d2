import { DiscordAPIError, HTTPError } from 'discord.js'
import { describe, expect, it } from 'vitest'
import { readDeliveryProblem } from '#discord/delivery-problem.ts'
import { InteractionEnded } from '#discord/reply-target.ts'

function refused(status: number, code: number): DiscordAPIError {
  const body = { files: undefined, body: undefined }
  return new DiscordAPIError({ code, message: 'words of Discord' }, code, status, 'POST', 'https://discord.test', body)
}

function failed(status: number): HTTPError {
  return new HTTPError(status, 'words of HTTP', 'POST', 'https://discord.test', { files: undefined, body: undefined })
}

describe('what to do about a message that Discord did not take', () => {
  it.each([
    ['it was deleted', refused(404, 10_008)],
    ['its thread is archived', refused(400, 50_083)],
    ['its interaction has ended', new InteractionEnded()],
  ])('sends a new one when %s', (_, error) => {
    expect(readDeliveryProblem(error)).toEqual({ type: 'messageGone' })
  })

  it.each([
    ['the user takes no messages', refused(403, 50_007)],
    ['the channel is gone', refused(404, 10_003)],
    ['the bot may not write there', refused(403, 50_001)],
  ])('gives up for good when %s, and says what Discord said', (_, error) => {
    const reason = `${error.code}: words of Discord`
    expect(readDeliveryProblem(error)).toEqual({ type: 'impossible', reason })
  })

  it.each([
    ['the form is wrong', refused(400, 50_035)],
    ['a filter refuses a link', refused(400, 240_000)],
    ['a file is too large', refused(413, 40_005)],
    ['an interaction has had all its follow-ups', refused(403, 40_094)],
  ])('gives up this message when %s, and says what Discord said', (_, error) => {
    expect(readDeliveryProblem(error)).toEqual({ type: 'unfit', reason: `${error.code}: words of Discord` })
  })

  it.each([
    ['the token was refused', refused(401, 0), '0: words of Discord'],
    ['the token was refused with a code', refused(401, 50_014), '50014: words of Discord'],
    ['Discord forbids without a reason', refused(403, 0), '0: words of Discord'],
    ['a proxy forbids', failed(403), 'words of HTTP'],
    ['a proxy finds nothing', failed(404), 'words of HTTP'],
  ])('gives up for now when %s', (_, error, reason) => {
    expect(readDeliveryProblem(error)).toEqual({ type: 'blocked', reason })
  })

  it.each([
    ['Discord is too busy', refused(429, 0)],
    ['Discord refuses with an error of its own', refused(503, 130_000)],
    ['Discord fails', failed(500)],
    ['a proxy gets no answer', failed(502)],
    ['Discord waited too long', failed(408)],
    ['the connection broke', new Error('other side closed')],
    ['the call timed out', new DOMException('This operation was aborted', 'AbortError')],
  ])('tries again when %s', (_, error) => {
    expect(readDeliveryProblem(error)).toMatchObject({ type: 'passing', reason: expect.stringMatching(/./) })
  })

  it('tries again after something that is no error at all', () => {
    expect(readDeliveryProblem('broken')).toEqual({ type: 'passing', reason: 'broken' })
  })
})
