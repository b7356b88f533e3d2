import { CRASH_POINTS } from '#actors/crash-point.ts'

/** Those that are passed when somebody writes a question; the others are passed when something is due. */
export const QUESTION_POINTS = CRASH_POINTS.filter((point) => !point.startsWith('promotion'))
