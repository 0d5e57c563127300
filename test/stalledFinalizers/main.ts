/**
 * Runs the scenario that the command line names. Without a name, lists all scenarios.
 * Bundle this program with esbuild for an engine that cannot run TypeScript:
 *
 *     esbuild test/stalledFinalizers/main.ts --bundle --platform=node --format=esm --outfile=program.mjs
 *     node --expose-gc program.mjs                 lists the names, one per line
 *     node --expose-gc program.mjs "<a name>"      exits with 1 if fewer than 100 finalizers ran
 */
import { scenarios, survivors } from "./scenarios.ts"

const name = process.argv[2]
const scenario = name === undefined ? undefined : scenarios[name]

if (name === undefined) {
  for (const name of Object.keys(scenarios)) console.log(name)
} else if (scenario === undefined) {
  console.error(`There is no scenario "${name}"`)
  process.exitCode = 2
} else {
  const finalized = await survivors(scenario)
  console.log(`${finalized} of 100 finalizers ran after: ${name}`)
  process.exitCode = finalized === 100 ? 0 : 1
}
