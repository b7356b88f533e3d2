import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type DatabaseActor, type DatabaseActorOptions, startDatabase } from '#database/database-actor.ts'
import type { ConversationRequest } from '#domain/request.ts'
import type { PiscinaPool } from '#pool/piscina-pool.ts'
import { type AssistantPoolOptions, startAssistantPool } from './assistant-pool.ts'
import { textOf } from './openai/script.ts'
import { type OpenAiServerHandle, startOpenAiServer } from './openai/start-openai-server.ts'
import { RecordedRun } from './recorded-run.ts'
import { RecordingLog } from './recording-log.ts'
import { requestOf } from './stored-requests.ts'
import { SharedFolder } from './temporary-folder.ts'

export interface Prompted {
  readonly role: string
  readonly content: string
}

/** What a database file holds of one request. */
export interface StoredRequest {
  /** Undefined when the request is unknown. */
  readonly status: string | undefined
  readonly messages: readonly Prompted[]
}

export const NOTHING_STORED: StoredRequest = { status: undefined, messages: [] }

/** A model server, a database thread and pools of real assistant threads, for all tests of a file. */
export class AssistantWorld {
  readonly server: OpenAiServerHandle
  readonly database: DatabaseActor
  /** What the database's supervisor says. */
  readonly log: RecordingLog
  readonly #folder: SharedFolder
  readonly #pools: PiscinaPool[] = []
  #requests = 0

  private constructor(server: OpenAiServerHandle, database: DatabaseActor, log: RecordingLog, folder: SharedFolder) {
    this.server = server
    this.database = database
    this.log = log
    this.#folder = folder
  }

  static async start(options: Partial<DatabaseActorOptions> = {}): Promise<AssistantWorld> {
    const folder = new SharedFolder()
    const log = new RecordingLog()
    const server = await startOpenAiServer({ models: ['test-model', 'other-model'] })
    const database = await startDatabase({
      path: databaseIn(folder),
      logLevel: 'silent',
      logPretty: false,
      callTimeoutMs: 10_000,
      errorRecoveryDelayMs: 1,
      log,
      onGivenUp: (error) => {
        throw error
      },
      ...options,
    })
    return new AssistantWorld(server, database, log, folder)
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.stop()))
    await this.database.stop()
    await this.server.close()
    this.#folder.remove()
  }

  /** A pool that talks to the server and to the database unless told otherwise. */
  async openPool({ model, ...options }: Partial<AssistantPoolOptions> = {}): Promise<PiscinaPool> {
    const pool = await startAssistantPool({
      databaseThread: this.database.threadCell,
      model: { baseUrl: this.server.baseUrl, ...model },
      ...options,
    })
    this.#pools.push(pool)
    return pool
  }

  /** A request with an id of its own, of a user of its own unless told. */
  newRequest(fields: Partial<ConversationRequest> = {}): ConversationRequest {
    this.#requests += 1
    return requestOf(`${this.#requests}`, fields)
  }

  ask(pool: PiscinaPool, fields: Partial<ConversationRequest> = {}): RecordedRun {
    return new RecordedRun(pool, this.newRequest(fields))
  }

  /** The prompts that reached the server since it was reset, in the order of arrival. */
  async prompts(): Promise<(readonly Prompted[])[]> {
    return (await this.server.requests()).map(({ body }) =>
      (body.messages ?? []).map(({ role, content }) => ({ role, content: textOf(content) })),
    )
  }

  /** The pictures of the last prompt, as data URLs. */
  async lastImages(): Promise<string[]> {
    const content = (await this.server.requests()).at(-1)?.body.messages?.at(-1)?.content ?? ''
    const parts = typeof content === 'string' ? [] : content
    return parts.flatMap((part) => (part.type === 'image_url' ? [part.image_url.url] : []))
  }

  async lastPrompt(): Promise<readonly Prompted[]> {
    return (await this.prompts()).at(-1) ?? []
  }

  stored({ id }: Pick<ConversationRequest, 'id'>): StoredRequest {
    return this.#read((reader) => {
      const status = reader.prepare<[string], string>('SELECT status FROM requests WHERE id = ?').pluck().get(id)
      const messages = reader
        .prepare<[string], Prompted>('SELECT role, content FROM messages WHERE request_id = ? ORDER BY id')
        .all(id)
      return { status, messages }
    })
  }

  /** The messages that wait in the file to be delivered for a request. */
  toDeliver({ id }: Pick<ConversationRequest, 'id'>): string[] {
    return this.#read((reader) =>
      reader.prepare<[string], string>('SELECT content FROM outbox WHERE request_id = ? ORDER BY part').pluck().all(id),
    )
  }

  /** Reads the file by a connection of its own. */
  #read<T>(look: (reader: Database.Database) => T): T {
    const reader = new Database(databaseIn(this.#folder), { readonly: true })
    try {
      return look(reader)
    } finally {
      reader.close()
    }
  }
}

function databaseIn(folder: SharedFolder): string {
  return join(folder.path, 'parley.db')
}
