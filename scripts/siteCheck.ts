/**
 * Opens the documentation site of `npm run docs` in Chromium: the search finds every module and function, no link is
 * dead, examples are highlighted, and each page can be read on a phone and in the dark.
 *
 *     node scripts/siteCheck.ts [directory for screenshots]
 */
import * as fs from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as path from "node:path"
import { Chromium, findChromium } from "../test/support/chromium.ts"
import { modules, root } from "./api/modules.ts"

const site = path.join(root, "coverage", "site")
const screenshots = process.argv[2]

const executable = findChromium()
if (executable === undefined) {
  console.error("\n*** THE SITE IS NOT CHECKED: there is no chromium on this machine ***\n")
  process.exit(process.env["CI"] === undefined ? 0 : 1)
}

const types: Record<string, string> = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".txt": "text/plain"
}

const server = createServer((request, response) => {
  const file = path.join(site, decodeURIComponent(new URL(request.url!, "http://site").pathname))
  if (!file.startsWith(site + path.sep) || !fs.statSync(file, { throwIfNoEntry: false })?.isFile()) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, {
    "content-type": `${types[path.extname(file)] ?? "application/octet-stream"}; charset=utf-8`
  })
  fs.createReadStream(file).pipe(response)
})
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
const home = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`

/** Every module by the name that the site has for it, and its functions. */
const names = await Promise.all(
  modules.filter(({ specifier }) => !/^effect-weakref(\/index|\/testing)?$/.test(specifier)).map(
    async ({ source, specifier }) => ({
      module: specifier.replace("effect-weakref/", ""),
      functions: await functionsOf(source)
    })
  )
)

/** Reads the exports from the source: `Vitest` cannot be imported outside a test. */
async function functionsOf(source: string): Promise<ReadonlyArray<string>> {
  const text = fs.readFileSync(source, "utf8")
  return Array.from(text.matchAll(/^export (?:declare )?(?:const|function) (\w+)/gm), ([, name]) => name!)
}

const chromium = await Chromium.open(executable, "about:blank")
const problems: Array<string> = []
try {
  const source = fs.readFileSync(path.join(root, "site", "inPage.js"), "utf8")
  const call = <A>(name: string, argument: unknown): Promise<A> =>
    chromium.evaluate(`siteCheck.${name}(${JSON.stringify(argument)})`)

  const open = async (url: string) => {
    await chromium.send("Page.navigate", { url })
    await chromium.evaluate(`new Promise((resolve) => {
      const poll = () => location.href === ${JSON.stringify(url)} && document.readyState === "complete"
        ? resolve() : setTimeout(poll, 5)
      poll()
    })`)
  }
  const screen = async (width: number, height: number, scheme: "light" | "dark") => {
    await chromium.send("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: width < 600
    })
    await chromium.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] })
  }
  const screenshot = async (name: string) => {
    if (screenshots === undefined) return
    const { data } = await chromium.send("Page.captureScreenshot", { format: "png" })
    fs.mkdirSync(screenshots, { recursive: true })
    fs.writeFileSync(path.join(screenshots, `${name}.png`), Buffer.from(data, "base64"))
  }

  await chromium.send("Page.enable", {})
  await chromium.send("Page.addScriptToEvaluateOnNewDocument", { source })
  await screen(1200, 900, "light")
  await open(`${home}index.html`)
  await screenshot("home")

  const { dead, pages } = await call<{ dead: Array<string>; pages: Array<string> }>("crawl", home)
  problems.push(...dead.map((link) => `dead link: ${link}`))

  // The search takes no path, so one search of "make" must find the `make` of each module.
  const pagesOf = new Map<string, Array<string>>()
  const expect = (name: string, page: string) => pagesOf.set(name, [...pagesOf.get(name) ?? [], page])
  for (const { functions, module } of names) {
    const file = module.replaceAll("/", "_")
    expect(module, `modules/${file}.html`)
    for (const name of functions) {
      const page = ["functions", "variables"].map((kind) => `${kind}/${file}.${name}.html`)
        .find((page) => fs.existsSync(path.join(site, page)))
      if (page === undefined) problems.push(`${module}.${name} has no page`)
      else expect(name, page)
    }
  }
  for (const [name, expected] of pagesOf) {
    const found = await call<Array<string>>("search", name)
    for (const page of expected) {
      if (!found.includes(page)) problems.push(`the search for "${name}" finds ${found.join(", ")}, and not ${page}`)
    }
  }
  await screenshot("search")
  console.log(`${pages.length} pages crawled, ${pagesOf.size} names searched`)

  // Pages of one kind look alike: all guides and modules, and some of the others.
  const chosen = pages.filter((url, index) => /\/(modules|documents)\/|index\.html$/.test(url) || index % 20 === 0)
  for (const url of chosen) {
    const name = url.slice(home.length)
    await open(url)
    for (const [width, scheme] of [[390, "light"], [390, "dark"], [1200, "dark"]] as const) {
      await screen(width, 844, scheme)
      for (const problem of await call<Array<string>>("look", scheme === "dark")) {
        problems.push(`${name} at ${width} px, ${scheme}: ${problem}`)
      }
      if (/^(index|modules\/WeakCache|documents\/(leaks|examples.cache))\.html$/.test(name)) {
        await screenshot(`${path.parse(name).name}-${width}-${scheme}`)
      }
    }
  }
  console.log(`${problems.length} problems`)
} finally {
  chromium.close()
  server.close()
}
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
