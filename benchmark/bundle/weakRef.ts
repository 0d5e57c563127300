export { WeakRef } from "../../src/index.ts"
