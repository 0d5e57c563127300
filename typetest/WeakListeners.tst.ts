import { Context, Effect, pipe } from "effect"
import { EventEmitter } from "node:events"
import { describe, expect, it } from "tstyche"
import { Heap, type WeakError, WeakListeners } from "../src/index.ts"

interface Saved {
  readonly path: string
}
interface SavedTwice extends Saved {
  readonly twice: true
}

class Name extends Context.Service<Name, string>()("Name") {}

class View {
  readonly title: string = ""
  show(_event: Saved): number {
    return 1
  }
  refresh(): void {}
  resize(_width: number): void {}
  named(_event: Saved): Effect.Effect<void, Error, Name> {
    return Effect.void
  }
  plain(_event: Saved): Effect.Effect<void> {
    return Effect.void
  }
}

/** What the DOM's own types look like. */
interface Button {
  onclick: ((this: Button, event: MouseEvent) => unknown) | null
  addEventListener(type: string, listener: ((event: Event) => void) | { handleEvent(event: Event): void } | null): void
  removeEventListener(type: string, listener: ((event: Event) => void) | null): void
}
interface MouseEvent extends Event {
  readonly button: number
}
interface DropEvent extends Event {
  readonly files: ReadonlyArray<string>
}

declare const saves: WeakListeners.WeakListeners<Saved>
declare const view: View
declare const button: Button
declare const u: unknown

type Adding<R = never> = Effect.Effect<WeakListeners.Listener, WeakError.NotWeakReferenceableError, R>

describe("WeakListeners", () => {
  it("is invariant in its events, because it accepts and returns them", () => {
    expect<WeakListeners.WeakListeners<Saved>>().type.not.toBeAssignableTo<WeakListeners.WeakListeners<SavedTwice>>()
    expect<WeakListeners.WeakListeners<SavedTwice>>().type.not.toBeAssignableTo<WeakListeners.WeakListeners<Saved>>()
  })

  it("isWeakListeners narrows a value to a hub", () => {
    if (WeakListeners.isWeakListeners(u)) expect(u).type.toBe<WeakListeners.WeakListeners<unknown>>()
  })

  it("make and makeUnsafe never fail, and need no services", () => {
    expect(WeakListeners.make<Saved>()).type.toBe<Effect.Effect<WeakListeners.WeakListeners<Saved>>>()
    expect(WeakListeners.makeUnsafe<Saved>()).type.toBe<WeakListeners.WeakListeners<Saved>>()
    expect(WeakListeners.makeUnsafe<Saved>(Heap.Heap.defaultValue())).type.toBe<WeakListeners.WeakListeners<Saved>>()
    expect(WeakListeners.makeUnsafe).type.not.toBeCallableWith({ WeakMap })
  })
})

describe("add", () => {
  it("passes the receiver and the event, and needs the services of the returned effect", () => {
    const adding = WeakListeners.add(saves, view, (self, event) => {
      expect(self).type.toBe<View>()
      expect(event).type.toBe<Saved>()
    })
    expect(adding).type.toBe<Adding>()
    expect(WeakListeners.add(saves, view, () => Effect.asVoid(Name))).type.toBe<Adding<Name>>()
    expect(WeakListeners.add(saves, view, () => Effect.fail("ignored"))).type.toBe<Adding>()
    expect(pipe(saves, WeakListeners.add(view, (self: View, event: Saved) => void [self, event]))).type.toBe<Adding>()
  })

  it("rejects receivers that are primitives, other events, and functions that return promises", () => {
    expect(WeakListeners.add).type.not.toBeCallableWith(saves, "text", () => {})
    expect(WeakListeners.add).type.not.toBeCallableWith(saves, view, (_: View, event: string) => void event)
    expect(WeakListeners.add).type.not.toBeCallableWith(saves, view, async () => {})
  })

  it("addUnsafe accepts effects that need no services", () => {
    expect(WeakListeners.addUnsafe(saves, view, (self, event) => void [self.title, event.path])).type.toBe<
      WeakListeners.Listener
    >()
    expect(WeakListeners.addUnsafe(saves, view, () => Effect.void)).type.toBe<WeakListeners.Listener>()
    expect(WeakListeners.addUnsafe).type.not.toBeCallableWith(saves, view, () => Effect.asVoid(Name))
  })
})

