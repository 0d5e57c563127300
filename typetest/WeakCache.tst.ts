import { Context, type Duration, Effect, type Exit, type Option, pipe, type Scope, type Stream } from "effect"
import { describe, expect, it } from "tstyche"
import { WeakCache } from "../src/index.ts"

interface Doc {
  readonly name: string
}
interface Page extends Doc {
  readonly pages: number
}
class Db extends Context.Service<Db, { readonly query: string }>()("Db") {}

class Bus extends Context.Service<Bus, { readonly url: string }>()("Bus") {}

declare const doc: Doc
declare const page: Page
declare const u: unknown
declare const docs: WeakCache.WeakCache<string, Doc, "NotFound", Db>
declare const lookup: (key: string) => Effect.Effect<Doc, "NotFound", Db>
declare const acquire: (key: string) => Effect.Effect<{ readonly fd: number }, "NotFound", Db | Scope.Scope>
declare const handle: (file: { readonly fd: number }) => Doc
declare const keys: Stream.Stream<string, "Lost">
declare const numbers: Stream.Stream<number>
declare const keysOfBus: Stream.Stream<string, "Lost", Bus>
declare const subscribe: Effect.Effect<Stream.Stream<string, "Lost">, "Refused", Bus | Scope.Scope>

describe("WeakCache", () => {
  it("is invariant: it is written to and looked up in", () => {
    type Cache<K, A extends WeakKey, E = never> = WeakCache.WeakCache<K, A, E>
    expect<Cache<string, Page>>().type.not.toBeAssignableTo<Cache<string, Doc>>()
    expect<Cache<string, Doc>>().type.not.toBeAssignableTo<Cache<string, Page>>()
    expect<Cache<"a", Doc>>().type.not.toBeAssignableTo<Cache<string, Doc>>()
    expect<Cache<string, Doc, "a">>().type.not.toBeAssignableTo<Cache<string, Doc, "a" | "b">>()
  })

  it("refuses values that cannot be weakly referenced", () => {
    expect(WeakCache.make).type.not.toBeCallableWith({ lookup: (key: string) => Effect.succeed(key) })
    expect(WeakCache.make).type.toBeCallableWith({ lookup: (key: string) => Effect.succeed({ key }) })
  })
})

