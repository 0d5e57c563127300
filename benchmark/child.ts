/** Runs the job of one contender in this process, and prints its measurements. */
import { measureAfterCollections } from "./measure/afterCollections.ts"
import * as collections from "./measure/collections.ts"
import { measureCost } from "./measure/cost.ts"
import * as finalizers from "./measure/finalizers.ts"
import { measureOperation, type Operation } from "./measure/operations.ts"
import * as proxies from "./measure/proxies.ts"
import * as references from "./measure/references.ts"
import type { Job, Measurement } from "./measurement.ts"
import { engine, engineJob, several, severalSubjects, subjects } from "./subjects.ts"

const { contender, measure, n, subject }: Job = JSON.parse(process.argv[2]!)

const measureAll = async (operations: ReadonlyArray<Operation>): Promise<Array<Measurement>> => {
  const measurements: Array<Measurement> = []
  for (const operation of operations) {
    measurements.push(await measureOperation(n, operation))
  }
  return measurements
}

const perform = async (): Promise<Array<Measurement>> => {
  if (subject === several) {
    const contestants = await Promise.all(severalSubjects.map(async (name) => {
      const subject = subjects[name]!
      return { name, subject, collection: await subject.contenders[contender]!() }
    }))
    return measureAfterCollections(contestants, n)
  }
  if (subject === "WeakRef") {
    return measureAll(references.operationsOf(await references.contenders[contender]!(), n))
  }
  if (subject === "WeakProxy") {
    return measureAll(proxies.operationsOf(await proxies.contenders[contender]!(), n))
  }
  if (subject in finalizers.contenders) {
    const loaded = await finalizers.contenders[subject]![contender]!()
    return measure === "cost"
      ? finalizers.measureCost(loaded, n, finalizers.targetsOf[subject])
      : measureAll(finalizers.operationsOf(loaded, n))
  }
  const { contenders, weak } = subjects[subject]!
  const loaded = await (contender === engine ? engineJob(weak) : contenders[contender]!)()
  return measure === "cost"
    ? measureCost(loaded, subjects[subject]!, n)
    : measureAll(collections.operationsOf(loaded, subjects[subject]!, n))
}

console.log(JSON.stringify(await perform()))
