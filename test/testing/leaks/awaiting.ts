/** Takes a value that another module hands over, and awaits something for ever. */
const taken = [Reflect.get(globalThis, "handedOver")]
Reflect.set(globalThis, "handedOver", undefined)
await new Promise(() => {})
export const size = taken.length