describe("constructors", () => {
  it("make needs a Scope, and the services of the lookup", () => {
    expect(WeakCache.make({ lookup })).type.toBe<
      Effect.Effect<WeakCache.WeakCache<string, Doc, "NotFound">, never, Db | Scope.Scope>
    >()
    expect(WeakCache.make({ lookup, requireServicesAt: "construction" })).type.toBe<
      Effect.Effect<WeakCache.WeakCache<string, Doc, "NotFound">, never, Db | Scope.Scope>
    >()
  })

  it("make leaves the services to get if asked", () => {
    expect(WeakCache.make({ lookup, requireServicesAt: "lookup" })).type.toBe<
      Effect.Effect<WeakCache.WeakCache<string, Doc, "NotFound", Db>, never, Scope.Scope>
    >()
  })

  it("options know the key and the value", () => {
    WeakCache.make({
      lookup,
      capacity: 1,
      maxWeight: 10,
      weigh: (value, key) => {
        expect(value).type.toBe<Doc>()
        expect(key).type.toBe<string>()
        return 1
      },
      onRemoval: (key, cause) => {
        expect(key).type.toBe<string>()
        expect(cause).type.toBe<"collected" | "expired" | "replaced" | "invalidated">()
        return Effect.void
      }
    })
    expect<WeakCache.Options<string, Doc>["invalidations"]>().type.toBe<
      | Stream.Stream<string, unknown>
      | Effect.Effect<Stream.Stream<string, unknown>, never, Scope.Scope>
      | undefined
    >()
  })

  it("a stream of invalidations adds no error and no service", () => {
    expect(WeakCache.make({ lookup, invalidations: keys })).type.toBe<
      Effect.Effect<WeakCache.WeakCache<string, Doc, "NotFound">, never, Db | Scope.Scope>
    >()
    expect(WeakCache.make).type.not.toBeCallableWith({ lookup, invalidations: numbers })
    expect(WeakCache.make).type.not.toBeCallableWith({ lookup, invalidations: keysOfBus })
  })

  it("an effect that subscribes to invalidations adds its error and its services", () => {
    type Made = Effect.Effect<WeakCache.WeakCache<string, Doc, "NotFound">, "Refused", Bus | Db | Scope.Scope>
    expect(WeakCache.make({ lookup, invalidations: subscribe })).type.toBe<Made>()
    expect(WeakCache.makeWith(lookup, { invalidations: subscribe })).type.toBe<Made>()
    expect(WeakCache.makeScoped({ lookup: acquire, handle, invalidations: subscribe })).type.toBe<Made>()
    expect(WeakCache.make({ lookup, invalidations: subscribe, requireServicesAt: "lookup" })).type.toBe<
      Effect.Effect<WeakCache.WeakCache<string, Doc, "NotFound", Db>, "Refused", Bus | Scope.Scope>
    >()
    expect(WeakCache.make({ lookup, invalidations: Effect.succeed(keys) })).type.toBe<
      Effect.Effect<WeakCache.WeakCache<string, Doc, "NotFound">, never, Db | Scope.Scope>
    >()
    expect(WeakCache.make).type.not.toBeCallableWith({ lookup, invalidations: Effect.succeed(numbers) })
  })

  it("onRemoval can neither fail nor need services", () => {
    expect(WeakCache.make).type.not.toBeCallableWith({ lookup, onRemoval: () => Effect.fail("failed") })
    expect(WeakCache.make).type.not.toBeCallableWith({ lookup, onRemoval: () => Db })
  })

  it("makeWith takes the lookup first, as Cache does", () => {
    expect(WeakCache.makeWith(lookup, {
      timeToLive: (exit, key) => {
        expect(exit).type.toBe<Exit.Exit<Doc, "NotFound">>()
        expect(key).type.toBe<string>()
        return "1 minute"
      }
    })).type.toBe<Effect.Effect<WeakCache.WeakCache<string, Doc, "NotFound">, never, Db | Scope.Scope>>()
    expect(WeakCache.makeWith(lookup, { requireServicesAt: "lookup" })).type.toBe<
      Effect.Effect<WeakCache.WeakCache<string, Doc, "NotFound", Db>, never, Scope.Scope>
    >()
  })

  it("makeScoped gives the lookup a Scope, and caches handles", () => {
    expect(WeakCache.makeScoped({ lookup: acquire, handle })).type.toBe<
      Effect.Effect<WeakCache.WeakCache<string, Doc, "NotFound">, never, Db | Scope.Scope>
    >()
    expect(WeakCache.makeScoped({ lookup: acquire, handle, requireServicesAt: "lookup" })).type.toBe<
      Effect.Effect<WeakCache.WeakCache<string, Doc, "NotFound", Db>, never, Scope.Scope>
    >()
    expect(WeakCache.makeScoped({ lookup: acquire, handle, timeToLive: (_exit) => 1 as Duration.Input })).type.toBe<
      Effect.Effect<WeakCache.WeakCache<string, Doc, "NotFound">, never, Db | Scope.Scope>
    >()
  })
})

describe("isWeakCache", () => {
  it("narrows", () => {
    if (WeakCache.isWeakCache(u)) {
      expect(u).type.toBe<WeakCache.WeakCache<unknown, WeakKey, unknown, unknown>>()
    }
  })
})

