/**
 * Effect's SQL layer on `node:sqlite`. The package `@effect/sql-sqlite-node` does not fit Effect 4.1 yet: its newest version
 * for Effect 4 imports `effect/unstable/sql`, which is now `effect/sql`.
 */
import { Effect, Layer, Stream } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient, type SqlConnection, SqlError, Statement } from "effect/sql"
import type { SQLInputValue } from "node:sqlite"

const sqlError = (cause: unknown) => new SqlError.SqlError({ reason: SqlError.classifySqliteError(cause) })

const make = Effect.fnUntraced(function*(filename: string) {
  // Loaded here, because old versions of Node do not have the module.
  const { DatabaseSync } = yield* Effect.promise(() => import("node:sqlite"))
  const database = yield* Effect.acquireRelease(
    Effect.sync(() => new DatabaseSync(filename)),
    (database) => Effect.sync(() => database.close())
  )
  // Several processes write to the same file.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000")

  const run = (sql: string, params: ReadonlyArray<unknown>, isArrays = false) =>
    Effect.try({
      try: (): ReadonlyArray<any> => {
        const statement = database.prepare(sql)
        statement.setReturnArrays(isArrays)
        // The compiler of SQLite's statements makes only values that SQLite has.
        const values = params as ReadonlyArray<SQLInputValue>
        if (statement.columns().length > 0) return statement.all(...values)
        statement.run(...values)
        return []
      },
      catch: sqlError
    })
  const execute: SqlConnection.Connection["execute"] = (sql, params, transformRows) =>
    Effect.map(run(sql, params), (rows) => transformRows === undefined ? rows : transformRows(rows))

  const connection: SqlConnection.Connection = {
    execute,
    executeRaw: (sql, params) => run(sql, params),
    executeStream: () => Stream.die("This connection has no streams"),
    executeValues: (sql, params) => run(sql, params, true),
    executeValuesUnprepared: (sql, params) => run(sql, params, true),
    executeUnprepared: execute
  }
  return yield* SqlClient.make({
    acquirer: Effect.succeed(connection),
    compiler: Statement.makeCompilerSqlite(),
    driver: "node:sqlite",
    spanAttributes: [["db.system.name", "sqlite"]]
  })
})

/** A database in a file, which several processes may share, or in memory with the name `:memory:`. */
export const layer = (filename: string): Layer.Layer<SqlClient.SqlClient> =>
  Layer.effect(SqlClient.SqlClient, make(filename)).pipe(Layer.provide(Reactivity.layer))
