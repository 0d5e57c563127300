/** Runs `expectNoGrowth` with classes that Node's `queryObjects` does not see, and prints the results as JSON. */
import { Effect } from "effect"
import vm from "node:vm"
import { LeakDetector } from "../../../src/testing/index.ts"

const context = vm.createContext({})
const { Session, Special, close, open }: {
  readonly Session: new() => object
  readonly Special: new() => object
  readonly open: () => void
  readonly close: () => void
} = vm.runInContext(
  `class Session {}
   class Special extends Session {}
   class Other { static Session = class Session {} }
   const sessions = []
   const open = () => void sessions.push(new Special(), new Other.Session())
   const close = () => void sessions.pop()
   ;({ Session, Special, open, close })`,
  context
)

const growthOf = (effect: Effect.Effect<void>) =>
  LeakDetector.expectNoGrowth(effect, { classes: [Session, Special], repeat: 3 }).pipe(
    Effect.match({ onFailure: ({ growth }) => growth, onSuccess: () => [] })
  )

const leaking = await Effect.runPromise(growthOf(Effect.sync(open)))
const closing = await Effect.runPromise(growthOf(Effect.sync(() => (open(), close(), close()))))
console.log(JSON.stringify({ leaking, closing }))
process.exit()
