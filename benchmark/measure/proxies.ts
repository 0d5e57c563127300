/** Measures reads, calls and method calls through proxies. */
import type { Proxies } from "../contenders.ts"
import { kept } from "./collections.ts"
import type { Operation } from "./operations.ts"

export const contenders: Readonly<Record<string, () => Promise<Proxies>>> = {
  "effect-weakref": async () => (await import("../library/proxy.ts")).proxies,
  floor: async () => (await import("../floor/proxy.ts")).proxies,
  "plain Proxy": async () => (await import("../peers/plainProxy.ts")).proxies
}

export let targets: ReadonlyArray<unknown> = []

class Account {
  #balance = 0
  readonly owner: string
  constructor(owner: string) {
    this.owner = owner
  }
  add(amount: number): number {
    return this.#balance += amount
  }
}

export const operationsOf = ({ make, makeFunction }: Proxies, n: number): ReadonlyArray<Operation> => {
  const accounts = Array.from({ length: n }, (_, i) => new Account(`owner-${i}`))
  const functions = Array.from({ length: n }, (_, i) => (amount: number) => amount + i)
  // Keeps the targets alive, because the proxies do not hold them.
  targets = [accounts, functions]
  const proxies = accounts.map((account) => make(account))
  const functionProxies = functions.map((f) => makeFunction(f))
  return [{
    name: "read",
    run: (from, to) => {
      for (let i = from; i < to; i++) kept.value = proxies[i]!.owner
    }
  }, {
    name: "call",
    run: (from, to) => {
      for (let i = from; i < to; i++) kept.value = functionProxies[i]!(i)
    }
  }, {
    name: "call a method",
    run: (from, to) => {
      for (let i = from; i < to; i++) kept.value = proxies[i]!.add(i)
    }
  }]
}
