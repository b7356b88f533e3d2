import { openDatabase } from '#database/open-database.ts'

/** A process that holds a database open until it is killed; says `open` on standard output. */
const database = openDatabase(process.argv[2] ?? '')
database.connection.exec('BEGIN IMMEDIATE; COMMIT')
process.stdout.write('open')
setInterval(() => undefined, 60_000)
