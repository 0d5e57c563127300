import * as os from "node:os"

export const describeMachine = () => {
  const [cpu] = os.cpus()
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${os.platform()} ${os.arch()}`,
    cpu: `${os.availableParallelism()} × ${cpu?.model.trim() ?? "unknown"}`,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    load: os.loadavg()[0]!.toFixed(1)
  }
}
