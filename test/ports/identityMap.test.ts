/** SQLAlchemy's identity map: one object per row while the program uses it, and changed objects until they are flushed. */
import { assert, describe } from "@effect/vitest"
import { Effect, Option } from "effect"
import { WeakValueMap } from "../../src/index.ts"
import { onBothHeapsWith } from "../support/worlds.ts"

class Row {
  readonly id: string
  text: string
  constructor(id: string, text: string) {
    this.id = id
    this.text = text
  }
}

class Session {
  private readonly map: WeakValueMap.WeakValueMap<string, Row>
  /** The only strong references: a change must not be lost because nobody looks at the object any more. */
  private readonly changed = new Set<Row>()
  private readonly database: Map<string, string>
  loads = 0

  constructor(map: WeakValueMap.WeakValueMap<string, Row>, database: Map<string, string>) {
    this.map = map
    this.database = database
  }

  get(id: string, make: (id: string, text: string) => Row): Option.Option<Row> {
    const text = this.database.get(id)
    if (text === undefined) return Option.none()
    return Option.some(WeakValueMap.getOrSet(this.map, id, () => {
      this.loads++
      return make(id, text)
    }))
  }

  change(row: Row, text: string): void {
    row.text = text
    this.changed.add(row)
  }

  flush(): void {
    for (const { id, text } of this.changed) this.database.set(id, text)
    this.changed.clear()
  }

  get size(): number {
    return WeakValueMap.size(this.map)
  }
}

const onBothHeaps = onBothHeapsWith((id) => new Row(id, `text ${id}`))

const open = Effect.map(
  WeakValueMap.make<string, Row>(),
  (map) => new Session(map, new Map(["a", "b"].map((id) => [id, `text ${id}`])))
)

describe("identity map", () => {
  onBothHeaps(
    "returns the same object while the program uses it, and loads it again afterwards",
    (world) =>
      Effect.gen(function*() {
        const session = yield* open
        const load = (id: string) =>
          world.sync(id, (row) => Option.map(session.get(id, () => row), (found) => found === row))
        assert.deepStrictEqual(yield* load("a"), Option.some(true))
        assert.deepStrictEqual(yield* load("a"), Option.some(true))
        assert.isTrue(Option.isNone(session.get("missing", () => assert.fail("loaded"))))
        assert.deepStrictEqual([session.loads, session.size], [1, 1])
        yield* world.die("a")
        assert.strictEqual(session.size, 0)
        assert.deepStrictEqual(yield* load("a"), Option.some(true))
        assert.strictEqual(session.loads, 2)
      })
  )

  onBothHeaps("keeps a changed object until it is flushed", (world) =>
    Effect.gen(function*() {
      const session = yield* open
      yield* world.sync("a", (row) => {
        session.get("a", () => row)
        session.change(row, "changed")
      })
      session.flush()
      yield* world.die("a")
      assert.strictEqual(session.size, 0)
      const text = yield* world.sync("b", (row) =>
        Option.map(session.get("a", (_, text) => Object.assign(row, { text })), (row) => row.text))
      assert.deepStrictEqual(text, Option.some("changed"))
    }))
})
