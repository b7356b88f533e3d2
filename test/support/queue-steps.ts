import fc from 'fast-check'
import type { QueueMode } from '#protocol/queue.ts'
import type { ControlledStore } from './controlled-store.ts'

/** How a test ends a run. */
export type RunEnd = 'answer' | 'fail' | 'failForNow' | 'stop' | 'lose' | 'loseAfterCommit' | 'reject'

/** A message that is sent. */
export interface AddStep {
  readonly type: 'add'
  readonly user: number
  readonly text: 'question' | 'empty' | 'long'
  /** Which Discord message it is; two steps with the same number are the same message told twice. */
  readonly discordMessage: number | null
}

/** Something comes from a run that has ended. */
export interface LateStep {
  readonly type: 'late'
  readonly run: number
  readonly what: 'delta' | 'failed' | 'lost'
}

/** Something that can happen to a queue. Numbers choose one of those there are at that moment. */
export type QueueStep =
  | AddStep
  | { readonly type: 'end'; readonly run: number; readonly how: RunEnd }
  | { readonly type: 'say'; readonly run: number }
  | LateStep
  | { readonly type: 'cancel'; readonly request: number }
  | { readonly type: 'advance'; readonly ms: number }
  /** A thread dies with so many runs in it. */
  | { readonly type: 'crash'; readonly runs: number }
  /** All threads are there again. */
  | { readonly type: 'restore' }
  | { readonly type: 'poolBreaks' }
  | { readonly type: 'idBreaks' }
  | { readonly type: 'database'; readonly mode: ControlledStore['mode'] }
  | { readonly type: 'hold' }
  | { readonly type: 'release' }
  | { readonly type: 'stop'; readonly graceMs: number }
  /** The process ends as it stands, and another one goes on with the file. */
  | { readonly type: 'restart' }
  /** The operator pauses, drains or opens the queue. */
  | { readonly type: 'mode'; readonly mode: QueueMode }
  /** What the process has found in the file may run. */
  | { readonly type: 'open' }

/** A step, and what happens before the next one. */
export interface PausedStep {
  readonly step: QueueStep
  readonly pause: 'nothing' | 'turn' | 'settled'
}

const index = fc.nat(20)

function mostly<T>(usual: T, ...others: T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 10, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) })
}

const RUN_ENDS: RunEnd[] = [
  ...(['answer', 'answer', 'fail', 'failForNow', 'failForNow', 'stop', 'lose', 'lose'] as const),
  ...(['loseAfterCommit', 'reject'] as const),
]

const COMMON: fc.WeightedArbitrary<QueueStep>[] = [
  {
    weight: 16,
    arbitrary: fc.record({
      type: fc.constant('add' as const),
      user: fc.nat(8),
      text: mostly<AddStep['text']>('question', 'empty', 'long'),
      discordMessage: fc.option(fc.nat(6), { nil: null }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('end' as const),
      run: index,
      how: fc.constantFrom<RunEnd[]>(...RUN_ENDS),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('say' as const), run: index }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('late' as const),
      run: index,
      what: fc.constantFrom('delta' as const, 'failed' as const, 'lost' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('cancel' as const), request: index }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('advance' as const),
      ms: fc.constantFrom(1, 1000, 2000, 4000, 20_000, 160_000, 310_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('crash' as const), runs: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('restore' as const, 'poolBreaks' as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('hold' as const, 'release' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('idBreaks' as const) }) },
]

const RESTARTS: fc.WeightedArbitrary<QueueStep>[] = [
  { weight: 2, arbitrary: fc.record({ type: fc.constant('restart' as const) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('open' as const) }) },
]

const STOP: fc.WeightedArbitrary<QueueStep> = {
  weight: 1,
  arbitrary: fc.record({ type: fc.constant('stop' as const), graceMs: fc.constantFrom(0, 100_000) }),
}

const MODES: fc.WeightedArbitrary<QueueStep> = {
  weight: 4,
  arbitrary: fc.record({
    type: fc.constant('mode' as const),
    mode: fc.constantFrom<QueueMode[]>('open', 'open', 'paused', 'draining'),
  }),
}

const DATABASE: fc.WeightedArbitrary<QueueStep> = {
  weight: 3,
  arbitrary: fc.record({
    type: fc.constant('database' as const),
    mode: fc.constantFrom<ControlledStore['mode'][]>('working', 'working', 'refusing', 'deaf', 'broken'),
  }),
}

function pausedSteps(...weighted: fc.WeightedArbitrary<QueueStep>[]): fc.Arbitrary<PausedStep[]> {
  const pause = fc.constantFrom<PausedStep['pause'][]>('nothing', 'turn', 'settled')
  return fc.array(fc.record({ step: fc.oneof(...weighted), pause }), { maxLength: 60, size: 'max' })
}

/** Lives of a queue: some with a database that fails, some with stops, some with restarts. */
export const queueLife: fc.Arbitrary<PausedStep[]> = fc.oneof(
  pausedSteps(...COMMON),
  pausedSteps(...COMMON, DATABASE),
  pausedSteps(...COMMON, STOP),
  pausedSteps(...COMMON, MODES, STOP),
  pausedSteps(...COMMON, ...RESTARTS, STOP),
  pausedSteps(...COMMON, ...RESTARTS, DATABASE, MODES, STOP),
)
