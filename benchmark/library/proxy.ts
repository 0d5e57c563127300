import * as WeakProxy from "../../src/WeakProxy.ts"
import type { Proxies } from "../contenders.ts"
import { runProgram } from "../program.ts"

runProgram()

export const proxies: Proxies = { make: WeakProxy.makeUnsafe, makeFunction: WeakProxy.makeUnsafe }