describe("operations", () => {
  it("get and refresh fail as the lookup does, and need its services", () => {
    expect(WeakCache.get(docs, "a")).type.toBe<Effect.Effect<Doc, "NotFound", Db>>()
    expect(pipe(docs, WeakCache.get("a"))).type.toBe<Effect.Effect<Doc, "NotFound", Db>>()
    expect(WeakCache.refresh(docs, "a")).type.toBe<Effect.Effect<Doc, "NotFound", Db>>()
    expect(pipe(docs, WeakCache.refresh("a"))).type.toBe<Effect.Effect<Doc, "NotFound", Db>>()
  })

  it("getOption can fail, getSuccess cannot, and neither needs services", () => {
    expect(WeakCache.getOption(docs, "a")).type.toBe<Effect.Effect<Option.Option<Doc>, "NotFound">>()
    expect(pipe(docs, WeakCache.getOption("a"))).type.toBe<Effect.Effect<Option.Option<Doc>, "NotFound">>()
    expect(WeakCache.getSuccess(docs, "a")).type.toBe<Effect.Effect<Option.Option<Doc>>>()
    expect(pipe(docs, WeakCache.getSuccess("a"))).type.toBe<Effect.Effect<Option.Option<Doc>>>()
  })

  it("set takes values of the cache and their subtypes", () => {
    expect(WeakCache.set(docs, "a", doc)).type.toBe<Effect.Effect<void>>()
    expect(pipe(docs, WeakCache.set("a", page))).type.toBe<Effect.Effect<void>>()
    expect(WeakCache.set).type.not.toBeCallableWith(docs, "a", {})
    expect(WeakCache.set).type.not.toBeCallableWith(docs, 1, doc)
  })

  it("the others cannot fail", () => {
    expect(WeakCache.has(docs, "a")).type.toBe<Effect.Effect<boolean>>()
    expect(pipe(docs, WeakCache.has("a"))).type.toBe<Effect.Effect<boolean>>()
    expect(WeakCache.invalidate(docs, "a")).type.toBe<Effect.Effect<void>>()
    expect(pipe(docs, WeakCache.invalidate("a"))).type.toBe<Effect.Effect<void>>()
    expect(WeakCache.invalidateWhen(docs, "a", (value) => value.name === "")).type.toBe<Effect.Effect<boolean>>()
    expect(pipe(docs, WeakCache.invalidateWhen("a", (value: Doc) => value.name === ""))).type.toBe<
      Effect.Effect<boolean>
    >()
    expect(WeakCache.invalidateAll(docs)).type.toBe<Effect.Effect<void>>()
    expect(WeakCache.trim(docs, 1)).type.toBe<Effect.Effect<void>>()
    expect(pipe(docs, WeakCache.trim(1))).type.toBe<Effect.Effect<void>>()
    expect(WeakCache.stats(docs)).type.toBe<Effect.Effect<WeakCache.Stats>>()
    expect(WeakCache.size(docs)).type.toBe<Effect.Effect<number>>()
    expect(WeakCache.keys(docs)).type.toBe<Effect.Effect<Iterable<string>>>()
    expect(WeakCache.values(docs)).type.toBe<Effect.Effect<Iterable<Doc>>>()
    expect(WeakCache.entries(docs)).type.toBe<Effect.Effect<Iterable<[string, Doc]>>>()
  })
})

describe("makeScoped", () => {
  const open = (key: string) => Effect.succeed({ key })

  it("refuses a handle that is the resource", () => {
    expect(WeakCache.makeScoped({ lookup: open, handle: (resource) => ({ resource }) })).type.toBeAssignableTo<
      Effect.Effect<WeakCache.WeakCache<string, { readonly resource: { key: string } }>, never, Scope.Scope>
    >()
    // A wrapper may have the type of the resource.
    WeakCache.makeScoped({ lookup: open, handle: ({ key }) => ({ key }) })
    WeakCache.makeScoped({
      lookup: open,
      // @ts-expect-error is not assignable to type 'NotResource'
      handle: (resource) => resource
    })
  })
})

describe("maxWeight and weigh", () => {
  it("are given together", () => {
    WeakCache.make({ lookup, maxWeight: 10, weigh: (doc, key) => doc.name.length + key.length })
    expect(WeakCache.make).type.not.toBeCallableWith({ lookup, maxWeight: 10 })
    expect(WeakCache.make).type.not.toBeCallableWith({ lookup, weigh: () => 1 })
    expect(WeakCache.makeWith).type.not.toBeCallableWith(lookup, { maxWeight: 10 })
  })
})

describe("use", () => {
  it("adds the errors and services of the effect", () => {
    const f = (_: Doc): Effect.Effect<number, "QueryFailed", Bus> => Effect.succeed(1)
    expect(WeakCache.use(docs, "a", f)).type.toBe<Effect.Effect<number, "NotFound" | "QueryFailed", Db | Bus>>()
    expect(docs.pipe(WeakCache.use("a", f))).type.toBe<Effect.Effect<number, "NotFound" | "QueryFailed", Db | Bus>>()
    expect(docs.pipe(WeakCache.use("a", (value) => Effect.succeed(value.name)))).type.toBe<
      Effect.Effect<string, "NotFound", Db>
    >()
  })
})

describe("peek, trim and setCapacity", () => {
  it("need no services and do not fail", () => {
    expect(WeakCache.peek(docs, "a")).type.toBe<Effect.Effect<Option.Option<Doc>>>()
    expect(docs.pipe(WeakCache.peek("a"))).type.toBe<Effect.Effect<Option.Option<Doc>>>()
    expect(WeakCache.setCapacity(docs, 1)).type.toBe<Effect.Effect<void>>()
    expect(docs.pipe(WeakCache.setCapacity(1))).type.toBe<Effect.Effect<void>>()
    expect(docs.pipe(WeakCache.trim(1))).type.toBe<Effect.Effect<void>>()
  })
})
