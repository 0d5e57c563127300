/**
 * A page whose components subscribe and never unsubscribe: `npm run example:gallery`.
 * `test/examples/gallery.test.ts` drives it in Chromium.
 */
import { Effect, ManagedRuntime } from "effect"
import type { Counts, Release, Round } from "./Counts.ts"
import { Gallery } from "./Gallery.ts"
import { LongTasks } from "./LongTasks.ts"

const find = (id: string): HTMLElement => document.getElementById(id)!
const structural = new URLSearchParams(location.search).has("structural")
const runtime = ManagedRuntime.make(Gallery.layer(find("wall"), { structural }))
const longTasks = new LongTasks()

const run = <A>(f: (gallery: Gallery["Service"]) => Effect.Effect<A>): Promise<A> =>
  runtime.runPromise(Effect.flatMap(Gallery, f))

const page = {
  counts: (): Promise<Counts> => run(({ counts }) => counts),

  /** Mounts cards, lets every card get two events, and unmounts the cards. */
  round: (count: number): Promise<Round> =>
    run((gallery) =>
      Effect.gen(function*() {
        yield* gallery.mount(count)
        yield* gallery.setTheme("dark")
        window.dispatchEvent(new Event("resize"))
        const seen = observe(gallery)
        const mounted = yield* gallery.counts
        yield* gallery.unmount
        return { mounted, ...seen }
      })
    ),

  /** Forces collections until all counts are 0. Then forces as many again, to see how quiet the machine is. */
  release: async (): Promise<Release> => {
    await pause(100)
    longTasks.reset()
    let rounds = 0
    let counts = await page.counts()
    for (; rounds < 50 && Object.values(counts).some((count) => count !== 0); rounds++) {
      await longTasks.collect()
      counts = await page.counts()
    }
    await pause(100)
    const ofCleanUp = longTasks.durations()
    longTasks.reset()
    for (let i = 0; i < rounds; i++) await longTasks.collect()
    await pause(100)
    return { counts, longTasks: ofCleanUp, longTasksAfterwards: longTasks.durations() }
  }
}

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

/** Looks at the cards in a plain function, because a suspended generator would keep them alive. */
const observe = (gallery: Gallery["Service"]) => {
  const elements = Array.from(find("wall").querySelectorAll("article"))
  const cards = elements.map((element) => gallery.cardOf(element.querySelector("img")!))
  return {
    dark: elements.filter((element) => element.dataset["theme"] === "dark").length,
    resized: cards.filter((card) => card?.resized === 1).length,
    found: cards.filter((card, i) => card?.element === elements[i]).length
  }
}

Object.assign(window, { page })

let isDark = false
const actions: Record<string, () => Promise<unknown>> = {
  mount: () => run(({ mount }) => mount(2_000)),
  unmount: () => run(({ unmount }) => unmount),
  theme: () => {
    isDark = !isDark
    return run(({ setTheme }) => setTheme(isDark ? "dark" : "light"))
  },
  collect: () => longTasks.collect()
}
for (const [id, act] of Object.entries(actions)) {
  find(id).addEventListener("click", () => void act().catch((error) => alert(error)))
}
setInterval(async () => {
  find("counts").textContent = JSON.stringify(await page.counts(), null, 2)
}, 500)
