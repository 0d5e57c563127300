/** The public modules, as `package.json` exports them. */
import * as fs from "node:fs"
import * as path from "node:path"

export const root = path.resolve(import.meta.dirname, "../..")

export interface PublicModule {
  /** The name by which a program imports the module. */
  readonly specifier: string
  readonly source: string
  readonly declarations: string
  readonly javascript: string
}

export const modules: ReadonlyArray<PublicModule> = ["", "testing/"].flatMap((folder) =>
  fs.readdirSync(path.join(root, "src", folder)).filter((file) => file.endsWith(".ts"))
    .map((file) => `${folder}${file.replace(/\.ts$/, "")}`)
).toSorted().map((name) => ({
  specifier: `effect-weakref/${name}`.replace(/\/index$/, ""),
  source: path.join(root, "src", `${name}.ts`),
  declarations: path.join(root, "dist", `${name}.d.ts`),
  javascript: path.join(root, "dist", `${name}.js`)
}))
