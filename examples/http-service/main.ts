/**
 * An HTTP service that keeps files open in a `WeakCache`, under load: it must close every file that it opened.
 *
 *     node examples/http-service/main.ts [seconds]
 *
 * Here the library is imported from its sources; a program of yours imports it from "effect-weakref".
 */
import { run } from "./driver.ts"

console.dir(await run(Math.min(60, Math.max(2, Number(process.argv[2] ?? 20)))), { depth: 3 })
