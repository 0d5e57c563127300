declare module "weak-value" {
  export default class WeakValue<K, V extends WeakKey> {
    get(key: K): V | undefined
    has(key: K): boolean
    set(key: K, value: V): this
    delete(key: K): boolean
    readonly size: number
  }
}
