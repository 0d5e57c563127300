import { Effect } from "effect"
import { WeakCache } from "effect-weakref"

/** A worker, and the callers that wait for it. */
interface Resource {
  readonly worker: Worker
  readonly waiting: Map<number, (blob: Blob) => void>
}

/** A handle of a worker. The worker is terminated after its handle has been collected. */
export class Painter {
  readonly #resource: Resource

  constructor(resource: Resource) {
    this.#resource = resource
  }

  paint(id: number): Promise<Blob> {
    const { waiting, worker } = this.#resource
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
    worker.postMessage(id)
    return new Promise((resolve) => waiting.set(id, resolve))
  }
}

export const open = { workers: 0 }

const start = (): Resource => {
  const worker = new Worker(new URL("./draw.ts", import.meta.url), { type: "module" })
  const waiting: Resource["waiting"] = new Map()
  worker.addEventListener("message", ({ data: { blob, id } }: MessageEvent<{ id: number; blob: Blob }>) => {
    waiting.get(id)?.(blob)
    waiting.delete(id)
  })
  open.workers++
  return { worker, waiting }
}

const terminate = ({ worker }: Resource): void => {
  worker.terminate()
  open.workers--
}

/** Shares one worker among all cards on the page. There is none while there are no cards. */
export const painters = WeakCache.makeScoped({
  lookup: (_: "svg") => Effect.acquireRelease(Effect.sync(start), (resource) => Effect.sync(() => terminate(resource))),
  handle: (resource) => new Painter(resource)
})
