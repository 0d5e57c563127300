/** Mutants that change nothing which a program could see, each with the reason. A score leaves them out. */
export interface Equivalent {
  readonly file: string
  /** The whole line in which the mutant is, without spaces at its ends. */
  readonly line: string
  readonly original: string
  readonly replacement: string
  /** Which of the equal mutants of equal lines, counted from 0. The entry holds for all of them without it. */
  readonly nth?: number
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
    file: "src/internal/outline.ts",
    line: "let left = 0",
    original: "0",
    replacement: "1",
    reason: "Each outline sets it before it begins."
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
    line: "#weight = 0",
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
    file: "src/internal/testing/heapSnapshot.ts",
    line: "const nine = 57",
    original: "57",
    replacement: "(57 + 1)",
    reason: "The next character is the colon, which does not occur in a list of numbers."
  },
  {
    file: "src/internal/testing/schedule.ts",
    line: "let turn: number | undefined | \"none\" = \"none\"",
    original: "\"none\"",
    replacement: "\"\"",
    reason: "Compared only with turns, which are numbers or undefined."
  },
  {
    file: "src/internal/testing/explorer.ts",
    line: "if (!sampled && !(sampling && pending.length - first > 2 * left)) {",
    original: ">",
    replacement: ">=",
    reason: "Keeps one schedule less in memory than it may."
  },
  {
    file: "src/internal/testing/explorer.ts",
    line: "const Running = /*#__PURE__*/ Context.Reference<boolean>(\"effect-weakref/testing/Running\", {",
    original: "\"effect-weakref/testing/Running\"",
    replacement: "\"\"",
    reason: "Any key will do that no other service has."
  },
  {
    file: "src/internal/testing/explorer.ts",
    line:
      "while (first < pending.length && tried.size < settings.maxSchedules && attempts < 2 * settings.maxSchedules) {",
    original: "2",
    replacement: "(2 + 1)",
    reason: "How often sampling may meet what it has met before is a bound of the time."
  },
  {
    file: "src/internal/testing/constructors.ts",
    line: "if (!isWeakReferenceable(key)) return undefined",
    original: "!isWeakReferenceable(key)",
    replacement: "false",
    reason: "No map of the host has such a key, so nothing is found."
  },
  {
    file: "src/internal/testing/exploredCollector.ts",
    line: "if (this.ending) return",
    original: "this.ending",
    replacement: "false",
    reason: "A second call for the end of a turn finds that the turn has ended."
  },
  {
    file: "src/internal/testing/exploredCollector.ts",
    line: "if (this.ending) return",
    original: "return",
    replacement: "{}",
    reason: "A second call for the end of a turn finds that the turn has ended."
  },
  {
    file: "src/internal/testing/exploredCollector.ts",
    line: "this.ending = true",
    original: "this.ending = true",
    replacement: "{}",
    reason: "A second call for the end of a turn finds that the turn has ended."
  },
  {
    file: "src/internal/testing/exploredCollector.ts",
    line: "this.ending = true",
    original: "true",
    replacement: "false",
    reason: "A second call for the end of a turn finds that the turn has ended."
  },
  {
    file: "src/internal/testing/exploredCollector.ts",
    line: "else same.push(world)",
    original: "push",
    replacement: "unshift",
    reason: "The order of the worlds decides nothing."
  },
  {
    file: "src/internal/testing/exploredCollector.ts",
    line: "for (let subset = 0; subset < 2 ** items.length; subset++) {",
    original: "<",
    replacement: "<=",
    reason: "The additional subset is the empty one again."
  },
  {
    file: "src/internal/testing/exploredCollector.ts",
    line: "for (let subset = 0; subset < 2 ** items.length; subset++) {",
    original: "2",
    replacement: "(2 + 1)",
    reason: "The additional numbers have the same lower bits, and so describe the same subsets."
  },
  {
    file: "src/internal/testing/exploredCollector.ts",
    line: "if ((subset & (1 << index)) === 0) return",
    original: "===",
    replacement: "!==",
    reason: "Visits the same subsets in the opposite order."
  },
  {
    file: "src/internal/testing/explorer.ts",
    line: "if (timeout < 1) break",
    original: "<",
    replacement: "<=",
    reason: "Gives up shortening one millisecond earlier."
  },
  {
    file: "src/internal/testing/turns.ts",
    line: "const rounds = 256",
    original: "256",
    replacement: "(256 + 1)",
    reason: "One round more. A program that takes nearly as many is not promised anything."
  },
  {
    file: "src/internal/testing/turns.ts",
    line: "const wait = () => left-- > 0 ? queueMicrotask(wait) : f()",
    original: ">",
    replacement: ">=",
    reason: "One round more. A program that takes nearly as many is not promised anything."
  },
  {
    file: "src/internal/testing/turns.ts",
    line: "const wait = () => left-- > 0 ? queueMicrotask(wait) : f()",
    original: "0",
    replacement: "1",
    reason: "One round less. A program that takes nearly as many is not promised anything."
  },
  {
    file: "src/internal/testing/scripts.ts",
    line: "if (origin === undefined) this.#origins.set(shared, origin = originOfScript(this.scriptOf(closure)))",
    original: "origin === undefined",
    replacement: "true",
    reason: "Computes again what it has kept."
  },
  {
    file: "src/internal/testing/scripts.ts",
    line: "this.#scopes ??= this.#scopesOfFunctions()",
    original: "??=",
    replacement: "=",
    reason: "Computes again what it has kept."
  },
  {
    file: "src/internal/testing/scripts.ts",
    line: "for (let edge = 0; edge < edges; edge++) {",
    original: "0",
    replacement: "1",
    reason: "The first edge is that of the root, which is no function."
  },
  {
    file: "src/internal/testing/scripts.ts",
    line: "for (let edge = 0; edge < edges; edge++) {",
    original: "<",
    replacement: "<=",
    reason: "There is no edge with this number, so it has no name."
  },
  {
    file: "src/internal/testing/inspector.ts",
    line: "for (let edge = 0; edge < edges; edge++) {",
    original: "0",
    replacement: "1",
    reason: "The first edge is that of the root, which does not hold the mark."
  },
  {
    file: "src/internal/testing/inspector.ts",
    line: "for (let edge = 0; edge < edges; edge++) {",
    original: "<",
    replacement: "<=",
    reason: "There is no edge with this number, so it has no name."
  },
  {
    file: "src/internal/testing/inspector.ts",
    line: "let marks = 0",
    original: "0",
    replacement: "1",
    reason: "Counts from another number."
  },
  {
    file: "src/internal/testing/inspector.ts",
    line: "const name = `effect-weakref:marked:${++marks}:${Math.random()}`",
    original: "++marks",
    replacement: "--marks",
    reason: "Counts downwards, and so makes names that are as unique."
  },
  {
    file: "src/internal/testing/inspector.ts",
    line: "export const objectGroup = \"effect-weakref/LeakDetector\"",
    original: "\"effect-weakref/LeakDetector\"",
    replacement: "\"\"",
    reason: "The session is the only one that uses the group, so any name does."
  },
  {
    file: "src/internal/testing/instances.ts",
    line: "for (let node = 0; node < snapshot.nodeCount; node++) {",
    original: "0",
    replacement: "1",
    reason: "The first node is the root of the snapshot, which is no object."
  },
  {
    file: "src/internal/testing/instances.ts",
    line: "for (let node = 0; node < snapshot.nodeCount; node++) {",
    original: "<",
    replacement: "<=",
    reason: "There is no node with this number, so it has no edges and no prototype."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "if (index === undefined) this.#indexes.set(string, index = this.#strings.indexOf(string))",
    original: "index === undefined",
    replacement: "true",
    reason: "Searches again for what it has kept."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "for (let at = 0; at < locations.length; at += 3) {",
    original: "<",
    replacement: "<=",
    reason: "There is no place with this number, so it is not that of the node."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "#codes = new Uint16Array(1 << 16)",
    original: "16",
    replacement: "(16 + 1)",
    reason: "The array grows as it must."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "#ends = new Uint32Array(1 << 12)",
    original: "12",
    replacement: "(12 + 1)",
    reason: "The array grows as it must."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "const codes = new Uint16Array(this.#codes.length * 2)",
    original: "2",
    replacement: "(2 + 1)",
    reason: "Grows faster."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "const ends = new Uint32Array(this.#ends.length * 2)",
    original: "2",
    replacement: "(2 + 1)",
    reason: "Grows faster."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "for (let index = 0; index < this.#count; index++) {",
    original: "<",
    replacement: "<=",
    reason: "There is no string with this number, so it has no length and no first character."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "const overlap = 32",
    original: "32",
    replacement: "(32 + 1)",
    reason: "Keeps one more character than it must."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "#reading: \"header\" | \"numbers\" | \"key\" | \"strings\" = \"header\"",
    original: "\"header\"",
    replacement: "\"\"",
    reason: "Compared only with the other states."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "#row = 0",
    original: "0",
    replacement: "1",
    reason: "Set again when a section begins."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "for (let node = 0; node < header.snapshot.node_count; node++) firstEdge[node + 1]! += firstEdge[node]!",
    original: "0",
    replacement: "1",
    reason: "Adds nothing for the first node."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "for (let node = 0; node < header.snapshot.node_count; node++) firstEdge[node + 1]! += firstEdge[node]!",
    original: "<",
    replacement: "<=",
    reason: "Writes behind the end of the array, which does nothing."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "if (this.#reading === \"key\") this.#text = this.#text.slice(-overlap)",
    original: "this.#reading === \"key\"",
    replacement: "false",
    reason: "Only saves memory: the key is found behind any text."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "if (this.#reading === \"key\") this.#text = this.#text.slice(-overlap)",
    original: "\"key\"",
    replacement: "\"\"",
    reason: "Only saves memory: the key is found behind any text."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "if (this.#reading === \"key\") this.#text = this.#text.slice(-overlap)",
    original: "this.#text = this.#text.slice(-overlap)",
    replacement: "{}",
    reason: "Only saves memory: the key is found behind any text."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "this.#text = \"\"",
    original: "\"\"",
    replacement: "\"mutated\"",
    reason: "The next key is found behind any text."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: "this.#reading = \"key\"",
    original: "\"key\"",
    replacement: "\"\"",
    reason: "The state \"key\" only saves memory."
  },
  {
    file: "src/internal/testing/heapSnapshot.ts",
    line: ": meta.location_fields ?? [\"object_index\", \"script_id\", \"line\", \"column\"]",
    original: "\"script_id\"",
    replacement: "\"\"",
    reason: "A field that is skipped may have any name."
  },
  {
    file: "src/internal/testing/retainingPath.ts",
    line: "for (let cost = 0; cost < buckets.length && left.size > 0; cost++) {",
    original: "<",
    replacement: "<=",
    reason: "There is no bucket with this number."
  },
  {
    file: "src/internal/testing/retainingPath.ts",
    line: "for (let cost = 0; cost < buckets.length && left.size > 0; cost++) {",
    original: ">",
    replacement: ">=",
    reason: "Goes on searching after everything has been found."
  },
  {
    file: "src/internal/testing/retainingPath.ts",
    line: "for (let at = 0; at < bucket.length; at++) {",
    original: "<",
    replacement: "<=",
    reason: "There is no node with this number, so it has no edges."
  },
  {
    file: "src/internal/testing/retainingPath.ts",
    line: "if (settled[node] === 1) continue",
    original: "settled[node] === 1",
    replacement: "false",
    reason: "Looks again at edges that cannot lead to a cheaper path."
  },
  {
    file: "src/internal/testing/retainingPath.ts",
    line: "if (settled[node] === 1) continue",
    original: "continue",
    replacement: "{}",
    reason: "Looks again at edges that cannot lead to a cheaper path."
  },
  {
    file: "src/internal/testing/retainingPath.ts",
    line: "left.delete(node)",
    original: "left.delete(node)",
    replacement: "{}",
    reason: "Goes on searching after everything has been found."
  },
  {
    file: "src/internal/testing/retainingPath.ts",
    line: "waiting.delete(id)",
    original: "waiting.delete(id)",
    replacement: "{}",
    reason: "Only frees memory: the table is not reached again."
  },
  {
    file: "src/internal/testing/retainingPath.ts",
    line: "else edges.push(edge)",
    original: "push",
    replacement: "unshift",
    reason: "Edges of one cost are followed in any order."
  },
  {
    file: "src/internal/testing/retainingPath.ts",
    line: "buckets[cost] = undefined",
    original: "buckets[cost] = undefined",
    replacement: "{}",
    reason: "Only frees memory."
  },
  {
    file: "src/internal/testing/retainers.ts",
    line: "const name = holder === undefined ? undefined : await this.#nameInScopes(holder, to)",
    original: "holder === undefined ? undefined : await this.#nameInScopes(holder, to)",
    replacement: "await this.#nameInScopes(holder, to)",
    reason: "The inspector knows no object without a number, and the error is caught."
  },
  {
    file: "src/internal/testing/retainers.ts",
    line: "const name = held === undefined ? undefined : await this.#nameInScopes(from, held)",
    original: "held === undefined ? undefined : await this.#nameInScopes(from, held)",
    replacement: "await this.#nameInScopes(from, held)",
    reason: "The inspector knows no object without a number, and the error is caught."
  },
  {
    file: "src/internal/testing/retainers.ts",
    line: "if (list === undefined) return undefined",
    original: "list === undefined",
    replacement: "false",
    reason: "The inspector refuses a request without an object, and the error is caught."
  },
  {
    file: "src/internal/testing/retainers.ts",
    line: "if (result.objectId === undefined) throw new Error(\"not an object\")",
    original: "result.objectId === undefined",
    replacement: "false",
    reason: "The inspector refuses a request without an object, and the error is caught as well."
  },
  {
    file: "src/internal/testing/retainers.ts",
    line: "if (scope === undefined) return names",
    original: "scope === undefined",
    replacement: "false",
    reason: "There is no node without a number, so it has no fields."
  },
  {
    file: "src/internal/testing/retainers.ts",
    line: "return holder === undefined ? undefined : this.#closureOf(holder)",
    original: "holder === undefined ? undefined : this.#closureOf(holder)",
    replacement: "this.#closureOf(holder)",
    reason: "There is no node without a number, so it is no function."
  },
  {
    file: "src/internal/testing/retainers.ts",
    line: "return step === undefined ? \"\" : this.#snapshot.nameOf(step.from)",
    original: "\"\"",
    replacement: "\"mutated\"",
    reason: "Compared only with names that V8 and Effect give to their objects."
  },
  {
    file: "src/internal/testing/retainers.ts",
    line: "for (let at = 0; at < path.length; at++) {",
    original: "0",
    replacement: "1",
    reason: "The first step leaves the root of the snapshot, which is no root that programmers know."
  },
  {
    file: "src/internal/testing/retainers.ts",
    line: "const ofProgram = path.findIndex((_, at) => at > start && this.#isOfProgram(at))",
    original: ">",
    replacement: ">=",
    reason: "The step where the path begins is none of the program, because `#isOfRunner` has returned true."
  },
  {
    file: "src/internal/testing/retainers.ts",
    line: "while (next < this.#path.length && this.#snapshot.typeOf(this.#path[next - 1]!.to) === \"array\") next++",
    original: "<",
    replacement: "<=",
    reason: "The path has ended, and no step follows that could be left out."
  },
  {
    file: "src/internal/testing/retainers.ts",
    line: "const finalizer = this.#path[next - 1]?.to ?? 0",
    original: "0",
    replacement: "1",
    reason: "Neither the root nor the node after it is a function."
  },
  {
    file: "src/internal/testing/retainers.ts",
    line: "if (seen.size > 200) return undefined",
    original: ">",
    replacement: ">=",
    reason: "A bound of the time, which nobody counts."
  },
  {
    file: "src/internal/testing/retainers.ts",
    line: "if (seen.size > 200) return undefined",
    original: "200",
    replacement: "(200 + 1)",
    reason: "A bound of the time, which nobody counts."
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
    line: "const lookup = this.#refreshes.size === 0 ? undefined : this.#refreshes.get(key)",
    original: "this.#refreshes.size === 0 ? undefined : this.#refreshes.get(key)",
    replacement: "this.#refreshes.get(key)",
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
  },
  {
    file: "src/internal/keyTable.ts",
    line: "this.ephemerons = undefined",
    original: "this.ephemerons = undefined",
    replacement: "{}",
    nth: 0,
    reason: "An unset field reads as undefined. The assignment only gives all objects of the class one hidden class."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "if (this.ephemerons?.has(key)) return this.setInEphemeron(key, value)",
    original: "this.ephemerons?.has(key)",
    replacement: "false",
    reason: "The rest of the function finds the same, only later."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "if (!this.primitives && !this.structural) return Option.none()",
    original: "!this.primitives && !this.structural",
    replacement: "false",
    reason: "The rest of the function finds the same, only later."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "return this.structural ? this.getEqual(key) : Option.none()",
    original: "this.structural ? this.getEqual(key) : Option.none()",
    replacement: "this.getEqual(key)",
    reason: "By reference no key has a hash, so that the search finds only the key itself."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "const slot = this.structural ? this.findEqual(key, hash) : undefined",
    original: "this.structural ? this.findEqual(key, hash) : undefined",
    replacement: "this.findEqual(key, hash)",
    reason: "By reference no key has a hash, so that the search finds only the key itself, which is not there."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "this.takeOut(slot, this.buckets.size === 0 ? slot.hash ?? slot : this.placeOf(slot), key)",
    original: "this.buckets.size === 0 ? slot.hash ?? slot : this.placeOf(slot)",
    replacement: "this.placeOf(slot)",
    reason: "Computes the same place with another look-up."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "const others = this.buckets.size === 0 ? undefined : super.slotsAt(hash)",
    original: "this.buckets.size === 0 ? undefined : super.slotsAt(hash)",
    replacement: "super.slotsAt(hash)",
    reason: "An empty map has no entry of this hash."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "if (!this.slots.has(element)) this.setEqual(element, true)",
    original: "true",
    replacement: "false",
    reason: "Nobody reads the value of an element."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "this.insertKey(element, true, hash)",
    original: "true",
    replacement: "false",
    reason: "Nobody reads the value of an element."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "this.setEach(all, all.map(() => true))",
    original: "true",
    replacement: "false",
    reason: "Nobody reads the value of an element."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "this.fill(Array.from(elements, (element) => [element, true]))",
    original: "true",
    replacement: "false",
    reason: "Nobody reads the value of an element."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "if (slots[i] === undefined) this.setExact(element, true, hashes[i])",
    original: "true",
    replacement: "false",
    reason: "Nobody reads the value of an element."
  },
  {
    file: "src/internal/valueTable.ts",
    line: "if (hash !== undefined) slot = this.findEqual(key, hash)",
    original: "hash !== undefined",
    replacement: "true",
    reason: "Without a hash, the search finds only the key itself, which is not there."
  },
  {
    file: "src/internal/table.ts",
    line: "return this.findExact(key) ?? (this.structural ? this.findEqual(key) : undefined)",
    original: "this.structural ? this.findEqual(key) : undefined",
    replacement: "this.findEqual(key)",
    reason: "By reference no key has a hash, so that the search finds only the key itself."
  },
  {
    file: "src/internal/table.ts",
    line: "if (!this.structural) return keys.forEach((key, i) => this.set(key, values[i]!))",
    original: "!this.structural",
    replacement: "false",
    reason: "By reference no user code runs, so that the rest sets the same entries."
  },
  {
    file: "src/internal/table.ts",
    line: "const first = changes === this.changes ? Option.none() : this.get(key)",
    original: "changes === this.changes ? Option.none() : this.get(key)",
    replacement: "this.get(key)",
    reason: "Looks up again what cannot have changed."
  },
  {
    file: "src/internal/table.ts",
    line: "else newKeys.push(key)",
    original: "push",
    replacement: "unshift",
    reason: "The order of the keys of one hash decides nothing, because they are all different."
  },
  {
    file: "src/internal/table.ts",
    line: "else if (Array.isArray(bucket)) bucket.push(slot)",
    original: "push",
    replacement: "unshift",
    reason: "The order of the slots of one hash decides nothing, because their keys are all different."
  },
  {
    file: "src/internal/effectInternals.ts",
    line: "if (state._tag !== \"Open\") return",
    original: "state._tag !== \"Open\"",
    replacement: "false",
    reason: "A Scope that is not open has neither a key nor a map, so nothing is removed."
  },
  {
    file: "src/internal/effectInternals.ts",
    line: "if (state._tag !== \"Open\") return",
    original: "return",
    replacement: "{}",
    reason: "A Scope that is not open has neither a key nor a map, so nothing is removed."
  },
  {
    file: "src/internal/equality.ts",
    line: "TypedArray: \"\"",
    original: "\"\"",
    replacement: "\"mutated\"",
    reason: "`isTransparent` decides about this kind before it reads the member."
  },
  {
    file: "src/internal/equality.ts",
    line: "const builtIns: Readonly<Record<string, string>> = { Array: \"\", Map: \"size\", Set: \"size\", ...leaves }",
    original: "\"\"",
    replacement: "\"mutated\"",
    reason: "`isTransparent` decides about this kind before it reads the member."
  },
  {
    file: "src/internal/equality.ts",
    line: "let asked = false",
    original: "false",
    replacement: "true",
    reason: "Each question sets it before it is read."
  },
  {
    file: "src/internal/equality.ts",
    line: "if (implementsEqual(value)) return [[\"\", contentOf(value)]]",
    original: "\"\"",
    replacement: "\"mutated\"",
    reason: "Both sides get the same key, and no other part is compared with it."
  },
  {
    file: "src/internal/traps.ts",
    line: "const ownerTarget = recent.traps === owner ? recent.target! : owner.target(\"call the function\", this.key)",
    original: "recent.traps === owner ? recent.target! : owner.target(\"call the function\", this.key)",
    replacement: "owner.target(\"call the function\", this.key)",
    reason: "`owner.target` reads the same target from the same cache, and checks it as the look-up does that follows."
  },
  {
    file: "src/internal/traps.ts",
    line: "if (recent.traps === undefined) void forgetSoon()",
    original: "recent.traps === undefined",
    replacement: "true",
    reason: "Clears the cache once more at the same time."
  },
  {
    file: "src/internal/traps.ts",
    line: "const user = frames.find((line) => !between.test(line)) ?? \"\"",
    original: "\"\"",
    replacement: "\"mutated\"",
    reason: "Any text will do that is no frame."
  },
  {
    file: "src/internal/callbacks.ts",
    line: "kept ??= new CallbackImpl(Scope.makeUnsafe(), undefined)",
    original: "??=",
    replacement: "=",
    reason: "Keeps the newest instance alive instead of the first, which keeps the class hot as well."
  },
  {
    file: "src/internal/leakMonitor.ts",
    line: "if (shared !== undefined) return shared",
    original: "shared !== undefined",
    replacement: "false",
    reason: "Returns an equal string. That it is shared saves only memory."
  },
  {
    file: "src/internal/leakMonitor.ts",
    line: "if (stacks.size < maxSharedStacks) stacks.set(stack, stack)",
    original: "<",
    replacement: "<=",
    reason: "Shares one string more."
  },
  {
    file: "src/internal/leakMonitor.ts",
    line: "const maxSharedStacks = 1024",
    original: "1024",
    replacement: "(1024 + 1)",
    reason: "Shares one string more."
  },
  {
    file: "src/internal/leakMonitor.ts",
    line: "return reports.length === 0 ? undefined : Promise.all(reports).then(() => {})",
    original: "reports.length === 0 ? undefined : Promise.all(reports).then(() => {})",
    replacement: "Promise.all(reports).then(() => {})",
    reason: "A heap waits for a promise that is over at once."
  },
  {
    file: "src/internal/leakMonitor.ts",
    line: "if (fiber.pollUnsafe() !== undefined) return",
    original: "return",
    replacement: "{}",
    reason: "The observer of a fiber that has ended is called at once."
  },
  {
    file: "src/internal/leakMonitor.ts",
    line: "if (fiber.pollUnsafe() !== undefined) return",
    original: "fiber.pollUnsafe() !== undefined",
    replacement: "false",
    reason: "The observer of a fiber that has ended is called at once."
  },
  {
    file: "src/internal/registry.ts",
    line: "private static readonly length = 1024",
    original: "1024",
    replacement: "(1024 + 1)",
    reason: "The queue only has longer parts."
  },
  {
    file: "src/internal/traps.ts",
    line: "if (stackTraceLimit !== 0) Object.assign(Error, { stackTraceLimit: 10 })",
    original: "10",
    replacement: "(10 + 1)",
    reason: "The frame of the user is found as well among more frames."
  },
  {
    file: "src/internal/weakCache/lookups.ts",
    line: "if (depth > deepest) descend(framesLeft)",
    original: "depth > deepest",
    replacement: "true",
    reason: "Checks the stack at every start, which only takes time."
  },
  {
    file: "src/internal/weakCache/lookups.ts",
    line: "if (depth > deepest) descend(framesLeft)",
    original: ">",
    replacement: ">=",
    reason: "Checks the stack one level earlier, which only takes time."
  },
  {
    file: "src/internal/weakCache/lookups.ts",
    line: "this.#run(lookup, depth > deepest && !isSynchronous(parent.context))",
    original: ">",
    replacement: ">=",
    reason: "Begins with a shallow stack one level earlier."
  },
  {
    file: "src/internal/weakCache/lookups.ts",
    line: "if (waking >= deepest) return void waiting.push(act)",
    original: ">=",
    replacement: ">",
    reason: "Leaves the stack one level later."
  },
  {
    file: "src/internal/weakCache/metrics.ts",
    line: "const key = JSON.stringify([name, Object.entries(attributes).sort(([a], [b]) => a < b ? -1 : 1)])",
    original: "<",
    replacement: ">=",
    reason: "Sorts in the opposite order, which is as good for a key."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "return promises.length === 0 ? undefined : Promise.all(promises)",
    original: "promises.length === 0 ? undefined : Promise.all(promises)",
    replacement: "Promise.all(promises)",
    reason: "There is nothing to wait for, and this promise has resolved already."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "weak.extra = undefined",
    original: "weak.extra = undefined",
    replacement: "{}",
    reason:
      "Frees the weight and the times of a removed entry a little earlier. It has no resource, and nothing reads the rest."
  },
  {
    file: "src/internal/weakCache/weakCache.ts",
    line: "this.#phase === \"open\"",
    original:
      "this.#phase === \"open\"\n        ? operation()\n        : Effect.withFiber((fiber) => this.#isOpenFor(fiber) ? operation() : Effect.interrupt)",
    replacement: "Effect.withFiber((fiber) => this.#isOpenFor(fiber) ? operation() : Effect.interrupt)",
    reason: "`isOpenFor` looks at the phase first. The quick way is only faster."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "const growth = 8",
    original: "8",
    replacement: "(8 + 1)",
    reason: "How fast the window grows is a tunable, and no speed is promised."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "return h ^ (h >>> 16)",
    original: "16",
    replacement: "(16 + 1)",
    reason: "Any mixing of the bits does, because it only chooses the sample."
  },
  {
    file: "src/internal/weakCache/lookups.ts",
    line: "if (this.#running.delete(lookup)) this.#counters.failures++",
    original: "this.#running.delete(lookup)",
    replacement: "true",
    reason:
      "`forget` deletes the lookup as well, and one without an exit still runs, unless the stack has overflowed in the middle of `settle`."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "#hits = 0",
    original: "0",
    replacement: "1",
    reason: "Counts one of the first two thousand reads too many."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "#sampledReads = 0",
    original: "0",
    replacement: "1",
    reason: "Counts one of the first two thousand reads too many."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "#rest = 0",
    original: "0",
    replacement: "1",
    reason: "How long the climber rests for the first time is a tunable."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "} else if (advantage < -difference) {",
    original: "<",
    replacement: "<=",
    reason: "Differs for one exact ratio only, on the border between two decisions that are both good."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "this.#step = Math.abs(change) < restart ? stepDecay * amount : amount >= 0 ? firstStep : -firstStep",
    original: "<",
    replacement: "<=",
    reason: "Differs for one exact ratio only, on the border between two decisions that are both good."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "this.#step = Math.abs(change) < restart ? stepDecay * amount : amount >= 0 ? firstStep : -firstStep",
    original: ">=",
    replacement: ">",
    reason: "A step is never zero."
  },
  {
    file: "src/internal/weakCache/strongFront.ts",
    line: "this.#rests = this.#rest = Math.min(2 * this.#rest + 1, longestRest)",
    original: "2",
    replacement: "(2 + 1)",
    reason: "How fast the rests grow is a tunable."
  },
  {
    file: "src/internal/weakCache/frequencySketch.ts",
    line: "for (let n = 0; n < table.length; n++) table[n] = (table[n]! >> 1) & 0x77",
    original: "<",
    replacement: "<=",
    reason: "Writes behind the end of the array, which does nothing."
  },
  {
    file: "src/internal/weakCache/lookups.ts",
    line: "let reached = 0",
    original: "0",
    replacement: "1",
    reason: "The first lookup reaches this depth anyway."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "entry.exit = undefined",
    original: "entry.exit = undefined",
    replacement: "{}",
    reason: "Nothing holds or reads this form of the entry any more, or it receives a new exit at once."
  },
  {
    file: "src/internal/weakCache/timer.ts",
    line: "this.#cancel = undefined",
    original: "this.#cancel = undefined",
    replacement: "{}",
    reason: "To cancel a sleep that has ended does nothing."
  },
  {
    file: "src/internal/registry.ts",
    line: "let asked = 0",
    original: "0",
    replacement: "1",
    reason: "Turns are only compared with the last one. Any first number will do."
  },
  {
    file: "src/internal/registry.ts",
    line: "const turn = ++asked",
    original: "++asked",
    replacement: "--asked",
    reason: "Turns are only compared with the last one. Any number that is new will do."
  },
  {
    file: "src/internal/registry.ts",
    line: "if (rest !== undefined && rest !== emptied) paused.push(rest)",
    original: "push",
    replacement: "unshift",
    reason: "All of the promises are awaited, in any order."
  },
  {
    file: "src/internal/leakMonitor.ts",
    line: "this.newer = this",
    original: "this.newer = this",
    replacement: "{}",
    reason:
      "`register` inserts the record before anything reads its links. Only `Ring` requires a link that is in no list to hold itself."
  },
  {
    file: "src/internal/leakMonitor.ts",
    line: "this.older = this",
    original: "this.older = this",
    replacement: "{}",
    reason:
      "`register` inserts the record before anything reads its links. Only `Ring` requires a link that is in no list to hold itself."
  },
  {
    file: "src/internal/leakMonitor.ts",
    line: "#collections = 0",
    original: "0",
    replacement: "1",
    reason: "Only differences of this number count."
  },
  {
    file: "src/internal/leakMonitor.ts",
    line: "if (report !== undefined) reports.push(report)",
    original: "report !== undefined",
    replacement: "true",
    reason: "A heap waits for a promise that is over at once."
  },
  {
    file: "src/internal/leakMonitor.ts",
    line: "if (report !== undefined) reports.push(report)",
    original: "push",
    replacement: "unshift",
    reason: "All of the promises are awaited, in any order."
  },
  {
    file: "src/internal/leakMonitor.ts",
    line: "if (stacks.size < maxSharedStacks) stacks.set(stack, stack)",
    original: "stacks.size < maxSharedStacks",
    replacement: "true",
    reason: "Shares more strings. The bound only limits memory."
  },
  {
    file: "src/internal/leakMonitor.ts",
    line: "if (stacks.size < maxSharedStacks) stacks.set(stack, stack)",
    original: "stacks.size < maxSharedStacks",
    replacement: "false",
    reason: "Returns the same string. That it is shared saves only memory."
  },
  {
    file: "src/internal/leakMonitor.ts",
    line: "if (stacks.size < maxSharedStacks) stacks.set(stack, stack)",
    original: "<",
    replacement: ">=",
    reason: "Returns the same string. That it is shared saves only memory."
  },
  {
    file: "src/internal/leakMonitor.ts",
    line: "if (stacks.size < maxSharedStacks) stacks.set(stack, stack)",
    original: "stacks.set(stack, stack)",
    replacement: "{}",
    reason: "Returns the same string. That it is shared saves only memory."
  },
  {
    file: "src/internal/listeners.ts",
    line: "#added = 0",
    original: "0",
    replacement: "1",
    reason: "Serials are only compared with each other."
  },
  {
    file: "src/internal/listeners.ts",
    line: "const reaction = receiver === undefined ? undefined : this.#ephemeron?.get(receiver)",
    original: "receiver === undefined ? undefined : this.#ephemeron?.get(receiver)",
    replacement: "this.#ephemeron?.get(receiver)",
    reason: "A WeakMap has no value for undefined."
  },
  {
    file: "src/internal/host.ts",
    line: "if (Channel === undefined) return false",
    original: "Channel === undefined",
    replacement: "false",
    reason: "`schedule` goes on with the next function if one throws, as if it had refused."
  },
  {
    file: "src/internal/callbacks.ts",
    line: "this.job = undefined",
    original: "this.job = undefined",
    replacement: "{}",
    nth: 0,
    reason: "An unset field reads as undefined. The assignment only gives all objects of the class one hidden class."
  },
  {
    file: "src/internal/callbacks.ts",
    line: "kept ??= new CallbackImpl(Scope.makeUnsafe(), undefined)",
    original: "kept ??= new CallbackImpl(Scope.makeUnsafe(), undefined)",
    replacement: "{}",
    reason: "Nobody reads this instance. It only keeps the class hot."
  },
  {
    file: "src/internal/valueTable.ts",
    line: "return this.structural && typeof key !== \"string\" && isObject(key) ? hashOf(key) : undefined",
    original: "\"string\"",
    replacement: "\"\"",
    reason: "A string is no object. The check is only faster."
  },
  {
    file: "src/internal/collection.ts",
    line: "export const table: unique symbol = /*#__PURE__*/ Symbol(\"effect-weakref/table\")",
    original: "\"effect-weakref/table\"",
    replacement: "\"\"",
    reason: "Only the description of a symbol, which no code reads."
  },
  {
    file: "src/internal/collection.ts",
    line: "export const name: unique symbol = /*#__PURE__*/ Symbol(\"effect-weakref/name\")",
    original: "\"effect-weakref/name\"",
    replacement: "\"\"",
    reason: "Only the description of a symbol, which no code reads."
  },
  {
    file: "src/internal/collection.ts",
    line: "if (kept.has(typeId) || !isComplete) return",
    original: "kept.has(typeId) || !isComplete",
    replacement: "true",
    reason:
      "Nobody uses the instances that are kept. They only keep their classes hot, which makes loops fast after a collection."
  },
  {
    file: "src/internal/collection.ts",
    line: "kept.set(typeId, [self, self[table].hotInstances()])",
    original: "kept.set(typeId, [self, self[table].hotInstances()])",
    replacement: "{}",
    reason:
      "Nobody uses the instances that are kept. They only keep their classes hot, which makes loops fast after a collection."
  },
  {
    file: "src/WeakMemo.ts",
    line: "if (length === 1) {",
    original: "length === 1",
    replacement: "false",
    reason: "The general way finds the same result. This branch is only faster."
  },
  {
    file: "src/WeakMemo.ts",
    line: "} else if (i === length - 1 && length <= maxBits) {",
    original: "i === length - 1 && length <= maxBits",
    replacement: "false",
    reason: "The loop below finds the same entry. This branch is only faster."
  },
  {
    file: "src/WeakMemo.ts",
    line: "} else if (i === length - 1 && length <= maxBits) {",
    original: "-",
    replacement: "+",
    reason: "The loop below finds the same entry. This branch is only faster."
  },
  {
    file: "src/WeakMemo.ts",
    line: "} else if (i === length - 1 && length <= maxBits) {",
    original: "1",
    replacement: "0",
    reason: "The loop below finds the same entry. This branch is only faster."
  },
  {
    file: "src/WeakMemo.ts",
    line: "} else if (i === length - 1 && length <= maxBits) {",
    original: "<=",
    replacement: "<",
    reason: "The loop below finds the same entry. This branch is only faster."
  },
  {
    file: "src/WeakMemo.ts",
    line: "if (results === undefined || results.shape !== bits || (bits + 2 & bits) !== 0) break",
    original: "results === undefined || results.shape !== bits || (bits + 2 & bits) !== 0",
    replacement: "true",
    reason: "The loop below finds the same entry. This branch is only faster."
  },
  {
    file: "src/WeakMemo.ts",
    line: "if (results === undefined || results.shape !== bits || (bits + 2 & bits) !== 0) break",
    original: "2",
    replacement: "(2 + 1)",
    reason: "The last bit is 0, because the last argument is a primitive, so the sum has no other carry."
  },
  {
    file: "src/WeakMemo.ts",
    line: "if (results === undefined || results.shape !== bits || (bits + 2 & bits) !== 0) break",
    original: "0",
    replacement: "1",
    reason: "The last bit of the result is 0, so the condition always holds, and the loop below finds the same entry."
  },
  {
    file: "src/WeakMemo.ts",
    line: "const entry = (results.level as Level | undefined)?.get(arg === 0 ? keyOf(arg) : arg) as Entry | undefined",
    original: "arg === 0 ? keyOf(arg) : arg",
    replacement: "keyOf(arg)",
    reason: "`keyOf` returns every other argument itself. The condition only saves a call."
  },
  {
    file: "src/WeakMemo.ts",
    line: "if (entry === undefined) break",
    original: "entry === undefined",
    replacement: "true",
    reason: "The loop below finds the same entry. This branch is only faster."
  },
  {
    file: "src/WeakMemo.ts",
    line: "if (!isObjectKeyword(arg)) found = (found as Level).get(arg === 0 ? keyOf(arg) : arg)",
    original: "arg === 0 ? keyOf(arg) : arg",
    replacement: "keyOf(arg)",
    reason: "`keyOf` returns every other argument itself. The condition only saves a call."
  },
  {
    file: "src/WeakMemo.ts",
    line: "if (key === \"prototype\" || key === \"arguments\" || key === \"caller\") continue",
    original: "\"arguments\"",
    replacement: "\"\"",
    reason:
      "The functions of V8 14 have no such property of their own. Those of older engines do, and the mutants run on V8 14."
  },
  {
    file: "src/WeakMemo.ts",
    line: "if (key === \"prototype\" || key === \"arguments\" || key === \"caller\") continue",
    original: "\"caller\"",
    replacement: "\"\"",
    reason:
      "The functions of V8 14 have no such property of their own. Those of older engines do, and the mutants run on V8 14."
  },
  {
    file: "src/WeakMemo.ts",
    line: "const maxBits = 29",
    original: "29",
    replacement: "(29 + 1)",
    reason: "The bits of 30 arguments fit into an integer of 32 bits as well, which is only slower in some engines."
  },
  {
    file: "src/WeakMemo.ts",
    line: "this.generation = 0",
    original: "0",
    replacement: "1",
    reason: "Counts from another number."
  },
  {
    file: "src/WeakMemo.ts",
    line: "this.generation++",
    original: "this.generation++",
    replacement: "this.generation--",
    reason: "Only compared with an earlier value, and nothing else changes it."
  },
  {
    file: "src/WeakMemo.ts",
    line: "this.uses = 0",
    original: "0",
    replacement: "1",
    reason: "Counts from another number."
  },
  {
    file: "src/WeakMemo.ts",
    line: "this.sortedAt = 0",
    original: "0",
    replacement: "1",
    reason: "Read only for an entry of `sorted`, which is empty until both are set."
  },
  {
    file: "src/WeakMemo.ts",
    line: "} else if (entry.used !== 0 && entry.used <= this.sortedAt) {",
    original: "<=",
    replacement: "<",
    reason: "Sorts again, and then takes the same entry, because all other entries have been used since."
  },
  {
    file: "src/WeakMemo.ts",
    line: "let generation = 0",
    original: "0",
    replacement: "1",
    reason: "Counts from another number."
  },
  {
    file: "src/WeakMemo.ts",
    line: "else if (kept instanceof Set) kept.add(family)",
    original: "kept instanceof Set",
    replacement: "false",
    reason: "A set in a set keeps its families as well, and only takes more memory."
  },
  {
    file: "src/Finalizer.ts",
    line: "setOpCount(fiber, -1)",
    original: "1",
    replacement: "0",
    reason:
      "The step after it makes the count 1 instead of 0, and Effect hangs if a fiber may make fewer than three steps before it yields."
  },
  {
    file: "src/LeakMonitor.ts",
    line: "if (!isAnyRunning()) return Effect.succeed(value)",
    original: "!isAnyRunning()",
    replacement: "false",
    reason: "Without a monitor that runs, the rest does the same. The condition only makes it faster."
  },
  {
    file: "src/LeakMonitor.ts",
    line: "if (!isAnyRunning()) return false",
    original: "!isAnyRunning()",
    replacement: "false",
    reason: "Without a monitor that runs, the rest does the same. The condition only makes it faster."
  },
  {
    file: "src/internal/weakCache/turn.ts",
    line: "let turn = 0",
    original: "0",
    replacement: "1",
    reason: "Each turn only needs another number than the turns before, and none is -1."
  },
  {
    file: "src/internal/weakCache/turn.ts",
    line: "turn++",
    original: "turn++",
    replacement: "turn--",
    reason:
      "Each turn only needs a number that no earlier turn had. In the turn -1, a new counter weighs nothing anyway."
  },
  {
    file: "src/internal/weakCache/turn.ts",
    line: "#turn = -1",
    original: "1",
    replacement: "0",
    reason: "In the first turn of the program, a new counter weighs nothing anyway, and no later turn has the number 0."
  },
  {
    file: "src/internal/weakCache/metrics.ts",
    line:
      "this.#registrations.push(Metric.registerUnsafe(metric, this.#context, { get, update: ignore, modify: ignore }))",
    original: "push",
    replacement: "unshift",
    reason: "They are only removed, all at once."
  },
  {
    file: "src/internal/weakCache/metrics.ts",
    line: "const key = JSON.stringify([name, Object.entries(attributes).sort(([a], [b]) => a < b ? -1 : 1)])",
    original: "<",
    replacement: "<=",
    reason: "No two attributes have the same name."
  },
  {
    file: "src/internal/weakCache/entryTable.ts",
    line: "const bucket = hash === undefined ? undefined : this.#buckets.get(hash)",
    original: "hash === undefined ? undefined : this.#buckets.get(hash)",
    replacement: "this.#buckets.get(hash)",
    reason: "No bucket has the hash undefined. The check is for the compiler."
  },
  {
    file: "src/internal/weakCache/entryTable.ts",
    line: "else bucket.push(value.key)",
    original: "push",
    replacement: "unshift",
    reason: "The keys of a bucket are not equal to each other, so at most one of them is found, in any order."
  },
  {
    file: "src/internal/weakCache/expiry.ts",
    line: "if (above.expiresAt! <= item.expiresAt!) break",
    original: "<=",
    replacement: "<",
    reason: "Swaps entries that expire at the same time, whose order is not defined."
  },
  {
    file: "src/internal/weakCache/expiry.ts",
    line: "if (below.expiresAt! >= item.expiresAt!) break",
    original: ">=",
    replacement: ">",
    reason: "Swaps entries that expire at the same time, whose order is not defined."
  },
  {
    file: "src/internal/weakCache/idle.ts",
    line: "place = -1",
    original: "1",
    replacement: "0",
    reason: "A new item is added to the queue at once, which sets its place."
  },
  {
    file: "src/internal/weakCache/background.ts",
    line: "Effect.forEach(waiting, ([key, cause]) => this.#reportOne(key, cause), { discard: true }),",
    original: "true",
    replacement: "false",
    reason: "Nobody reads the results. It only saves their array."
  },
  {
    file: "src/internal/weakCache/background.ts",
    line: "return fiber.pollUnsafe() === undefined",
    original:
      "fiber.pollUnsafe() === undefined\n        ? Effect.asVoid(Effect.timeoutOption(Fiber.await(fiber), patience))\n        : Effect.void",
    replacement: "Effect.asVoid(Effect.timeoutOption(Fiber.await(fiber), patience))",
    reason: "To wait for a fiber that has ended takes no time. The check only saves the timer."
  },
  {
    file: "src/internal/weakCache/weakCache.ts",
    line: "if (resources.length === 0) return Effect.void",
    original: "resources.length === 0",
    replacement: "false",
    reason: "To wait for no fibers ends at once. The check is only faster."
  },
  {
    file: "src/internal/weakCache/weakCache.ts",
    line: "this.#closeRounds(fiber, exit, 1),",
    original: "1",
    replacement: "0",
    reason: "A tunable: after any number of rounds, finalizers that always load again are cut off."
  },
  {
    file: "src/internal/weakCache/weakCache.ts",
    line: "if (ended !== undefined && !isOwn) ending.push(ended)",
    original: "push",
    replacement: "unshift",
    reason: "Waits for all of these fibers and does not read their exits, so their order has no meaning."
  },
  {
    file: "src/internal/weakCache/weakCache.ts",
    line: "if (round === roundsOfClosing) this.#phase = \"closed\"",
    original: "\"closed\"",
    replacement: "\"\"",
    reason:
      "Only `set` compares with this phase, after `weigh` has closed the cache within one turn. Then `closeRounds` sets the phase again at its end."
  },
  {
    file: "src/internal/weakCache/weakCache.ts",
    line: "this.#phase = \"closed\"",
    original: "\"closed\"",
    replacement: "\"\"",
    nth: 1,
    reason:
      "In `untilStuck`: only `set` compares with this phase, after `weigh` has closed the cache within one turn, in which no second passes. The other such line of the file has a test."
  },
  {
    file: "src/internal/weakCache/weakCache.ts",
    line: "this.#phase === \"open\"",
    original: "\"open\"",
    replacement: "\"\"",
    reason: "`isOpenFor` looks at the phase as well. The quick way is only faster."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "lookup.entry = undefined",
    original: "lookup.entry = undefined",
    replacement: "{}",
    reason: "A lookup that is not wanted only detaches the entry again, which has left the table, so that does nothing."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "entry.lookup = undefined",
    original: "entry.lookup = undefined",
    replacement: "{}",
    reason:
      "In `detach`: the entry has left the table, and to detach its lookup again does nothing. The line of `insert` has tests."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "if (lookup !== undefined) {",
    original: "lookup !== undefined",
    replacement: "true",
    reason: "A pending entry has a lookup until it is detached or stored, and then nobody detaches it."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "entry = undefined",
    original: "entry = undefined",
    replacement: "{}",
    nth: 0,
    reason:
      "After `detach`: to replace a detached entry, which has no value, does nothing. The line after `replace` has tests."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "if (!isWeak(entry)) entry.lookup = undefined",
    original: "!isWeak(entry)",
    replacement: "true",
    reason: "The lookup of a weak entry is undefined anyway. The check only keeps its hidden class."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "if (!isWeak(entry)) entry.weight = weight",
    original: "!isWeak(entry)",
    replacement: "true",
    reason:
      "Only the strong front reads this weight, and it holds no weak entry. The check only keeps the hidden class."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "if (isPlain && entry.extra === undefined) return",
    original: "isPlain && entry.extra === undefined",
    replacement: "false",
    reason: "An extra with the defaults means the same. The branch only saves its memory."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "if (isPlain && entry.extra === undefined) return",
    original: "return",
    replacement: "{}",
    reason: "An extra with the defaults means the same. The branch only saves its memory."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "if (this.#idleTimeToLive !== Infinity) {",
    original: "this.#idleTimeToLive !== Infinity",
    replacement: "true",
    reason: "An entry that becomes idle never is never due. The check only saves memory and time."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "if (weak !== entry) this.#table.replace(entry, weak)",
    original: "weak !== entry",
    replacement: "true",
    reason: "To replace an entry by itself does nothing."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "if (!isWeak(entry)) entry.weak = weak",
    original: "!isWeak(entry)",
    replacement: "true",
    reason: "Nobody reads this property of a weak entry. The check only keeps its hidden class."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "if (weak.deref() !== undefined) return",
    original: "weak.deref() !== undefined",
    replacement: "false",
    reason:
      "An engine clears the reference before it runs the clean-up. The check protects against a heap that does not."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "if (weak.deref() !== undefined) return",
    original: "return",
    replacement: "{}",
    reason:
      "An engine clears the reference before it runs the clean-up. The check protects against a heap that does not."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "for (let left = sliceOfTimer; left > 0; left--) {",
    original: ">",
    replacement: ">=",
    reason: "A tunable: how many entries one turn of the timer removes has no meaning to the program."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "for (let left = sliceOfTimer; left > 0; left--) {",
    original: "0",
    replacement: "1",
    reason: "A tunable: how many entries one turn of the timer removes has no meaning to the program."
  },
  {
    file: "src/internal/weakCache/store.ts",
    line: "continue",
    original: "continue",
    replacement: "{}",
    reason:
      "Ends the slice after one entry, and the timer wakes again at once. How many entries one slice removes is a tunable."
  },
  {
    file: "src/internal/weakCache/frequencySketch.ts",
    line: "if (counter < count) count = counter",
    original: "<",
    replacement: "<=",
    reason: "Sets the count to the count that it has."
  },
  {
    file: "src/internal/weakCache/frequencySketch.ts",
    line: "if (counter >= count) continue",
    original: ">=",
    replacement: ">",
    reason: "Writes the count that the counter has."
  },
  {
    file: "src/internal/weakCache/frequencySketch.ts",
    line: "while (this.#mask < countersPerKey * keys) {",
    original: "<",
    replacement: "<=",
    reason: "How large the table is for a number of keys is a tunable."
  },
  {
    file: "src/internal/weakCache/frequencySketch.ts",
    line: "const countersPerKey = 16",
    original: "16",
    replacement: "(16 + 1)",
    reason: "How large the table is for a number of keys is a tunable."
  },
  {
    file: "src/internal/table.ts",
    line: "if (equal !== undefined || hash === undefined) continue",
    original: "continue",
    replacement: "{}",
    reason: "Lists a key that is listed already, or a key without a hash, which is equal to no other key of the list."
  },
  {
    file: "src/internal/table.ts",
    line: "if (equal !== undefined || hash === undefined) continue",
    original: "equal !== undefined || hash === undefined",
    replacement: "false",
    reason: "Lists a key that is listed already, or a key without a hash, which is equal to no other key of the list."
  },
  {
    file: "src/internal/table.ts",
    line: "if (equal !== undefined || hash === undefined) continue",
    original: "||",
    replacement: "&&",
    reason: "Lists a key that is listed already, or a key without a hash, which is equal to no other key of the list."
  },
  {
    file: "src/internal/referent.ts",
    line: "export const record: unique symbol = /*#__PURE__*/ Symbol(\"effect-weakref/WeakRef/record\")",
    original: "\"effect-weakref/WeakRef/record\"",
    replacement: "\"\"",
    reason: "The description of a symbol, which only a debugger shows."
  },
  {
    file: "src/internal/referent.ts",
    line: "records.kept.push(new records.Record({}, records))",
    original: "records.kept.push(new records.Record({}, records))",
    replacement: "{}",
    reason: "Nobody reads this instance. It only keeps its class hot."
  },
  {
    file: "src/internal/referent.ts",
    line: "records.kept.push(new records.Record({}, records))",
    original: "push",
    replacement: "unshift",
    reason: "Nobody reads this instance. It only keeps its class hot."
  },
  {
    file: "src/internal/referent.ts",
    line: "records.kept.push(shared({}, heap, classOf))",
    original: "records.kept.push(shared({}, heap, classOf))",
    replacement: "{}",
    reason: "Nobody reads this instance. It only keeps its class hot."
  },
  {
    file: "src/internal/referent.ts",
    line: "records.kept.push(shared({}, heap, classOf))",
    original: "push",
    replacement: "unshift",
    reason: "Nobody reads this instance. It only keeps its class hot."
  },
  {
    file: "src/internal/referent.ts",
    line: "if (!(made instanceof records.Shared)) Object.setPrototypeOf(made, records.Shared.prototype)",
    original: "!(made instanceof records.Shared)",
    replacement: "true",
    reason: "Sets the prototype that the reference has already."
  },
  {
    file: "src/internal/referent.ts",
    line: "const register = records.registerOwn ??= inShards(heap, 32768, removeOwn)",
    original: "32768",
    replacement: "(32768 + 1)",
    reason: "How many registrations share a registry is a bound of the time of a clean-up."
  },
  {
    file: "src/internal/referent.ts",
    line: "8192,",
    original: "8192",
    replacement: "(8192 + 1)",
    reason: "How many registrations share a registry is a bound of the time of a clean-up."
  },
  {
    file: "src/internal/referent.ts",
    line: "export const callbacksPerTurn = 2048",
    original: "2048",
    replacement: "(2048 + 1)",
    reason: "How many callbacks start in one turn is a bound of the time. The tests read the number from here."
  },
  {
    file: "src/internal/table.ts",
    line: "export const Dead: unique symbol = /*#__PURE__*/ Symbol(\"effect-weakref/Dead\")",
    original: "\"effect-weakref/Dead\"",
    replacement: "\"\"",
    reason: "The description of a symbol that never leaves the library."
  },
  {
    file: "src/internal/table.ts",
    line: "export const Absent: unique symbol = /*#__PURE__*/ Symbol(\"effect-weakref/Absent\")",
    original: "\"effect-weakref/Absent\"",
    replacement: "\"\"",
    reason: "The description of a symbol that never leaves the library."
  },
  {
    file: "src/internal/table.ts",
    line: "this.changes = 0",
    original: "0",
    replacement: "1",
    reason: "Compared only with itself, before and after user code."
  },
  {
    file: "src/internal/table.ts",
    line: "return [",
    original:
      "[\n      new this.Slot({}, undefined, undefined),\n      this.keys(),\n      this.values(),\n      this.entries(),\n      this.map(() => undefined),\n      { slots: this.order.values(), slot: undefined } satisfies Cursor<A>\n    ]",
    replacement: "[]",
    reason: "Nobody reads these instances. They only keep their classes hot, which makes loops fast after a collection."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "const Elsewhere: unique symbol = /*#__PURE__*/ Symbol(\"effect-weakref/Elsewhere\")",
    original: "\"effect-weakref/Elsewhere\"",
    replacement: "\"\"",
    reason: "The description of a symbol that never leaves the library."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "this.primitives = false",
    original: "false",
    replacement: "true",
    reason:
      "Without the short way for a table whose values are all in ephemerons, the look-up finds nothing as well, only later."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "if (this.ephemerons !== undefined) {",
    original: "this.ephemerons !== undefined",
    replacement: "false",
    reason: "The rest of the function finds the same, only later."
  },
  {
    file: "src/internal/keyTable.ts",
    line: "this.insert(slot, hash === undefined || this.order.has(hash) ? slot : hash, key)",
    original: "hash === undefined || this.order.has(hash) ? slot : hash",
    replacement: "slot",
    reason:
      "Every key with a hash then gets into a bucket, where the same look-ups find it. Its own place only saves the bucket."
  },
  {
    file: "src/internal/traps.ts",
    line: "if (recent.value === value && recent.traps === this) return recent.standIn!",
    original: "recent.value === value && recent.traps === this",
    replacement: "false",
    reason: "The rest of the function finds the same stand-in, only later."
  },
  {
    file: "src/internal/traps.ts",
    line: "if (recent.traps === this) {",
    original: "recent.traps === this",
    replacement: "false",
    nth: 0,
    reason: "Without the cache, the next call finds the same stand-in in the map, only later."
  },
  {
    file: "src/internal/traps.ts",
    line: "recent.value = value",
    original: "recent.value = value",
    replacement: "{}",
    reason: "Without the cache, the next call finds the same stand-in in the map, only later."
  },
  {
    file: "src/internal/traps.ts",
    line: "if (recent.traps === this) {",
    original: "recent.traps === this",
    replacement: "true",
    nth: 1,
    reason: "The look-up in the next lines finds this record only for the target of this proxy."
  },
  {
    file: "src/internal/traps.ts",
    line: "if (target !== undefined) remember(this, target)",
    original: "target !== undefined",
    replacement: "true",
    reason: "Caches that there is no target, which every use of the cache then finds missing, as without the cache."
  },
  {
    file: "src/internal/traps.ts",
    line: "shared[guards]!.push(isWeakProxy)",
    original: "push",
    replacement: "unshift",
    reason: "The order of the guards decides nothing."
  },
  {
    file: "src/internal/traps.ts",
    line: "let isLearning = false",
    original: "false",
    replacement: "true",
    reason: "The first call sets it before it is read."
  },
  {
    file: "src/internal/traps.ts",
    line: "pretty(die(new NoTraps({}, host, false).proxy))",
    original: "false",
    replacement: "true",
    reason: "Read only if the target is alive, and this proxy never has one."
  },
  {
    file: "src/internal/weakCache/lookups.ts",
    line: "const framesToStore = 64",
    original: "64",
    replacement: "(64 + 1)",
    reason: "A margin. A result needs far fewer frames, and how large a frame is depends on the engine."
  },
  {
    file: "src/WeakMemo.ts",
    line: "const minusZero = /*#__PURE__*/ Symbol(\"-0\")",
    original: "\"-0\"",
    replacement: "\"\"",
    reason: "The description of a symbol, which only a reader of a debugger sees."
  },
  {
    file: "src/WeakRef.ts",
    line: "const referent: unique symbol = /*#__PURE__*/ Symbol(\"effect-weakref/WeakRef/referent\")",
    original: "\"effect-weakref/WeakRef/referent\"",
    replacement: "\"\"",
    reason: "The description of a symbol, which only a reader of a debugger sees."
  }
]
