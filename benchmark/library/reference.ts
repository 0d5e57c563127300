import { runProgram } from "../program.ts"

runProgram()

export { deref, makeUnsafe as make } from "../../src/WeakRef.ts"
