import SparkCore
import SparkHTTP
package import SparkKit
import SparkStorage

/// The stream's own tables and metrics, apart from the modules'.
package enum StreamManifest {
    /// The stream's manifest, in the form of a module's.
    package static let manifest = ModuleManifest(
        id: "stream", summary: "Numbered events: WebSocket, Server-Sent Events and polling",
        tables: [inbox, floors, IdempotencyStore.table],
        metrics: StreamMetrics.declarations)

    private static let inbox = TableDeclaration.userLinked(
        "spark_inbox",
        exportPage: { session, user, page in
            try session.statement(
                "SELECT offset, type, created_at FROM spark_inbox WHERE user_id = ?1 AND offset > ?2 ORDER BY offset"
            ).forEach([.integer(user.rawValue), page.after.first ?? .integer(.min)]) { row in
                let event = JSONValue.object([
                    JSONMember("offset", .integer(row.integer(0))), JSONMember("type", .string(row.text(1))),
                    JSONMember("created_at", .string(row.time(2).description)),
                ])
                return page.append(event, at: [.integer(row.integer(0))])
            }
        },
        eraseStep: TableDeclaration.step(
            """
            DELETE FROM spark_inbox WHERE user_id = ?1 AND offset IN (
                SELECT offset FROM spark_inbox WHERE user_id = ?1 ORDER BY offset LIMIT ?2)
            """),
        erase: { session, user in
            try session.run("DELETE FROM spark_inbox WHERE user_id = ?", user.rawValue)
        })

    private static let floors = TableDeclaration.userLinked(
        "spark_inbox_floors", export: { _, _ in [] },
        erase: { session, user in
            try session.run("DELETE FROM spark_inbox_floors WHERE user_id = ?", user.rawValue)
        })
}
