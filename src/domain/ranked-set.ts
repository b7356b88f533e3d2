/** A total order: 0 only for the same member. */
export type Compare<T> = (a: T, b: T) => number

interface Node<T> {
  readonly value: T
  /** Heap order over these keeps the tree balanced, whatever the order of insertion. */
  readonly weight: number
  size: number
  left: Node<T> | undefined
  right: Node<T> | undefined
}

/**
 * A sorted set that tells the rank of a member.
 *
 * A treap with subtree sizes: every operation takes O(log n) expected. Weights come from a fixed
 * pseudo-random sequence, so the same calls always build the same tree.
 */
export class RankedSet<T> {
  readonly #compare: Compare<T>
  #root: Node<T> | undefined
  #seed = 0x9e3779b9

  constructor(compare: Compare<T>) {
    this.#compare = compare
  }

  get size(): number {
    return sizeOf(this.#root)
  }

  /** Adds a member; adding one that is present is a mistake of the caller and throws. */
  add(value: T): void {
    if (this.rank(value) !== undefined) throw new Error('expected a value that is not in the set yet')
    const [left, right] = this.#split(this.#root, value)
    this.#root = join(join(left, leaf(value, this.#nextWeight())), right)
  }

  /** Removes a member; tells whether it was there. */
  delete(value: T): boolean {
    if (this.rank(value) === undefined) return false
    this.#root = this.#without(this.#root, value)
    return true
  }

  /** Removes and returns the smallest member. */
  shift(): T | undefined {
    let first = this.#root
    while (first?.left) first = first.left
    if (first) this.delete(first.value)
    return first?.value
  }

  /** The place of a member in the order, 1 for the smallest; undefined when it is not in the set. */
  rank(value: T): number | undefined {
    let before = 0
    let node = this.#root
    while (node) {
      const order = this.#compare(value, node.value)
      if (order === 0) return before + sizeOf(node.left) + 1
      if (order < 0) {
        node = node.left
      } else {
        before += sizeOf(node.left) + 1
        node = node.right
      }
    }
    return undefined
  }

  *[Symbol.iterator](): Generator<T> {
    const path: Node<T>[] = []
    let node = this.#root
    while (node || path.length > 0) {
      while (node) {
        path.push(node)
        node = node.left
      }
      const next = path.pop()
      if (!next) return
      yield next.value
      node = next.right
    }
  }

  /** xorshift32: never 0 when started from a non-zero seed. */
  #nextWeight(): number {
    this.#seed ^= this.#seed << 13
    this.#seed ^= this.#seed >>> 17
    this.#seed ^= this.#seed << 5
    return this.#seed
  }

  #split(node: Node<T> | undefined, value: T): [Node<T> | undefined, Node<T> | undefined] {
    if (!node) return [undefined, undefined]
    if (this.#compare(node.value, value) < 0) {
      const [left, right] = this.#split(node.right, value)
      node.right = left
      return [measured(node), right]
    }
    const [left, right] = this.#split(node.left, value)
    node.left = right
    return [left, measured(node)]
  }

  #without(node: Node<T> | undefined, value: T): Node<T> | undefined {
    if (!node) return undefined
    const order = this.#compare(value, node.value)
    if (order === 0) return join(node.left, node.right)
    if (order < 0) node.left = this.#without(node.left, value)
    else node.right = this.#without(node.right, value)
    return measured(node)
  }
}

function leaf<T>(value: T, weight: number): Node<T> {
  return { value, weight, size: 1, left: undefined, right: undefined }
}

function sizeOf<T>(node: Node<T> | undefined): number {
  return node ? node.size : 0
}

function measured<T>(node: Node<T>): Node<T> {
  node.size = sizeOf(node.left) + sizeOf(node.right) + 1
  return node
}

/** Joins two trees, every member of the left one being smaller. */
function join<T>(left: Node<T> | undefined, right: Node<T> | undefined): Node<T> | undefined {
  if (!left) return right
  if (!right) return left
  if (left.weight > right.weight) {
    left.right = join(left.right, right)
    return measured(left)
  }
  right.left = join(left, right.left)
  return measured(right)
}
