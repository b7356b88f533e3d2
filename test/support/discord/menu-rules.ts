import type { FormErrors } from './form-errors.ts'
import { isObject, type JsonObject, objectsIn } from './json.ts'

/** A select menu of texts. */
export const MENU = 3
const MAX_OPTIONS = 25

interface MenuForm {
  readonly type?: unknown
  readonly custom_id?: unknown
  readonly placeholder?: unknown
  readonly disabled?: unknown
  readonly options?: unknown
  readonly components?: unknown
}

interface OptionForm {
  readonly label?: unknown
  readonly value?: unknown
  readonly description?: unknown
  readonly default?: unknown
}

/** Checks a select menu against Discord's documented rules. */
export function checkMenu(menu: MenuForm, path: string, errors: FormErrors): void {
  errors.text(`${path}.custom_id`, menu.custom_id, 100, 1)
  errors.text(`${path}.placeholder`, menu.placeholder, 150)
  errors.list(`${path}.options`, menu.options, MAX_OPTIONS)
  const options: readonly OptionForm[] = objectsIn(menu.options)
  if (options.length === 0) errors.add(`${path}.options`, 'BASE_TYPE_REQUIRED', 'This field is required')
  for (const [index, { label, value, description }] of options.entries()) {
    const here = `${path}.options.${index}`
    errors.text(`${here}.label`, label, 100, 1)
    errors.text(`${here}.value`, value, 100, 1)
    errors.text(`${here}.description`, description, 100)
    if (options.slice(0, index).some((earlier) => earlier.value === value)) {
      errors.add(
        `${here}.value`,
        'SELECT_COMPONENT_OPTION_VALUE_DUPLICATED',
        'The specified option value is already used',
      )
    }
  }
  if (options.filter((option) => option.default === true).length > 1) {
    errors.add(path, 'SELECT_COMPONENT_TOO_MANY_DEFAULTS', 'Too many options are selected by default')
  }
}

/** The values a menu with a custom id offers; undefined when there is none or it is disabled. */
export function optionsOfMenu(components: readonly JsonObject[], customId: string): unknown[] | undefined {
  const menu = components
    .flatMap(({ components: children }: MenuForm) => objectsIn(children))
    .filter(isObject)
    .find(({ type, custom_id, disabled }: MenuForm) => type === MENU && custom_id === customId && disabled !== true)
  return menu && objectsIn((menu as MenuForm).options).map(({ value }: OptionForm) => value)
}
