import GRDB
import SparkCore
package import SparkKit

/// What the stream owns beside the modules: its tables and metrics.
package enum StreamManifest {
    package static let manifest = ModuleManifest(
        id: "stream", summary: "Numbered events: WebSocket, Server-Sent Events and polling",
        tables: [inbox, floors, IdempotencyStore.table],
        metrics: StreamMetrics.declarations)

    private static let inbox = TableDeclaration.userLinked(
        "spark_inbox",
        export: { database, user in
            let statement = try database.cachedStatement(
                sql: "SELECT offset, type, created_at FROM spark_inbox WHERE user_id = ? ORDER BY offset")
            return try Row.fetchAll(statement, arguments: [user.rawValue]).map { row in
                .object([
                    JSONMember("offset", .integer(row[0])), JSONMember("type", .string(row[1])),
                    JSONMember("created_at", .string(Timestamp(milliseconds: row[2]).description)),
                ])
            }
        },
        erase: { database, user in
            try database.execute(sql: "DELETE FROM spark_inbox WHERE user_id = ?", arguments: [user.rawValue])
        })

    private static let floors = TableDeclaration.userLinked(
        "spark_inbox_floors", export: { _, _ in [] },
        erase: { database, user in
            try database.execute(sql: "DELETE FROM spark_inbox_floors WHERE user_id = ?", arguments: [user.rawValue])
        })
}
