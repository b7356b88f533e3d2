import { DiscordAPIError, DiscordjsError, DiscordjsErrorCodes } from 'discord.js'
import { describe, expect, it } from 'vitest'
import { readLoginProblem } from '#discord/login-problem.ts'

function refused(status: number): DiscordAPIError {
  const body = { files: undefined, body: undefined }
  return new DiscordAPIError({ code: 0, message: 'words' }, 0, status, 'GET', 'https://discord.test', body)
}

/** discord.js lets nobody make its errors in TypeScript; this one looks the same. */
function discordjsError(code: DiscordjsErrorCodes): DiscordjsError {
  return Object.create(DiscordjsError.prototype, { code: { value: code }, message: { value: 'words' } })
}

describe('why Discord did not let the bot in', () => {
  it.each([
    ['discord.js', discordjsError(DiscordjsErrorCodes.TokenInvalid)],
    ['a call', refused(401)],
    ['the gateway', { code: 4004 }],
  ])('says where to get a token when %s refused it', (_, error) => {
    const problem = readLoginProblem(error)
    expect(problem).toMatchObject({ code: 'DISCORD_LOGIN_REFUSED', cause: error })
    expect(problem.message).toMatch(/Bot page.*DISCORD_TOKEN/)
  })

  it.each([
    ['the gateway', { code: 4014 }],
    ['discord.js', discordjsError(DiscordjsErrorCodes.DisallowedIntents)],
  ])('names the intents when %s refused them', (_, error) => {
    const problem = readLoginProblem(error)
    expect(problem).toMatchObject({ code: 'DISCORD_INTENTS_REFUSED', cause: error })
    expect(problem.message).toMatch(/Guild Messages, Direct Messages.*check/)
  })

  it.each([
    ['a broken network', new Error('getaddrinfo ENOTFOUND discord.com'), 'getaddrinfo ENOTFOUND discord.com'],
    ['a call that failed', refused(500), 'words'],
    [
      'another end of the connection',
      { code: 4011 },
      'it closed the connection for good with code 4011 ShardingRequired',
    ],
    ['an end nobody knows', { code: 4999 }, 'it closed the connection for good with code 4999'],
    ['something else', 'broken', 'broken'],
  ])('says what to check after %s', (_, error, reason) => {
    const problem = readLoginProblem(error)
    expect(problem).toMatchObject({ code: 'DISCORD_UNREACHABLE', cause: error })
    expect(problem.message).toContain(`(${reason})`)
    expect(problem.message).toContain('Check the network and discord.apiUrl')
  })
})
