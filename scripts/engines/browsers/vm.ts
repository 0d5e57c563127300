/** Replaces `node:vm` in a page: each frame of a page has a realm of its own. */
type Realm = Window & { readonly eval: (code: string) => unknown }

export const createContext = (globals: object): Realm => {
  const frame = document.createElement("iframe")
  document.body.append(frame)
  // The cast is safe: the frame is in the document, and every window has `eval`.
  return Object.assign(frame.contentWindow as Realm, globals)
}

export const runInContext = (code: string, realm: Realm): unknown => realm.eval(code)

export const runInNewContext = (code: string): unknown => runInContext(code, createContext({}))
