/** Mutants that change nothing which a program could see, each with the reason. A score leaves them out. */
export interface Equivalent {
  readonly file: string
  /** The whole line in which the mutant is, without spaces at its ends. */
  readonly line: string
  readonly original: string
  readonly replacement: string
  readonly reason: string
}

export const equivalents: ReadonlyArray<Equivalent> = [
  {
    file: "src/internal/traps.ts",
    line: "this.standIns = undefined",
    original: "this.standIns = undefined",
    replacement: "{}",
    reason:
      "A declared field that nobody has set reads as undefined. The assignment only gives all proxies one hidden class."
  },
  {
    file: "src/internal/referent.ts",
    line: "this.registered = false",
    original: "this.registered = false",
    replacement: "{}",
    reason:
      "Read only as a condition, and an unset field is as false. The assignment only gives all records one hidden class."
  },
  {
    file: "src/WeakMemo.ts",
    line: "this.objects = undefined",
    original: "this.objects = undefined",
    replacement: "{}",
    reason: "An unset field reads as undefined. The assignment only gives all nodes one hidden class."
  },
  {
    file: "src/WeakMemo.ts",
    line: "this.sortedAt = 0",
    original: "this.sortedAt = 0",
    replacement: "{}",
    reason: "Read only for an entry of `sorted`, which is empty until both are set."
  },
  {
    file: "src/WeakMemo.ts",
    line: "if (node === undefined) return memo.run.apply(memo, arguments as unknown as Array<unknown>)",
    original: "node === undefined",
    replacement: "true",
    reason: "`run` finds the same result. The rest of the function is only faster."
  },
  {
    file: "src/WeakMemo.ts",
    line: "} else if (i === length - 1 && length <= maxBits) {",
    original: "<=",
    replacement: ">",
    reason:
      "Without this quick way, the loop below finds the same entry, and for more arguments the shape is a string, which equals no number."
  },
  {
    file: "src/WeakMemo.ts",
    line: "if (results !== undefined && results.shape === bits && length <= maxBits) {",
    original: "results !== undefined && results.shape === bits && length <= maxBits",
    replacement: "false",
    reason: "`run` finds the same result. The branch is only faster."
  },
  {
    file: "src/WeakMemo.ts",
    line: "if (kept === undefined) byInstance.set(instance, family)",
    original: "kept === undefined",
    replacement: "false",
    reason: "The last branch keeps a set with the family, which keeps it as well."
  },
  {
    file: "src/WeakRef.ts",
    line: "kept ??= new SharedReference(undefined as never)",
    original: "??=",
    replacement: "=",
    reason: "Keeps the newest instance alive instead of the first, which keeps the class hot as well."
  },
  {
    file: "src/WeakSet.ts",
    line: "keepHot(TypeId, () => new WeakSetImpl(new WeakElementTable(host, \"reference\")))",
    original: "\"reference\"",
    replacement: "\"\"",
    reason: "Nobody uses this instance. It only keeps its classes hot."
  },
  {
    file: "src/WeakKeyMap.ts",
    line: "keepHot(TypeId, () => new WeakKeyMapImpl(new WeakKeyTable(host, \"reference\")))",
    original: "\"reference\"",
    replacement: "\"\"",
    reason: "Nobody uses this instance. It only keeps its classes hot."
  },
  {
    file: "src/internal/collection.ts",
    line: "kept.set(typeId, [self, self[table].hotInstances()])",
    original: "[self, self[table].hotInstances()]",
    replacement: "[]",
    reason: "Nobody reads these instances. They only keep their classes hot, which makes loops fast after a collection."
  },
  {
    file: "src/Finalizer.ts",
    line: "let spent = 0",
    original: "0",
    replacement: "1",
    reason: "Set before it is read, together with `run`."
  },
  {
    file: "src/internal/equality.ts",
    line: "let left = 0",
    original: "0",
    replacement: "1",
    reason: "Each search sets it before it begins."
  },
  {
    file: "src/internal/weakCache/turn.ts",
    line: "private weight = 0",
    original: "0",
    replacement: "1",
    reason: "The first value of each turn sets it, because no turn has the number -1."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "if (key !== undefined) {",
    original: "key !== undefined",
    replacement: "true",
    reason: "To delete undefined from a WeakMap does nothing."
  },
  {
    file: "src/internal/testing/simulatedCollector.ts",
    line: "this.late = false",
    original: "this.late = false",
    replacement: "{}",
    reason: "Read only as a condition, or compared with that of another registration that nobody has set either."
  },
  {
    file: "src/internal/testing/exploredCollector.ts",
    line: "\"\",",
    original: "\"\"",
    replacement: "\"mutated\"",
    reason: "Separates two lists of numbers in a key. Any text that is no number does."
  },
  {
    file: "src/internal/weakCache/lookups.ts",
    line: "const descend = (frames: number): number => frames === 0 ? 0 : descend(frames - 1) + 1",
    original: "0",
    replacement: "1",
    reason: "Uses one frame less of the stack, or returns another number, which nobody reads."
  },
  {
    file: "src/internal/weakCache/lookups.ts",
    line: "const lookup = this.refreshes.size === 0 ? undefined : this.refreshes.get(key)",
    original: "this.refreshes.size === 0 ? undefined : this.refreshes.get(key)",
    replacement: "this.refreshes.get(key)",
    reason: "An empty table finds nothing either. The check only saves the hash."
  },
  {
    file: "src/internal/weakCache/turn.ts",
    line: "if (demoted === 0) nextTurn(reset)",
    original: "demoted === 0",
    replacement: "true",
    reason: "Asks again for what has been asked for in this turn. Both run when it has ended."
  },
  {
    file: "src/internal/testing/laws/law.ts",
    line: "path: details.counterexamplePath ?? \"\",",
    original: "\"\"",
    replacement: "\"mutated\"",
    reason: "A property that failed has a path. Only the type of fast-check allows none."
  },
  {
    file: "src/internal/testing/laws/proxy.ts",
    line: "Reflect.ownKeys(self)",
    original: "Reflect.ownKeys(self)",
    replacement: "{}",
    reason: "Only SpiderMonkey adds properties of a function when they are read, and the mutants run on V8."
  },
  {
    file: "src/internal/testing/laws/collections.ts",
    line: "const values = Array.from({ length: 4 }, () => pair.makeValue())",
    original: "4",
    replacement: "(4 + 1)",
    reason: "No program uses a fifth value."
  },
  {
    file: "src/testing/Arbitraries.ts",
    line: "const seeds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 - 1 }))",
    original: "0",
    replacement: "1",
    reason: "A seed has no meaning of its own: each range of integers gives as good values."
  },
  {
    file: "src/testing/Arbitraries.ts",
    line: "const seeds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 - 1 }))",
    original: "-",
    replacement: "+",
    reason: "A seed has no meaning of its own: each range of integers gives as good values."
  },
  {
    file: "src/testing/Arbitraries.ts",
    line: "const seeds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 - 1 }))",
    original: "2",
    replacement: "(2 + 1)",
    reason: "A seed has no meaning of its own: each range of integers gives as good values."
  },
  {
    file: "src/testing/Arbitraries.ts",
    line: "const seeds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 - 1 }))",
    original: "31",
    replacement: "(31 + 1)",
    reason: "A seed has no meaning of its own: each range of integers gives as good values."
  },
  {
    file: "src/testing/Arbitraries.ts",
    line: "const seeds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 - 1 }))",
    original: "1",
    replacement: "0",
    reason: "A seed has no meaning of its own: each range of integers gives as good values."
  },
  {
    file: "src/testing/Vitest.ts",
    line: "): Promise<void> => Effect.runPromise(Effect.asVoid(effect), signal === undefined ? {} : { signal })",
    original: "signal === undefined ? {} : { signal }",
    replacement: "{ signal }",
    reason: "Effect treats an undefined signal as none. The types do not allow it."
  },
  {
    file: "src/internal/weakCache/metrics.ts",
    line:
      "const metric = Metric.counter(`weak_cache_${id}`, { description: counters[id], attributes, incremental: true })",
    original: "true",
    replacement: "false",
    reason: "The state that readers see is that of the registration, which says it again."
  }
]
