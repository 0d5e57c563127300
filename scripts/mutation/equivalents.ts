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
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "const inWindow = 1",
    original: "1",
    replacement: "0",
    reason: "Only tells the three lists apart, as any number from 0 to 3 does that no other list has."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "const ageShift = 7",
    original: "7",
    replacement: "(7 + 1)",
    reason: "Leaves one bit between the count and its age unused."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "#age = 0",
    original: "0",
    replacement: "1",
    reason: "Only differences of ages count."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "#readsOfAge = 0",
    original: "0",
    replacement: "1",
    reason: "Ages the counts one read of 20,000 earlier, which is a tunable without meaning."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "this.#readsOfAge = 0",
    original: "0",
    replacement: "1",
    reason: "Ages the counts one read of 20,000 earlier, which is a tunable without meaning."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "if (++this.#readsOfAge >= Math.max(readsPerAge, readsPerEntry * size)) {",
    original: ">=",
    replacement: ">",
    reason: "Ages the counts one read of 20,000 later, which is a tunable without meaning."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "return halvings < 0 || halvings > 4 ? 0 : ((link.mark >> usesShift) & mostUses) >> halvings",
    original: ">",
    replacement: ">=",
    reason: "Four halvings of at most 15 uses are 0 as well."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "return halvings < 0 || halvings > 4 ? 0 : ((link.mark >> usesShift) & mostUses) >> halvings",
    original: "4",
    replacement: "(4 + 1)",
    reason: "Five halvings of at most 15 uses are 0 as well."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "if ((link.mark & sampledBit) !== 0) {",
    original: "(link.mark & sampledBit) !== 0",
    replacement: "true",
    reason: "An entry that is not sampled has neither the bit nor a place in the map. The check only saves the look-up."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "if (extra !== undefined || this.#isTimed) return this.#readTimed(entry, extra)",
    original: "extra !== undefined || this.#isTimed",
    replacement: "true",
    reason: "`readTimed` returns the same. The rest of the function is only faster."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "if (exit === undefined) return this.#readWeak(entry, 0)",
    original: "0",
    replacement: "1",
    reason: "Only a cache with an idle time reads the time, and it does not come here."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "const now = this.#isTimed || extra?.expiresAt !== undefined ? this.now() : 0",
    original: "this.#isTimed || extra?.expiresAt !== undefined ? this.now() : 0",
    replacement: "this.now()",
    reason: "Nobody reads the time of an entry that has none. The check only saves the call of the clock."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "const now = this.#isTimed || extra?.expiresAt !== undefined ? this.now() : 0",
    original: "0",
    replacement: "1",
    reason: "Nobody reads the time of an entry that has none."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "const now = timeToLive !== Infinity || this.#isTimed ? this.now() : 0",
    original: "timeToLive !== Infinity || this.#isTimed ? this.now() : 0",
    replacement: "this.now()",
    reason: "Nobody reads the time of an entry that has none. The check only saves the call of the clock."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "const now = timeToLive !== Infinity || this.#isTimed ? this.now() : 0",
    original: "0",
    replacement: "1",
    reason: "Nobody reads the time of an entry that has none."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "return this.#readPresent(entry, this.#isTimed ? this.now() : 0)!",
    original: "this.#isTimed ? this.now() : 0",
    replacement: "this.now()",
    reason: "Nobody reads the time of an entry that has none. The check only saves the call of the clock."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "return this.#readPresent(entry, this.#isTimed ? this.now() : 0)!",
    original: "0",
    replacement: "1",
    reason: "Nobody reads the time of an entry that has none."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "#registered = 0",
    original: "0",
    replacement: "1",
    reason: "The constructor sets it again, together with the registry."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "const sliceOfTimer = 4096",
    original: "4096",
    replacement: "(4096 + 1)",
    reason: "A tunable: how many entries one turn of the timer removes has no meaning to the program."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "const sliceOfCleanup = 8192",
    original: "8192",
    replacement: "(8192 + 1)",
    reason: "A tunable: how many clean-ups one turn runs has no meaning to the program."
  },
  {
    file: "src/internal/weakCache/lookups.ts",
    line: "const deepest = 32",
    original: "32",
    replacement: "(32 + 1)",
    reason: "A tunable: any number of lookups on the stack does that is far below the size of the stack."
  },
  {
    file: "src/internal/weakCache/lookups.ts",
    line: "const framesLeft = 1000",
    original: "1000",
    replacement: "(1000 + 1)",
    reason: "A tunable: any part of the stack does that is enough for one lookup."
  },
  {
    file: "src/internal/weakCache/lookups.ts",
    line: "return this.#refreshes.size === 0 ? undefined : this.#refreshes.get(key)",
    original: "this.#refreshes.size === 0 ? undefined : this.#refreshes.get(key)",
    replacement: "this.#refreshes.get(key)",
    reason: "An empty table finds nothing either. The check only saves the hash."
  },
  {
    file: "src/internal/weakCache/weakCache.ts",
    line: "const roundsOfClosing = 8",
    original: "8",
    replacement: "(8 + 1)",
    reason: "A tunable: after any number of rounds, finalizers that always load again are cut off."
  },
  {
    file: "src/internal/weakCache/timer.ts",
    line: "this.#sleeper ??= new this.#heap.WeakRef(sleeper)",
    original: "??=",
    replacement: "=",
    reason: "All calls have the same sleeper, so another reference does as well."
  },
  {
    file: "src/Finalizer.ts",
    line: "this.ended = undefined",
    original: "this.ended = undefined",
    replacement: "{}",
    reason: "An unset field reads as undefined. The assignment only gives all objects of the class one hidden class."
  },
  {
    file: "src/WeakMemo.ts",
    line: "this.results = undefined",
    original: "this.results = undefined",
    replacement: "{}",
    reason: "An unset field reads as undefined. The assignment only gives all objects of the class one hidden class."
  },
  {
    file: "src/WeakMemo.ts",
    line: "this.shape = undefined",
    original: "this.shape = undefined",
    replacement: "{}",
    reason: "An unset field reads as undefined. The assignment only gives all objects of the class one hidden class."
  },
  {
    file: "src/WeakMemo.ts",
    line: "this.level = undefined",
    original: "this.level = undefined",
    replacement: "{}",
    reason: "An unset field reads as undefined. The assignment only gives all objects of the class one hidden class."
  },
  {
    file: "src/WeakMemo.ts",
    line: "this.single = undefined",
    original: "this.single = undefined",
    replacement: "{}",
    reason: "An unset field reads as undefined. The assignment only gives all objects of the class one hidden class."
  },
  {
    file: "src/internal/callbacks.ts",
    line: "this.next = undefined",
    original: "this.next = undefined",
    replacement: "{}",
    reason: "An unset field reads as undefined. The assignment only gives all objects of the class one hidden class."
  },
  {
    file: "src/internal/referent.ts",
    line: "this.hash = undefined",
    original: "this.hash = undefined",
    replacement: "{}",
    reason: "An unset field reads as undefined. The assignment only gives all objects of the class one hidden class."
  },
  {
    file: "src/internal/referent.ts",
    line: "this.sharedRef = undefined",
    original: "this.sharedRef = undefined",
    replacement: "{}",
    reason: "An unset field reads as undefined. The assignment only gives all objects of the class one hidden class."
  },
  {
    file: "src/internal/referent.ts",
    line: "this.sharedProxy = undefined",
    original: "this.sharedProxy = undefined",
    replacement: "{}",
    reason: "An unset field reads as undefined. The assignment only gives all objects of the class one hidden class."
  },
  {
    file: "src/internal/referent.ts",
    line: "this.ownRefs = undefined",
    original: "this.ownRefs = undefined",
    replacement: "{}",
    reason: "An unset field reads as undefined. The assignment only gives all objects of the class one hidden class."
  },
  {
    file: "src/internal/table.ts",
    line: "this.cursor = undefined",
    original: "this.cursor = undefined",
    replacement: "{}",
    reason: "An unset field reads as undefined. The assignment only gives all objects of the class one hidden class."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "this.primitives = false",
    original: "this.primitives = false",
    replacement: "{}",
    reason:
      "Read only as a condition, and an unset field is as false. The assignment only gives all objects of the class one hidden class."
  },
  {
    file: "src/internal/leakMonitor.ts",
    line: "this.over = false",
    original: "this.over = false",
    replacement: "{}",
    reason:
      "Read only as a condition, and an unset field is as false. The assignment only gives all objects of the class one hidden class."
  },
  {
    file: "src/WeakMemo.ts",
    line: "this.used = 0",
    original: "this.used = 0",
    replacement: "{}",
    reason:
      "`use` sets it before anything reads it. The assignment only gives all objects of the class one hidden class."
  },
  {
    file: "src/WeakMemo.ts",
    line: "this.used = 0",
    original: "0",
    replacement: "1",
    reason: "`use` sets it before anything reads it."
  },
  {
    file: "src/WeakKeyMap.ts",
    line: "keepHot(TypeId, () => new WeakKeyMapImpl(new WeakKeyTable(host, \"reference\")))",
    original: "keepHot(TypeId, () => new WeakKeyMapImpl(new WeakKeyTable(host, \"reference\")))",
    replacement: "{}",
    reason: "Only keeps the classes hot, which makes loops fast after a collection."
  },
  {
    file: "src/WeakSet.ts",
    line: "keepHot(TypeId, () => new WeakSetImpl(new WeakElementTable(host, \"reference\")))",
    original: "keepHot(TypeId, () => new WeakSetImpl(new WeakElementTable(host, \"reference\")))",
    replacement: "{}",
    reason: "Only keeps the classes hot, which makes loops fast after a collection."
  },
  {
    file: "src/WeakValueMap.ts",
    line: "keepHot(TypeId, () => new WeakValueMapImpl(new WeakValueTable(host, \"structural\")))",
    original: "keepHot(TypeId, () => new WeakValueMapImpl(new WeakValueTable(host, \"structural\")))",
    replacement: "{}",
    reason: "Only keeps the classes hot, which makes loops fast after a collection."
  },
  {
    file: "src/WeakValueMap.ts",
    line: "keepHot(TypeId, () => new WeakValueMapImpl(new WeakValueTable(host, \"structural\")))",
    original: "\"structural\"",
    replacement: "\"\"",
    reason: "Nobody uses this instance. It only keeps its classes hot."
  },
  {
    file: "src/internal/weakCache/lookups.ts",
    line: "if (!lookup.hasEnded) return this.#wait(lookup, waiter, restore)",
    original: "!lookup.hasEnded",
    replacement: "true",
    reason: "`wait` finds the same exit. The rest of the function is only faster."
  },
  {
    file: "src/internal/callbacks.ts",
    line: "this.callback.end(\"ended\")",
    original: "\"ended\"",
    replacement: "\"\"",
    reason: "The owner is dead, so there is no job, and then `end` sets this status itself."
  }
]
