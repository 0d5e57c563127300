/** Replaces `node:vm` in a page: each frame of a page has a realm of its own. */
interface Realm {
  readonly eval: (code: string) => unknown
}

interface Document {
  createElement(name: "iframe"): { readonly contentWindow: unknown }
  readonly body: { append(element: object): void }
}

// The project is compiled without the types of a page.
const { document } = globalThis as unknown as { readonly document: Document }

export const createContext = (globals: object): Realm => {
  const frame = document.createElement("iframe")
  document.body.append(frame)
  // The cast is safe: the frame is in the document, and every window has `eval`.
  return Object.assign(frame.contentWindow as Realm, globals)
}

export const runInContext = (code: string, realm: Realm): unknown => realm.eval(code)

export const runInNewContext = (code: string): unknown => runInContext(code, createContext({}))
