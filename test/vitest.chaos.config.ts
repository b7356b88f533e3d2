import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** The long versions of the chaos tests. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: ['test/chaos/**/*.test.ts'], env: { PARLEY_CHAOS: 'long' } },
})
