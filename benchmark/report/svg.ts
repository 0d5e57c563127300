/** Draws a plot as SVG for a page that is light or dark. */
import * as Plot from "@observablehq/plot"
import { DOMImplementation, XMLSerializer } from "@xmldom/xmldom"

export const renderSvg = (title: string, options: Plot.PlotOptions): string => {
  const document = new DOMImplementation().createDocument(null, "html", null)
  const svg = Plot.plot({ ...options, document: document as never }) as unknown as {
    setAttribute(name: string, value: string): void
    insertBefore(node: unknown, before: unknown): void
    firstChild: unknown
  }
  svg.setAttribute("role", "img")
  const style = document.createElement("style")
  style.textContent = "svg { color: #1f2328 } @media (prefers-color-scheme: dark) { svg { color: #e6edf3 } }"
  const heading = document.createElement("title")
  heading.textContent = title
  svg.insertBefore(style, svg.firstChild)
  svg.insertBefore(heading, svg.firstChild)
  return new XMLSerializer().serializeToString(svg as never)
}
