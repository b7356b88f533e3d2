import { DiscordAPIError, DiscordjsError, DiscordjsErrorCodes, GatewayCloseCodes } from 'discord.js'
import { errorMessage, ParleyError } from '#domain/errors.ts'

/**
 * Says why Discord did not let the bot in, or closed the connection for good, and what to do.
 *
 * @param error what was thrown, or the `code` the gateway closed the connection with.
 */
export function readLoginProblem(error: unknown): ParleyError {
  const code = codeOf(error)
  const options = { cause: error }
  if (isTokenRefused(error, code)) {
    const message =
      'Discord refused the bot token. Copy it anew from the Bot page of your application (discord.com/developers) into DISCORD_TOKEN.'
    return new ParleyError('DISCORD_LOGIN_REFUSED', message, options)
  }
  if (code === GatewayCloseCodes.DisallowedIntents || code === DiscordjsErrorCodes.DisallowedIntents) {
    const message =
      'Discord refused the intents Parley asks for (Guild Messages, Direct Messages). None of them is privileged; check that the application is not restricted.'
    return new ParleyError('DISCORD_INTENTS_REFUSED', message, options)
  }
  const message = `Discord could not be reached (${reasonOf(error, code)}). Check the network and discord.apiUrl, then start Parley again.`
  return new ParleyError('DISCORD_UNREACHABLE', message, options)
}

function isTokenRefused(error: unknown, code: unknown): boolean {
  if (error instanceof DiscordAPIError) return error.status === 401
  if (error instanceof DiscordjsError) return error.code === DiscordjsErrorCodes.TokenInvalid
  return code === GatewayCloseCodes.AuthenticationFailed
}

function reasonOf(error: unknown, code: unknown): string {
  if (error instanceof Error || typeof code !== 'number') return errorMessage(error)
  return `it closed the connection for good with code ${code} ${GatewayCloseCodes[code] ?? ''}`.trimEnd()
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}
