/**
 * Shows the system calls of one accept: from the message that comes in to the placeholder that goes out. Needs strace.
 * `npm run trace:accept`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { startDiscordServer } from '#support/discord/start-discord-server.ts'
import { startOpenAiServer } from '#support/openai/start-openai-server.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const SHOWN = /MESSAGE_CREATE|parley\.db|POST \/api/
const LONGEST_LINE = 118

const folder = mkdtempSync(join(tmpdir(), 'parley-trace-'))
const [discord, model] = await Promise.all([startDiscordServer({ limits: 'off' }), startOpenAiServer({ apiKey: null })])
const userId = await discord.addUser({ username: 'ada' })
const channelId = await discord.openDm(userId)
const output = join(folder, 'trace')
const calls = 'trace=pwrite64,fsync,fdatasync,writev,read'
const parley = spawn('strace', ['-f', '-y', '-s', '40', '-e', calls, '-o', output, process.execPath, MAIN], {
  cwd: folder,
  stdio: ['ignore', 'ignore', 'pipe'],
  env: {
    ...process.env,
    DISCORD_TOKEN: discord.token,
    DISCORD_API_URL: discord.apiUrl,
    OPENAI_BASE_URL: model.baseUrl,
    OPENAI_MODEL: 'test-model',
  },
})
try {
  await new Promise<void>((resolve) => {
    createInterface({ input: parley.stderr }).on('line', (line) => line.includes('Parley is ready') && resolve())
  })
  await discord.sendDm(userId, 'a question')
  await discord.waitFor({ type: 'message', channelId, authorIsBot: true }, 60_000)
} finally {
  // Without what it follows strace ends too, and has then written everything.
  const children = readFileSync(`/proc/${parley.pid}/task/${parley.pid}/children`, 'utf8')
  for (const pid of children.split(' ').filter((child) => child !== '')) process.kill(Number(pid), 'SIGKILL')
  await once(parley, 'close')
  await Promise.all([discord.close(), model.close()])
}
const lines = readFileSync(output, 'utf8').split('\n')
rmSync(folder, { recursive: true, force: true })

const from = lines.findIndex((line) => line.includes('read(') && line.includes('MESSAGE_CREATE\\"'))
const to = lines.findIndex((line, index) => index > from && line.includes('POST /api'))
for (const line of lines.slice(from, to + 1)) {
  if (SHOWN.test(line)) process.stdout.write(`${line.replaceAll(folder, '…').slice(0, LONGEST_LINE)}\n`)
}
