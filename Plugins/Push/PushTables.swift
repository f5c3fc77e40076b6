import GRDB
import SparkCore
import SparkKit
import SparkStorage

/// The tables, and how one person's part of them is given out and destroyed. Tokens are given to nobody.
enum PushTables {
    static let all = [devices, settings, days, mutes, batches, events, deliveries, records, .plain("push_pauses")]

    private static let mine = "SELECT id FROM push_batches WHERE user_id = ?1"

    private static let devices = TableDeclaration.userLinked(
        "push_devices",
        export: { database, user in
            try DeviceRows.all(of: user, in: database).map { device in
                .object([
                    JSONMember("id", .string(device.name)), JSONMember("provider", .string(device.target.service.wire)),
                    JSONMember("language", .string(device.language.rawValue)),
                    JSONMember("registered_at", .string(device.target.registeredAt.description)),
                ])
            }
        },
        erase: { database, user in
            for device in try DeviceRows.all(of: user, in: database) { try DeviceRows.remove(device.id, in: database) }
        })

    private static let settings = TableDeclaration.userLinked(
        "push_settings",
        export: { database, user in
            let settings = try SettingsRows.find(user, in: database)
            return settings == NotificationSettings() ? [] : [try JSONParser.parse(JSONWriter.bytes(of: settings))]
        }, erase: eraser("DELETE FROM push_settings WHERE user_id = ?1"))

    private static let days = TableDeclaration.userLinked(
        "push_days",
        export: { database, user in
            try rows("SELECT day, sent FROM push_days WHERE user_id = ?1", user, database) { row in
                [
                    JSONMember("day", .string(CivilDate(daysSinceEpoch: row.integer(0)).description)),
                    JSONMember("sent", .integer(row.integer(1))),
                ]
            }
        }, erase: eraser("DELETE FROM push_days WHERE user_id = ?1"))

    private static let mutes = TableDeclaration.userLinked(
        "push_mutes",
        exportPage: { database, user, page in
            try RawStatement(
                """
                SELECT conversation_id, until FROM push_mutes WHERE user_id = ?1 AND conversation_id > ?2
                ORDER BY conversation_id
                """, in: database
            ).forEach([.integer(user.rawValue), page.after.first ?? .integer(.min)]) { row in
                let mute = JSONValue.object([
                    JSONMember("conversation_id", .string(ConversationID(rawValue: row.integer(0)).wire)),
                    JSONMember("until", row.isNull(1) ? .null : .string(row.time(1).description)),
                ])
                return page.append(mute, at: [.integer(row.integer(0))])
            }
        }, erase: eraser("DELETE FROM push_mutes WHERE user_id = ?1"))

    private static let batches = TableDeclaration.userLinked(
        "push_batches",
        exportPage: { database, user, page in
            try RawStatement(
                "SELECT id, kind, opened_at, count FROM push_batches WHERE user_id = ?1 AND id > ?2 ORDER BY id", in: database
            ).forEach([.integer(user.rawValue), page.after.first ?? .integer(.min)]) { row in
                let batch = JSONValue.object([
                    JSONMember("kind", .string(PushKind(rawValue: row.integer(1))?.wire ?? "unknown")),
                    JSONMember("opened_at", .string(row.time(2).description)), JSONMember("count", .integer(row.integer(3))),
                ])
                return page.append(batch, at: [.integer(row.integer(0))])
            }
        }, eraseStep: eraseBatches, erase: eraser("DELETE FROM push_batches WHERE user_id = ?1"))

    /// Subjects of a person's batches. As a subject themselves, who liked somebody: gone with them, too.
    private static let events = TableDeclaration.userLinked(
        "push_events", export: { _, _ in [] },
        erase: eraser(
            """
            DELETE FROM push_events WHERE batch_id IN (\(mine))
                OR (subject_id = ?1 AND batch_id IN (SELECT id FROM push_batches WHERE kind = \(PushKind.like.rawValue)))
            """))

    private static let deliveries = TableDeclaration.userLinked(
        "push_deliveries", export: { _, _ in [] }, erase: eraser("DELETE FROM push_deliveries WHERE batch_id IN (\(mine))"))

    private static let records = TableDeclaration.userLinked(
        "push_records",
        exportPage: { database, user, page in
            try RawStatement(
                "SELECT id, device, sent_at, content FROM push_records WHERE user_id = ?1 AND id > ?2 ORDER BY id", in: database
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
        erase: eraser("DELETE FROM push_records WHERE user_id = ?1"))

    /// Batch by batch with what belongs to it, so that no delivery stands without its batch, nor a batch without its deliveries.
    private static func eraseBatches(_ database: Database, _ user: UserID, _ limit: Int) throws -> Bool {
        var batches: [Int64] = []
        try RawStatement("SELECT id FROM push_batches WHERE user_id = ?1 LIMIT ?2", in: database)
            .forEach([.integer(user.rawValue), .integer(Int64(limit))]) { row in
                batches.append(row.integer(0))
                return true
            }
        for batch in batches {
            for sql in [
                "DELETE FROM push_events WHERE batch_id = ?1", "DELETE FROM push_deliveries WHERE batch_id = ?1",
                "DELETE FROM push_batches WHERE id = ?1",
            ] {
                try RawStatement(sql, in: database).run([.integer(batch)])
            }
        }
        return batches.count >= limit
    }

    private static func eraser(_ sql: String) -> TableDeclaration.Eraser {
        { database, user in try RawStatement(sql, in: database).run([.integer(user.rawValue)]) }
    }

    private static func rows(
        _ sql: String, _ user: UserID, _ database: Database, _ members: (borrowing SQLRow) -> [JSONMember]
    ) throws -> [JSONValue] {
        var found: [JSONValue] = []
        try RawStatement(sql, in: database).forEach([.integer(user.rawValue)]) { row in
            found.append(.object(members(row)))
            return true
        }
        return found
    }
}
