/** A bug that somebody could make, where it is made, and the tests that have to find it. */
export interface PlantedBug {
  readonly name: string
  readonly file: string
  readonly replace: string | RegExp
  readonly by: string
  readonly tests: readonly string[]
}

/** Each one breaks a promise of the queue, and each one has to be found. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'the fence is dropped: an attempt that was given up stores its answer',
    file: 'src/database/request-fence.ts',
    replace: "  if (state.status === 'PROCESSING') return attempt >= state.attempt\n",
    by: '  if (attempt > 0) return true\n',
    tests: ['test/integration/database-api.test.ts', 'test/integration/database-queue.test.ts'],
  },
  {
    name: 'the partial index is dropped: the file takes two active requests of one user',
    file: 'src/database/schema.ts',
    replace: 'CREATE UNIQUE INDEX requests_active',
    by: 'CREATE INDEX requests_active',
    tests: ['test/integration/database-api.test.ts', 'test/integration/database.test.ts'],
  },
  {
    name: 'the queue acknowledges a message before it is stored',
    file: 'src/queue/request-intake.ts',
    replace:
      "void journal.accepted(request, files).then((result) => deliver({ type: 'stored', active, files, result, answer }))",
    by: "void journal.accepted(request, files)\n    deliver({ type: 'stored', active, files, result: 'stored', answer })",
    tests: ['test/actor/conversation-queue.test.ts', 'test/actor/conversation-queue-storage.test.ts'],
  },
  {
    name: 'the database acknowledges a write before its commit',
    file: 'src/database/group-commit.ts',
    replace: '      this.#commit.run()\n',
    by: '      for (const [index, write] of batch.entries()) this.#tell(write, outcomes[index])\n      setImmediate(() => this.#commit.run())\n',
    tests: ['test/integration/group-commit.test.ts', 'test/integration/database-commit-order.test.ts'],
  },
  {
    name: 'the two history rows of a turn are two transactions',
    file: 'src/database/request-records.ts',
    replace: /this\.#messages\.insert\.run\(\{\s+\.\.\.key,\s+role: 'assistant',([\s\S]*?)\}\)/,
    by: "setImmediate(() => this.#messages.insert.run({ ...key, role: 'assistant',$1}))",
    tests: ['test/integration/database-api.test.ts'],
  },
  {
    name: 'a user is not released when a message could not be stored',
    file: 'src/queue/queue-state.ts',
    replace:
      /(withdraw\(active: ActiveRequest\): void \{[\s\S]*?)\n {4}this\.#byUser\.delete\(active\.request\.userId\)/,
    by: '$1',
    tests: ['test/actor/conversation-queue-storage.test.ts'],
  },
  {
    name: 'what an older attempt tells counts',
    file: 'src/queue/request-runs.ts',
    replace: ' && active.attempt === attempt',
    by: '',
    tests: ['test/actor/conversation-queue.model.test.ts'],
  },
  {
    name: 'what is to be delivered is stored after the answer',
    file: 'src/database/request-records.ts',
    replace: 'this.#outbox.add(request.id, turn, finishedAt)',
    by: 'setImmediate(() => this.#outbox.add(request.id, turn, finishedAt))',
    tests: ['test/integration/database-api.test.ts', 'test/integration/database-queue.test.ts'],
  },
  {
    name: 'recovery leaves what was at work as it is',
    file: 'src/database/request-records.ts',
    replace: 'this.#requests.requeueInterrupted.run({ origin }).changes',
    by: '0',
    tests: ['test/integration/database-queue.test.ts'],
  },
  {
    name: 'a commit does not wait for the disk',
    file: 'src/database/open-database.ts',
    replace: "set(connection, 'synchronous', 2)",
    by: "set(connection, 'synchronous', 1)",
    tests: ['test/integration/database-commit-order.test.ts', 'test/integration/open-database.test.ts'],
  },
  {
    name: 'a reply counts as delivered before it is shown',
    file: 'src/discord/reply-card.ts',
    replace: '    this.#state = state\n    if (this.#paused',
    by: '    this.#state = state\n    if (isEnd(state)) this.#options.onDelivered([])\n    if (this.#paused',
    tests: ['test/unit/reply-card.test.ts', 'test/integration/discord-delivery.test.ts'],
  },
  {
    name: 'after a restart nobody looks for what was shown before',
    file: 'src/discord/card-steps.ts',
    replace: 'this.#toBeFound = options.resumed !== undefined',
    by: 'this.#toBeFound = false',
    tests: ['test/integration/discord-restart.test.ts'],
  },
  {
    name: 'Discord is not asked to recognize a message that is sent twice',
    file: 'src/discord/reply-target.ts',
    replace: 'enforce_nonce: true',
    by: 'enforce_nonce: false',
    tests: ['test/integration/discord-delivery.test.ts', 'test/integration/discord-replies.test.ts'],
  },
]
