import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** Bugs are planted one by one, each into a copy of the project, whose tests have to find it. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: ['test/mutants/**/*.test.ts'], testTimeout: 300_000 },
})
