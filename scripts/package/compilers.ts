/** Type-checks a program that imports every module, with the compilers and settings that users have. */
import * as childProcess from "node:child_process"
import * as path from "node:path"

interface Settings {
  readonly compiler: string
  readonly resolution: "nodenext" | "bundler"
  readonly dom: boolean
}

/** The lowest compiler, and each later one. Only the newest is fast enough to try all settings. */
const all: ReadonlyArray<Settings> = [
  { compiler: "5.7", resolution: "nodenext", dom: true },
  { compiler: "5.9", resolution: "bundler", dom: true },
  { compiler: "6.0", resolution: "nodenext", dom: true },
  { compiler: "7.0", resolution: "nodenext", dom: true },
  { compiler: "7.0", resolution: "nodenext", dom: false },
  { compiler: "7.0", resolution: "bundler", dom: true },
  { compiler: "7.0", resolution: "bundler", dom: false }
]

export const typeCheck = async (
  project: string,
  check: (name: string, f: () => unknown) => Promise<void>,
  settings: ReadonlyArray<Settings> = all
): Promise<void> => {
  for (const { compiler, dom, resolution } of settings) {
    await check(`TypeScript ${compiler}, ${resolution}, ${dom ? "with" : "without"} dom`, () => {
      const { stdout } = childProcess.spawnSync("node", argumentsOf({ compiler, dom, resolution }), {
        cwd: project,
        encoding: "utf8"
      })
      // Declarations of other packages contradict each other, or name types of `dom`.
      const errors = stdout.split("\n").filter((line) =>
        line.includes("error TS") && !/^node_modules\/(?!effect-weakref\/)/.test(line)
      )
      if (errors.length > 0) throw new Error(errors.join("\n"))
    })
  }
}

const argumentsOf = ({ compiler, dom, resolution }: Settings): ReadonlyArray<string> => [
  path.join("node_modules", `typescript-${compiler}`, "bin", "tsc"),
  "--noEmit",
  "--strict",
  "--exactOptionalPropertyTypes",
  "--skipLibCheck",
  "false",
  "--target",
  "es2022",
  "--lib",
  dom ? "ESNext,DOM,DOM.Iterable" : "ESNext",
  "--types",
  "node",
  "--module",
  resolution === "nodenext" ? "nodenext" : "esnext",
  "--moduleResolution",
  resolution,
  "main.ts"
]
