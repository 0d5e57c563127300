/**
 * Prints how many bytes the library adds to a program, with several bundlers. Fails if
 * an import from "effect-weakref" adds more bytes than the same import by its subpath.
 */
import { measureBundles, type Program } from "../benchmark/report/bundle.ts"
import { formatTable } from "../benchmark/report/table.ts"

/**
 * Esbuild keeps all functions of a module that is imported through a re-exported namespace (its issue #1420).
 * So the import of one function may add as many bytes as the whole module, but not more.
 */
const wholeModule: Readonly<Record<string, Program>> = { esbuild: "import { WeakRef }" }

const sizes = await measureBundles()
const minified = (bundler: string, program: Program): number =>
  sizes.find((size) => size.bundler === bundler && size.program === program)!.minified

/** Esbuild adds a variable for the module's object, and gives it another name than the import. */
const tolerance = 40

const failures: Array<string> = []
for (const bundler of new Set(sizes.map(({ bundler }) => bundler))) {
  for (const program of ["WeakRef.makeUnsafe", "import { WeakRef }"] as const) {
    const bound = program === "WeakRef.makeUnsafe" && wholeModule[bundler] || `${program}, by subpath` as const
    const [bytes, limit] = [minified(bundler, program), minified(bundler, bound)]
    if (bytes > limit + (wholeModule[bundler] === undefined ? 0 : tolerance)) {
      failures.push(`${bundler}: "${program}" takes ${bytes} bytes, more than "${bound}" with ${limit}`)
    }
  }
}

console.log(formatTable(
  ["bundler", "program", "minified", "gzip", "brotli"],
  sizes.map(({ brotli, bundler, gzip, minified, program }) =>
    [bundler, program].concat([minified, gzip, brotli].map((bytes) => bytes.toLocaleString("en")))
  )
))
for (const failure of failures) console.log(failure)
if (failures.length > 0) process.exitCode = 1
