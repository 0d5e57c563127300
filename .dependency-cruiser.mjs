/** The rooms of the house. Reads the build, so that an import of types, which does not exist at run time, is no arrow. */
const internal = "^dist/internal/(?!testing/)"
const testing = "^dist/(internal/)?testing/"
const base = "^dist/(Heap|WeakError)\\.js$"

export default {
  forbidden: [
    { name: "no circle", severity: "error", from: {}, to: { circular: true } },
    {
      name: "internal imports no public module except Heap and WeakError",
      severity: "error",
      from: { path: internal },
      to: { path: "^dist/[^/]+\\.js$", pathNot: base }
    },
    {
      name: "Heap and WeakError import no other public module",
      severity: "error",
      from: { path: base },
      to: { path: "^dist/[^/]+\\.js$", pathNot: base }
    },
    {
      name: "only testing knows testing",
      severity: "error",
      from: { pathNot: testing },
      to: { path: testing }
    },
    {
      name: "no barrel of Effect",
      severity: "error",
      from: { pathNot: testing },
      to: { path: "node_modules/effect/dist/index\\.js$" }
    }
  ],
  options: { doNotFollow: { path: "node_modules" }, combinedDependencies: true }
}
