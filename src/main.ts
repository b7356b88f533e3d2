#!/usr/bin/env node
import './v8-flags.ts'
import { runCli } from './cli.ts'

process.exitCode = await runCli(process.argv)

// Everything has been closed by now. If something keeps the process alive all the same, it must not stay for ever.
setTimeout(() => {
  process.stderr.write('Parley has stopped, but something keeps the process alive; ending it.\n')
  process.exit()
}, 1_000).unref()
