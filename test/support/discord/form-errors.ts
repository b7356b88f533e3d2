import { type ApiError, invalidForm } from './api-error.ts'
import { lengthOf } from './json.ts'

interface Node {
  readonly children: Map<string, Node>
  readonly errors: { readonly code: string; readonly message: string }[]
}

/** Gathers what is wrong with a form and where, for one answer with error 50035. */
export class FormErrors {
  readonly #root: Node = { children: new Map(), errors: [] }
  #count = 0

  /** Notes an error at a place like `embeds.0.title`. */
  add(path: string, code: string, message: string): void {
    let node = this.#root
    for (const key of path.split('.')) {
      const child = node.children.get(key) ?? { children: new Map(), errors: [] }
      node.children.set(key, child)
      node = child
    }
    node.errors.push({ code, message })
    this.#count++
  }

  /** Checks a text's length; absent is fine unless a minimum asks for it. */
  text(path: string, value: unknown, maximum: number, minimum = 0): void {
    if (value === undefined || value === null) {
      if (minimum > 0) this.add(path, 'BASE_TYPE_REQUIRED', 'This field is required')
      return
    }
    if (typeof value !== 'string') return this.add(path, 'BASE_TYPE_BAD_STRING', 'Must be a string.')
    const length = lengthOf(value)
    if (length > maximum) this.add(path, 'BASE_TYPE_MAX_LENGTH', `Must be ${maximum} or fewer in length.`)
    if (length < minimum) this.add(path, 'BASE_TYPE_BAD_LENGTH', `Must be between ${minimum} and ${maximum} in length.`)
  }

  /** Checks an array's length; absent is fine. */
  list(path: string, value: unknown, maximum: number): void {
    if (value === undefined || value === null) return
    if (!Array.isArray(value)) return this.add(path, 'LIST_TYPE_CONVERT', 'Only iterables may be used in a ListType')
    if (value.length > maximum) this.add(path, 'BASE_TYPE_MAX_LENGTH', `Must be ${maximum} or fewer in length.`)
  }

  /** Throws what was gathered, if anything was. */
  check(): void {
    if (this.#count > 0) throw this.#asRefusal()
  }

  #asRefusal(): ApiError {
    return invalidForm(Object.fromEntries([...this.#root.children].map(([key, node]) => [key, render(node)])))
  }
}

function render(node: Node): Record<string, unknown> {
  const children = Object.fromEntries([...node.children].map(([key, child]) => [key, render(child)]))
  return node.errors.length > 0 ? { ...children, _errors: node.errors } : children
}
