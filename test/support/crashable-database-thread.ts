import '../../workers/database.ts'

/** The database thread as it is, and one message more: `crash` makes it die of an uncaught error. */
process.on('workerMessage', (message: unknown) => {
  if (message === 'crash') {
    setImmediate(() => {
      throw new Error('crashed by the test')
    })
  }
})
