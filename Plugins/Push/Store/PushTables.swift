import SparkCore
import SparkKit
import SparkStorage

/// The tables, with the export and the erasure of one person's rows. Tokens are never exported.
enum PushTables {
    static let all = [
        devices.outgoing(), settings, days, mutes, batches.outgoing(), events.outgoing(), deliveries.outgoing(), records,
        .plain("push_pauses"),
    ]

    private static let mine = "SELECT id FROM push_batches WHERE user_id = ?1"

    private static let devices = TableDeclaration.userLinked(
        "push_devices",
        export: { session, user in
            try DeviceRows.all(of: user, in: session).map { device in
                .object([
                    JSONMember("id", .string(device.name)), JSONMember("provider", .string(device.target.service.wire)),
                    JSONMember("language", .string(device.language.rawValue)),
                    JSONMember("registered_at", .string(device.target.registeredAt.description)),
                ])
            }
        },
        erase: { session, user in
            for device in try DeviceRows.all(of: user, in: session) { try DeviceRows.remove(device.id, in: session) }
        })

    private static let settings = TableDeclaration.userLinked(
        "push_settings",
        export: { session, user in
            let settings = try SettingsRows.find(user, in: session)
            return settings == NotificationSettings() ? [] : [try JSONParser.parse(JSONWriter.bytes(of: settings))]
        }, erase: TableDeclaration.erasing("DELETE FROM push_settings WHERE user_id = ?1"))

    private static let days = TableDeclaration.userLinked(
        "push_days",
        export: { session, user in
            try session.rows("SELECT day, sent FROM push_days WHERE user_id = ?", user.rawValue) { row in
                ["day": .string(CivilDate(daysSinceEpoch: row.integer(0)).description), "sent": .integer(row.integer(1))]
            }
        }, erase: TableDeclaration.erasing("DELETE FROM push_days WHERE user_id = ?1"))

    private static let mutes = TableDeclaration.userLinked(
        "push_mutes",
        exportPage: { session, user, page in
            try session.statement(
                """
                SELECT conversation_id, until FROM push_mutes WHERE user_id = ?1 AND conversation_id > ?2
                ORDER BY conversation_id
                """
            ).forEach([.integer(user.rawValue), page.after.first ?? .integer(.min)]) { row in
                let mute = JSONValue.object([
                    JSONMember("conversation_id", .string(ConversationID(rawValue: row.integer(0)).wire)),
                    JSONMember("until", row.isNull(1) ? .null : .string(row.time(1).description)),
                ])
                return page.append(mute, at: [.integer(row.integer(0))])
            }
        }, erase: TableDeclaration.erasing("DELETE FROM push_mutes WHERE user_id = ?1"))

    private static let batches = TableDeclaration.userLinked(
        "push_batches",
        exportPage: { session, user, page in
            try session.statement(
                "SELECT id, kind, opened_at, count FROM push_batches WHERE user_id = ?1 AND id > ?2 ORDER BY id"
            ).forEach([.integer(user.rawValue), page.after.first ?? .integer(.min)]) { row in
                let batch = JSONValue.object([
                    JSONMember("kind", .string(PushKind(rawValue: row.integer(1))?.wire ?? "unknown")),
                    JSONMember("opened_at", .string(row.time(2).description)), JSONMember("count", .integer(row.integer(3))),
                ])
                return page.append(batch, at: [.integer(row.integer(0))])
            }
        }, eraseStep: eraseBatches, erase: TableDeclaration.erasing("DELETE FROM push_batches WHERE user_id = ?1"))

    /// Events in the person's batches, and likes by the person in other users' batches. Both are erased.
    private static let events = TableDeclaration.userLinked(
        "push_events", export: { _, _ in [] },
        erase: TableDeclaration.erasing(
            """
            DELETE FROM push_events WHERE batch_id IN (\(mine))
                OR (subject_id = ?1 AND batch_id IN (SELECT id FROM push_batches WHERE kind = \(PushKind.like.rawValue)))
            """))

    private static let deliveries = TableDeclaration.userLinked(
        "push_deliveries", export: { _, _ in [] },
        erase: TableDeclaration.erasing("DELETE FROM push_deliveries WHERE batch_id IN (\(mine))"))

    private static let records = TableDeclaration.userLinked(
        "push_records",
        exportPage: { session, user, page in
            try session.statement(
                "SELECT id, device, sent_at, content FROM push_records WHERE user_id = ?1 AND id > ?2 ORDER BY id"
            ).forEach([.integer(user.rawValue), page.after.first ?? .integer(.min)]) { row in
                let record = JSONValue.object([
                    JSONMember("device", .string(row.text(1))), JSONMember("sent_at", .string(row.time(2).description)),
                    JSONMember("content", (try? JSONParser.parse(row.blob(3))) ?? .null),
                ])
                return page.append(record, at: [.integer(row.integer(0))])
            }
        },
        eraseStep: TableDeclaration.step(
            "DELETE FROM push_records WHERE id IN (SELECT id FROM push_records WHERE user_id = ?1 LIMIT ?2)"),
        erase: TableDeclaration.erasing("DELETE FROM push_records WHERE user_id = ?1"))

    /// Erases batch by batch with events and deliveries, so that neither a batch nor a delivery remains alone.
    private static func eraseBatches(_ session: SQLSession, _ user: UserID, _ limit: Int) throws -> Bool {
        var batches: [Int64] = []
        try session.statement("SELECT id FROM push_batches WHERE user_id = ?1 LIMIT ?2")
            .forEach([.integer(user.rawValue), .integer(Int64(limit))]) { row in
                batches.append(row.integer(0))
                return true
            }
        for batch in batches {
            for sql in [
                "DELETE FROM push_events WHERE batch_id = ?1", "DELETE FROM push_deliveries WHERE batch_id = ?1",
                "DELETE FROM push_batches WHERE id = ?1",
            ] {
                try session.statement(sql).run([.integer(batch)])
            }
        }
        return batches.count >= limit
    }
}
