/** A module of the program whose variables and exports hold values. */
const cache: Array<object> = []

export const remember = (value: object): void => void cache.push(value)

export const exported: { value?: object } = {}

export class Registry {
  readonly name = "registry"
  static readonly all = new Set<object>()
}
