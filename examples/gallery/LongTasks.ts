/** Records the tasks of the page that take over 50 ms. */

interface Span {
  readonly startTime: number
  readonly duration: number
}

const overlaps = (a: Span, b: Span): boolean =>
  a.startTime <= b.startTime + b.duration && b.startTime <= a.startTime + a.duration

export class LongTasks {
  #all: Array<Span> = []
  #forced: Array<Span> = []
  readonly #observer = new PerformanceObserver((list) => this.#all.push(...list.getEntries()))

  constructor() {
    this.#observer.observe({ type: "longtask" })
  }

  /** Forces a collection in a task of its own, which does not count. */
  collect(): Promise<void> {
    return new Promise((resolve, reject) =>
      setTimeout(() => {
        const startTime = performance.now()
        if (typeof gc !== "function") return reject(new Error("Start the browser with --js-flags=--expose-gc"))
        gc()
        this.#forced.push({ startTime, duration: performance.now() - startTime })
        setTimeout(resolve, 0)
      }, 0)
    )
  }

  reset(): void {
    this.#observer.takeRecords()
    this.#all = []
    this.#forced = []
  }

  /** Returns the duration of each long task since the last reset that forced no collection. */
  durations(): Array<number> {
    this.#all.push(...this.#observer.takeRecords())
    return this.#all.filter((task) => !this.#forced.some((span) => overlaps(task, span))).map(({ duration }) =>
      duration
    )
  }
}

declare const gc: (() => void) | undefined
