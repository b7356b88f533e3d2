import { exhaustHeap } from './exhaust-heap.ts'

/** Stands in for a thread that reads a PDF and needs more and more memory for it. */
exhaustHeap()
