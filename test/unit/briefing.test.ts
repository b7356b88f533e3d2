import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Choice,
  type Choices,
  decideBriefing,
  type ModelChoices,
  modelChoices,
  NO_CHOICE,
} from '#domain/briefing.ts'

const name = fc.constantFrom('small', 'large', 'old', 'other')
const models: fc.Arbitrary<ModelChoices> = fc
  .record({ name, allowed: fc.uniqueArray(name, { maxLength: 3 }) })
  .map(modelChoices)
const choice: fc.Arbitrary<Choice> = fc.record({
  persona: fc.option(fc.constantFrom('bard', 'pirate')),
  model: fc.option(name),
})
const choices: fc.Arbitrary<Choices> = fc.record({ own: choice, server: choice })

const MODELS = modelChoices({ name: 'small', allowed: ['large'] })
const of = (own: Partial<Choice>, server: Partial<Choice> = {}): Choices => ({
  own: { ...NO_CHOICE, ...own },
  server: { ...NO_CHOICE, ...server },
})

describe('the models that can be chosen', () => {
  it('are the usual one alone when none is listed, and each once', () => {
    expect(modelChoices({ name: 'small', allowed: [] })).toEqual({ usual: 'small', offered: ['small'] })
    expect(modelChoices({ name: 'small', allowed: ['large', 'small'] }).offered).toEqual(['small', 'large'])
  })
})

describe('what applies to a request', () => {
  it('is only ever a model that is offered', () => {
    fc.assert(
      fc.property(models, choices, (given, chosen) => {
        expect(given.offered).toContain(decideBriefing(given, chosen).model)
      }),
    )
  })

  it('is what the server has set, whatever its user chose', () => {
    fc.assert(
      fc.property(models, choices, choice, (given, chosen, otherOwn) => {
        const [one, other] = [decideBriefing(given, chosen), decideBriefing(given, { ...chosen, own: otherOwn })]
        if (chosen.server.persona !== null) expect(other.persona).toBe(one.persona)
        if (chosen.server.model !== null && given.offered.includes(chosen.server.model)) {
          expect(one.model).toBe(chosen.server.model)
          expect(other.model).toBe(one.model)
        }
      }),
    )
  })

  it('is the own choice where the server has set nothing', () => {
    fc.assert(
      fc.property(models, choice, (given, own) => {
        const { persona, model } = decideBriefing(given, { own, server: NO_CHOICE })
        expect(persona).toBe(own.persona)
        expect(model).toBe(own.model !== null && given.offered.includes(own.model) ? own.model : given.usual)
      }),
    )
  })

  it('tells of a model that was passed over, and of none else', () => {
    fc.assert(
      fc.property(models, choices, (given, chosen) => {
        const { withdrawn, model } = decideBriefing(given, chosen)
        const first = chosen.server.model ?? chosen.own.model
        expect(withdrawn).toBe(first === null || first === model ? null : first)
        if (withdrawn !== null) expect(given.offered).not.toContain(withdrawn)
      }),
    )
  })

  it.each<[string, Choices, object]>([
    ['nothing chosen', of({}), { model: 'small', modelFrom: 'usual', persona: null, personaFrom: 'usual' }],
    ['an own choice', of({ model: 'large', persona: 'bard' }), { model: 'large', modelFrom: 'own', persona: 'bard' }],
    ['both', of({ model: 'large', persona: 'bard' }, { model: 'small' }), { model: 'small', persona: 'bard' }],
    [
      'a server without the model any more',
      of({ model: 'large' }, { model: 'old' }),
      { model: 'large', withdrawn: 'old' },
    ],
  ])('%s', (_, chosen, briefing) => {
    expect(decideBriefing(MODELS, chosen)).toMatchObject(briefing)
  })
})
