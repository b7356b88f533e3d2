import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Test files run in child processes, so that worker threads under test behave as in production. */
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/{unit,actor,integration,e2e,chaos}/**/*.test.ts'],
    pool: 'forks',
    setupFiles: ['src/v8-flags.ts'],
    // Much of the time is waiting for processes and sockets.
    maxWorkers: 3,
    // Patience only, for the first start of whole processes on a busy machine; what is waited for inside has its own.
    testTimeout: 90_000,
    hookTimeout: 30_000,
  },
})
