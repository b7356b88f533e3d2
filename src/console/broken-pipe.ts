/** Tells whether writing failed because the reader has seen enough, as `head` has: no mistake of anybody. */
export function isBrokenPipe(error: Error): boolean {
  return 'code' in error && error.code === 'EPIPE'
}
