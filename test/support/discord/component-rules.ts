import type { FormErrors } from './form-errors.ts'
import { isObject, type JsonObject, lengthOf, objectsIn } from './json.ts'
import { checkMenu, MENU } from './menu-rules.ts'

const MAX_ROWS = 5
const MAX_IN_ROW = 5
const MAX_COMPONENTS_V2 = 40
const MAX_TEXT_V2_CHARACTERS = 4_000
const ROW = 1
const BUTTON = 2
const TEXT_DISPLAY = 10
const LINK_STYLE = 5

interface ComponentForm {
  readonly type?: unknown
  readonly style?: unknown
  readonly label?: unknown
  readonly emoji?: unknown
  readonly url?: unknown
  readonly custom_id?: unknown
  readonly content?: unknown
  readonly disabled?: unknown
  readonly components?: unknown
  readonly accessory?: unknown
}

/** Checks components against Discord's documented rules, the old ones or those of components V2. */
export function checkComponents(components: unknown, isV2: boolean, errors: FormErrors): void {
  errors.list('components', components, isV2 ? MAX_COMPONENTS_V2 : MAX_ROWS)
  const all = flatten(components, 'components')
  for (const { path, component } of all) checkComponent(component, path, errors)
  checkDuplicates(all, errors)
  if (isV2) checkTotals(all, errors)
  else if (objectsIn(components).some(({ type }: ComponentForm) => type !== ROW)) {
    errors.add('components', 'UNION_TYPE_CHOICES', 'Value of field "type" must be one of (1,).')
  }
}

/** The button with a custom id, wherever it sits; undefined when there is none or it is disabled. */
export function findButton(components: readonly JsonObject[], customId: string): JsonObject | undefined {
  return flatten(components, '')
    .map(({ component }) => component)
    .find(
      ({ type, custom_id, disabled }: ComponentForm) => type === BUTTON && custom_id === customId && disabled !== true,
    )
}

/** The texts of all text displays. */
export function displayTexts(components: readonly JsonObject[]): string[] {
  return flatten(components, '').flatMap(({ component }) => {
    const { type, content }: ComponentForm = component
    return type === TEXT_DISPLAY && typeof content === 'string' ? [content] : []
  })
}

interface Placed {
  readonly path: string
  readonly component: JsonObject
}

function flatten(components: unknown, path: string): Placed[] {
  return objectsIn(components).flatMap((component, index) => {
    const here = `${path}.${index}`
    const { components: children, accessory }: ComponentForm = component
    const beside = isObject(accessory) ? [{ path: `${here}.accessory`, component: accessory }] : []
    return [{ path: here, component }, ...flatten(children, `${here}.components`), ...beside]
  })
}

function checkComponent(component: JsonObject, path: string, errors: FormErrors): void {
  const { type, components, content }: ComponentForm = component
  if (type === ROW) {
    errors.list(`${path}.components`, components, MAX_IN_ROW)
    if (objectsIn(components).length === 0)
      errors.add(`${path}.components`, 'BASE_TYPE_REQUIRED', 'This field is required')
  }
  if (type === BUTTON) checkButton(component, path, errors)
  if (type === MENU) checkMenu(component, path, errors)
  if (
    type === ROW &&
    objectsIn(components).length > 1 &&
    objectsIn(components).some(({ type: kind }: ComponentForm) => kind === MENU)
  ) {
    errors.add(
      `${path}.components`,
      'COMPONENT_LAYOUT_WIDTH_EXCEEDED',
      'The specified component exceeds the maximum width',
    )
  }
  if (type === TEXT_DISPLAY) errors.text(`${path}.content`, content, MAX_TEXT_V2_CHARACTERS, 1)
}

function checkButton(button: ComponentForm, path: string, errors: FormErrors): void {
  errors.text(`${path}.label`, button.label, 80)
  if (button.label === undefined && button.emoji === undefined) {
    errors.add(path, 'BUTTON_COMPONENT_INVALID_LABEL', 'A button must have a label or emoji')
  }
  if (button.style === LINK_STYLE) errors.text(`${path}.url`, button.url, 512, 1)
  else errors.text(`${path}.custom_id`, button.custom_id, 100, 1)
}

function checkDuplicates(all: readonly Placed[], errors: FormErrors): void {
  const seen = new Set<unknown>()
  for (const { path, component } of all) {
    const { custom_id }: ComponentForm = component
    if (custom_id === undefined) continue
    if (seen.has(custom_id)) {
      errors.add(`${path}.custom_id`, 'COMPONENT_CUSTOM_ID_DUPLICATED', 'Component custom id cannot be duplicated')
    }
    seen.add(custom_id)
  }
}

function checkTotals(all: readonly Placed[], errors: FormErrors): void {
  if (all.length > MAX_COMPONENTS_V2) {
    errors.add(
      'components',
      'COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED',
      `The total number of components in your message cannot exceed ${MAX_COMPONENTS_V2}.`,
    )
  }
  const texts = all.map(({ component }) => (component as ComponentForm).content)
  const total = texts.reduce<number>((sum, text) => sum + (typeof text === 'string' ? lengthOf(text) : 0), 0)
  if (total > MAX_TEXT_V2_CHARACTERS) {
    errors.add(
      'components',
      'COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED',
      `Total text exceeds ${MAX_TEXT_V2_CHARACTERS} characters.`,
    )
  }
}
