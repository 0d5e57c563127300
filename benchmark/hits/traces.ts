/** Access traces: generated ones, and those of a directory. Keys are numbers from 0. */
import * as fs from "node:fs"
import * as path from "node:path"
import { gunzipSync } from "node:zlib"

export interface Trace {
  readonly name: string
  readonly keys: Int32Array
}

/** Reads all `*.i32.gz` files of a directory: little-endian 32-bit keys. */
export const tracesOf = (directory: string): Array<Trace> =>
  fs.readdirSync(directory).filter((file) => file.endsWith(".i32.gz")).sort().map((file) => {
    const bytes = gunzipSync(fs.readFileSync(path.join(directory, file)))
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const keys = Int32Array.from({ length: bytes.byteLength / 4 }, (_, n) => view.getInt32(4 * n, true))
    return { name: file.replace(".i32.gz", ""), keys }
  })

/** A generator of random numbers with a seed, so that each run has the same traces (mulberry32). */
const randomOf = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

/** Returns a function that draws keys below `count`, the key n with a probability in proportion to 1 / (n + 1) ** exponent. */
const zipf = (count: number, exponent: number, random: () => number) => {
  const sums = new Float64Array(count)
  let sum = 0
  for (let n = 0; n < count; n++) sums[n] = sum += 1 / (n + 1) ** exponent
  return () => {
    const drawn = random() * sum
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! < drawn) low = middle + 1
      else high = middle
    }
    return low
  }
}

const length = 200_000
const population = 20_000

const generate = (name: string, next: (n: number) => number): Trace => ({
  name,
  keys: Int32Array.from({ length }, (_, n) => next(n))
})

/** Traces of the shapes that decide between policies. */
export const generatedTraces = (): Array<Trace> => {
  const draw = zipf(population, 0.9, randomOf(1))
  const drawWithScans = zipf(population, 0.9, randomOf(2))
  const drawShifting = zipf(population, 0.9, randomOf(3))
  const drawRecent = zipf(population, 1.1, randomOf(4))
  const drawMixed = zipf(population, 0.9, randomOf(5))
  let scanned = population
  return [
    generate("Zipf", draw),
    // A quarter of the reads walks once through keys that nobody else reads.
    generate("Zipf with scans", (n) => n % 20_000 < 5000 ? scanned++ : drawWithScans()),
    generate("loop", (n) => n % 5000),
    // Each 20,000 reads, other keys are popular.
    generate("shifting", (n) => (drawShifting() + 2000 * Math.floor(n / 20_000)) % population),
    // The newest keys are popular, as in a feed.
    generate("recent", (n) => Math.max(0, Math.floor(n / 4) - drawRecent())),
    // A loop, then Zipf, then a loop.
    generate("phases", (n) => Math.floor(n / 50_000) % 2 === 0 ? n % 4000 : population + drawMixed())
  ]
}
