// What scripts/siteCheck.ts runs in the pages of the site.

globalThis.siteCheck = {}

// The search waits a fifth of a second for further keys. There are hundreds of names to type.
const delay = globalThis.setTimeout
globalThis.setTimeout = (f, millis, ...args) => delay(f, millis > 100 ? 1 : millis, ...args)

/** Reads every page that can be reached from the home page. Returns the dead links, and the pages. */
siteCheck.crawl = async (home) => {
  const dead = []
  const anchors = new Map()
  const links = []
  const waiting = [home + "index.html", home + "llms.txt"]
  const seen = new Set(waiting)
  while (waiting.length > 0) {
    await Promise.all(
      waiting.splice(0, 8).map(async (url) => {
        const response = await fetch(url)
        if (!response.ok) {
          dead.push(url)
          return
        }
        const text = await response.text()
        const found = []
        if (url.endsWith(".html")) {
          const page = new DOMParser().parseFromString(text, "text/html")
          anchors.set(url, new Set(Array.from(page.querySelectorAll("[id]"), ({ id }) => id)))
          for (const element of page.querySelectorAll("[href], [src]")) {
            found.push(element.getAttribute("href") ?? element.getAttribute("src"))
          }
        } else if (url.endsWith(".txt")) {
          for (const [, link] of text.matchAll(/\]\(([^)]*)\)/g)) found.push(link)
        }
        for (const link of found) {
          const to = new URL(link, url)
          if (!to.href.startsWith(home)) continue
          links.push({ from: url, to })
          const page = to.origin + to.pathname
          if (!seen.has(page)) waiting.push(page)
          seen.add(page)
        }
      })
    )
  }
  for (const { from, to } of links) {
    const page = to.origin + to.pathname
    const id = decodeURIComponent(to.hash.slice(1))
    // The icons are inserted by a script.
    if (id === "" || id.startsWith("icon-") || !anchors.has(page)) continue
    if (!anchors.get(page).has(id)) dead.push(`${from} → ${to.href}`)
  }
  return { dead: Array.from(new Set(dead)), pages: Array.from(anchors.keys()) }
}

/** Types a name into the search, and returns the links that the search shows. */
siteCheck.search = async (text) => {
  const input = document.querySelector("#tsd-search-input")
  const results = document.querySelector("#tsd-search-results")
  if (!document.querySelector("#tsd-search").open) {
    document.querySelector("#tsd-search-trigger").click()
  }
  results.replaceChildren()
  input.value = text
  input.dispatchEvent(new Event("input"))
  for (let rounds = 0; rounds < 1000 && results.childElementCount === 0; rounds++) {
    await new Promise((resolve) => delay(resolve, 5))
  }
  return Array.from(results.querySelectorAll("a"), ({ pathname }) => pathname.slice(1))
}

/** Returns what is wrong with how the page looks. */
siteCheck.look = (isDark) => {
  const problems = []
  const { clientWidth, scrollWidth } = document.documentElement
  // Lighter text on darker ground, or the other way round, by the relative luminance of WCAG.
  const luminance = (color) => {
    const [r, g, b] = color.match(/[\d.]+/g).slice(0, 3).map((text) => {
      const part = Number(text) / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ground = (element) => {
    for (; element !== null; element = element.parentElement) {
      const { backgroundColor } = getComputedStyle(element)
      if (!/^rgba\(.*, 0\)$/.test(backgroundColor)) return backgroundColor
    }
    return "rgb(255, 255, 255)"
  }
  if (scrollWidth > clientWidth) {
    const wide = Array.from(document.querySelectorAll("body *")).filter((element) =>
      element.getBoundingClientRect().right > clientWidth + 1 &&
      element.closest("pre, table, .tsd-signature, dialog") === null
    )
    problems.push(`is ${scrollWidth} wide: ${wide.slice(0, 3).map(({ outerHTML }) => outerHTML.slice(0, 120))}`)
  }
  if (luminance(ground(document.body)) < 0.2 !== isDark) problems.push(`the ground is ${ground(document.body)}`)
  for (
    const element of document.querySelectorAll(".tsd-typography p, .tsd-typography code, pre code span, h1, h2, h3")
  ) {
    if (element.textContent.trim() === "" || element.getClientRects().length === 0) continue
    const [text, back] = [luminance(getComputedStyle(element).color), luminance(ground(element))]
    const contrast = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05)
    if (contrast < 3) problems.push(`contrast ${contrast.toFixed(1)}: ${element.outerHTML.slice(0, 120)}`)
  }
  for (const code of document.querySelectorAll("pre > code.ts, pre > code.typescript, pre > code.json")) {
    if (code.querySelector("span[class^=hl-]") === null) {
      problems.push(`not highlighted: ${code.textContent.slice(0, 80)}`)
    }
  }
  return Array.from(new Set(problems)).slice(0, 3)
}