describe("addMethod", () => {
  it("accepts the keys of methods that take the event", () => {
    expect(WeakListeners.addMethod(saves, new Set<Saved>(), "add")).type.toBe<Adding>()
    expect(WeakListeners.addMethod(saves, {} as { maybe?: () => void }, "maybe")).type.toBe<Adding>()
    expect(WeakListeners.addMethod(saves, view, "show")).type.toBe<Adding>()
    expect(WeakListeners.addMethod(saves, view, "refresh")).type.toBe<Adding>()
    expect(WeakListeners.addMethod(saves, view, "named")).type.toBe<Adding<Name>>()
    expect(pipe(saves, WeakListeners.addMethod(view, "show"))).type.toBe<Adding>()
    expect(WeakListeners.addMethod).type.not.toBeCallableWith(saves, view, "title")
    expect(WeakListeners.addMethod).type.not.toBeCallableWith(saves, view, "resize")
  })

  it("addMethodUnsafe rejects a method whose effect needs services", () => {
    expect(WeakListeners.addMethodUnsafe(saves, view, "show")).type.toBe<WeakListeners.Listener>()
    expect(WeakListeners.addMethodUnsafe(saves, view, "plain")).type.toBe<WeakListeners.Listener>()
    expect(WeakListeners.addMethodUnsafe).type.not.toBeCallableWith(saves, view, "named")
    expect(WeakListeners.addMethodUnsafe).type.not.toBeCallableWith(saves, view, "title")
    expect(WeakListeners.addMethodUnsafe(saves, new Set<Saved>(), "add")).type.toBe<WeakListeners.Listener>()
    expect(pipe(saves, WeakListeners.addMethodUnsafe(view, "show"))).type.toBe<WeakListeners.Listener>()
  })

  it("accepts the type of this", () => {
    class Subscriber {
      constructor() {
        expect(WeakListeners.addMethodUnsafe(saves, this, "show")).type.toBe<WeakListeners.Listener>()
        WeakListeners.addUnsafe(saves, this, (self) => void self.show())
        WeakListeners.listenUnsafe(process, "exit", this, (self, _code: number) => void self.show())
        expect(WeakListeners.addMethodUnsafe).type.not.toBeCallableWith(saves, this, "resize")
      }
      show(): void {}
      resize(_width: number): void {}
    }
    expect(new Subscriber()).type.toBe<Subscriber>()
  })
})

describe("remove, stop, publish and size", () => {
  it("have the types of their results", () => {
    expect(WeakListeners.remove(saves, view)).type.toBe<boolean>()
    expect(pipe(saves, WeakListeners.remove(view))).type.toBe<boolean>()
    expect(WeakListeners.stop(WeakListeners.addUnsafe(saves, view, () => {}))).type.toBe<boolean>()
    expect(WeakListeners.size(saves)).type.toBe<number>()
    expect(WeakListeners.publish(saves, { path: "a" })).type.toBe<Effect.Effect<void>>()
    expect(pipe(saves, WeakListeners.publish<Saved>({ path: "a" }))).type.toBe<Effect.Effect<void>>()
    expect(WeakListeners.publish).type.not.toBeCallableWith(saves, { path: 1 })
    expect(WeakListeners.stop).type.not.toBeCallableWith({})
  })
})

describe("listen", () => {
  it("takes the event's type from the target, or from an annotation", () => {
    const ofProperty = WeakListeners.listen(button, "click", view, (self, event) => {
      expect(self).type.toBe<View>()
      expect(event).type.toBe<MouseEvent>()
    })
    expect(ofProperty).type.toBe<Adding>()
    WeakListeners.listenUnsafe(button, "custom", view, (_, event) => {
      expect(event).type.toBe<Event>()
    })
    WeakListeners.listenUnsafe(new AbortController().signal, "abort", view, (_, event) => {
      expect(event).type.toBe<Event>()
    })
    const annotated = WeakListeners.listen(button, "drop", view, (_, event: DropEvent) => void event.files)
    expect(annotated).type.toBe<Adding>()
    WeakListeners.listenUnsafe(new EventEmitter(), "data", view, (_, first, second) => {
      expect(first).type.toBe<unknown>()
      expect(second).type.toBe<unknown>()
    })
    expect(WeakListeners.listen(new EventEmitter(), "data", view, (_, n: number, s: string) => void [n, s])).type.toBe<
      Adding
    >()
  })

  it("needs the services of the returned effect, and accepts symbols and options", () => {
    expect(WeakListeners.listen(button, "click", view, () => Effect.asVoid(Name), { capture: true })).type.toBe<
      Adding<Name>
    >()
    expect(WeakListeners.listen(process, Symbol("mine"), view, () => {})).type.toBe<Adding>()
    expect(pipe(button, WeakListeners.listen("click", view, (self: View, event: Event) => void [self, event]))).type
      .toBe<Adding>()
    expect(WeakListeners.listen).type.not.toBeCallableWith(button, "click", view, () => {}, { once: true })
    expect(WeakListeners.listen).type.not.toBeCallableWith({ on() {} }, "click", view, () => {})
    expect(WeakListeners.listenUnsafe).type.not.toBeCallableWith(button, "click", view, () => Effect.asVoid(Name))
    expect(WeakListeners.listenUnsafe(button, "click", view, () => {}, { heap: Heap.Heap.defaultValue() })).type.toBe<
      WeakListeners.Listener
    >()
  })
})
