/** What somebody reads, alone, whose press of a button cannot do what the button says. */
export const PRESS_REPLIES = {
  notYours: 'Only who asked can use this button.',
  ended: 'This question has already ended. Nothing was changed.',
  nothingToKeep: 'There is nothing to keep yet. Cancel ends the question.',
  notFailed: 'This question is being worked on or has its answer already. Nothing was asked again.',
  goneOn:
    'Our conversation has gone on since, or that answer was deleted. Please write what you want to know more about.',
  notNewest:
    'Our conversation has gone on since, or that answer was deleted. Only the newest answer can be written again; please ask anew.',
  forgotten: 'The text of this question was deleted. Please write it again.',
  notWaiting:
    'Your question is being worked on already, or has ended. It was not changed; please write again after the answer.',
  tooLong: 'Together that would be longer than one question may be. Nothing was changed.',
  messageGone: 'That message is no longer there. Nothing was changed.',
  otherConversation: 'That message belongs to another conversation than your question that waits. Nothing was changed.',
  onlyFiles:
    'That message has only files, which cannot be added to a question that waits. Please send it again after the answer.',
  notStored:
    'Parley cannot store anything right now. Nothing was changed; please press the button again in a few minutes.',
  unknown: 'Parley no longer knows this question. Please write it again.',
  doneAlready: 'This was done already. You do not need to do anything.',
  broken: 'Something unexpected broke and nothing was changed. Please press the button again in a moment.',
} as const

/** What takes the place of a refusal whose button was pressed. */
export const AMENDED = {
  replace: '✏️ Your question that waits was replaced by this one.',
  append: '✏️ This was added to your question that waits.',
} as const

/** What follows when that message had files. */
export const WITHOUT_FILES = 'Its files were not; please send them again after the answer.'

/** The question that Continue asks. */
export const CONTINUE = 'Continue exactly where your last answer stopped. Do not repeat what you have written.'
