/** What somebody reads, alone, whose press of a button cannot do what the button says. */
export const PRESS_REPLIES = {
  notYours: 'Only who asked can use this button.',
  ended: 'This question has already ended. Nothing was changed.',
  nothingToKeep: 'There is nothing to keep yet. Cancel ends the question.',
  notFailed: 'This question is being worked on or has its answer already. Nothing was asked again.',
  goneOn:
    'Our conversation has gone on since, or that answer was deleted. Please write what you want to know more about.',
  forgotten: 'The text of this question was deleted. Please write it again.',
  unknown: 'Parley no longer knows this question. Please write it again.',
  doneAlready: 'This was done already. You do not need to do anything.',
  broken: 'Something unexpected broke and nothing was changed. Please press the button again in a moment.',
} as const

/** The question that Continue asks. */
export const CONTINUE = 'Continue exactly where your last answer stopped. Do not repeat what you have written.'
