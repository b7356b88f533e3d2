import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Makes an empty folder that is removed at the end of the running test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'parley-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** An empty folder for several tests; whoever made it removes it. */
export class SharedFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'parley-'))

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
