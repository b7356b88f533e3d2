import { type PrivateCommand, slashCommand } from './command.ts'

/** What people may want to know about where their words go. */
export interface PrivacyFacts {
  /** How long things are kept; null: until they are forgotten. */
  readonly retentionMs: number | null
  /** The host questions are sent to; null: none, the built-in stand-in answers. */
  readonly modelHost: string | null
}

const DAY_MS = 86_400_000

/** `/privacy`: what is stored, where, and how long. */
export function privacyCommand(facts: PrivacyFacts): PrivateCommand {
  const content = describe(facts)
  return {
    type: 'private',
    definition: slashCommand({ name: 'privacy', description: 'What Parley stores about you, where and how long.' }),
    reply: () => ({ content }),
  }
}

function describe({ retentionMs, modelHost }: PrivacyFacts): string {
  const model =
    modelHost === null
      ? 'Nothing is sent to a model: a stand-in on the same computer answers.'
      : `To be answered, your question and the last messages of that conversation are sent to the model server ${modelHost}, with the persona that holds there.`
  const kept =
    retentionMs === null
      ? 'All of it is kept until you delete it.'
      : `What is older than ${days(retentionMs)} is deleted by itself.`
  return [
    '**Stored:** your questions, with the files that came with them and the messages they reply to, and their answers with the time, your Discord id, which servers and channels you asked in, how your questions ended, how many tokens the answers took, what you have scheduled, and what you have chosen (persona, model, time zone and the like). Of the settings of a server also who changed what, when, with the Discord id. Messages that are not meant for Parley are not stored. What the model thinks before it answers is stored only if you have chosen to see it, until it has reached you.',
    '**Where:** in one database file on the computer of whoever runs this bot. The answers also stand on Discord, where you can delete yours.',
    `**Model:** ${model}`,
    `**How long:** ${kept}`,
    '**Yours:** `/history` shows a conversation, `/export` gives you all of it as a file, and `/forget` deletes it; what was asked goes, that something was asked, when, and how many tokens it took stays for the statistics and quotas, and changes you made to the settings of a server stay noted, as those are the server’s.',
  ].join('\n')
}

function days(ms: number): string {
  const count = Math.round(ms / DAY_MS)
  return count === 1 ? '1 day' : `${count} days`
}
