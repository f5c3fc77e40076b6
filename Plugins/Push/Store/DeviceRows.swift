import SparkCore
import SparkStorage

/// Queries on device rows, inside a read or write transaction.
enum DeviceRows {
    /// Maximum devices per person; the device registered longest ago is removed.
    private static let limit = 20
    private static let columns =
        "id, user_id, session_id, name, service, token, public_key, secret, is_sandbox, language, registered_at"

    private static func device(_ row: borrowing SQLRow) -> Device? {
        guard let service = PushPlatform(rawValue: row.integer(4)) else { return nil }
        return Device(
            id: row.integer(0), user: UserID(rawValue: row.integer(1)), session: SessionID(rawValue: row.integer(2)),
            name: row.text(3),
            target: PushTarget(
                service: service, token: row.text(5), publicKey: row.blob(6), secret: row.blob(7), isSandbox: row.flag(8),
                registeredAt: row.time(10)),
            language: PushLanguage(rawValue: row.text(9)) ?? .en)
    }

    static func find(_ id: Int64, in session: SQLSession) throws -> Device? {
        try session.statement("SELECT \(columns) FROM push_devices WHERE id = ?").row([.integer(id)]) { device($0) }
            ?? nil
    }

    /// The user's devices, in order of registration.
    static func all(of user: UserID, in session: SQLSession) throws -> [Device] {
        var found: [Device] = []
        try session.statement("SELECT \(columns) FROM push_devices WHERE user_id = ? ORDER BY id")
            .forEach([.integer(user.rawValue)]) { row in
                if let device = device(row) { found.append(device) }
                return true
            }
        return found
    }

    /// The user's devices with an open session. Devices without one get no pushes.
    static func reachable(of user: UserID, in session: SQLSession) throws -> [Device] {
        try all(of: user, in: session).filter { device in
            try session.statement("SELECT 1 FROM accounts_sessions WHERE id = ? AND revoked_at IS NULL")
                .row([.integer(device.session.rawValue)]) { _ in true } ?? false
        }
    }

    /// Registers a device. It replaces the user's device of the same name and any user's device with the same token.
    static func put(_ device: Device, in session: SQLSession) throws {
        let kept = try session.statement(
            "SELECT id FROM push_devices WHERE user_id = ? AND name = ? AND service = ? AND token = ?"
        ).row([
            .integer(device.user.rawValue), .text(device.name), .integer(device.target.service.rawValue),
            .text(device.target.token),
        ]) { $0.integer(0) }
        var others: [Int64] = []
        try session.statement("SELECT id FROM push_devices WHERE (user_id = ? AND name = ?) OR (service = ? AND token = ?)")
            .forEach([
                .integer(device.user.rawValue), .text(device.name), .integer(device.target.service.rawValue),
                .text(device.target.token),
            ]) { row in
                if row.integer(0) != kept { others.append(row.integer(0)) }
                return true
            }
        for id in others { try remove(id, in: session) }
        if let kept {
            try update(kept, device, in: session)
        } else {
            try insert(device, in: session)
            for old in try all(of: device.user, in: session).sorted(by: { $0.target.registeredAt > $1.target.registeredAt })
                .dropFirst(limit)
            {
                try remove(old.id, in: session)
            }
        }
    }

    private static func insert(_ device: Device, in session: SQLSession) throws {
        try session.statement(
            """
            INSERT INTO push_devices
                (user_id, session_id, name, service, token, public_key, secret, is_sandbox, language, registered_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).run([
            .integer(device.user.rawValue), .integer(device.session.rawValue), .text(device.name),
            .integer(device.target.service.rawValue), .text(device.target.token), .blob(device.target.publicKey),
            .blob(device.target.secret), .flag(device.target.isSandbox), .text(device.language.rawValue),
            .time(device.target.registeredAt),
        ])
    }

    /// Updates a device that registers the same token again; its pending deliveries stay.
    private static func update(_ id: Int64, _ device: Device, in session: SQLSession) throws {
        try session.statement(
            """
            UPDATE push_devices SET session_id = ?, public_key = ?, secret = ?, is_sandbox = ?, language = ?, registered_at = ?
            WHERE id = ?
            """
        ).run([
            .integer(device.session.rawValue), .blob(device.target.publicKey), .blob(device.target.secret),
            .flag(device.target.isSandbox), .text(device.language.rawValue), .time(device.target.registeredAt), .integer(id),
        ])
    }

    /// Removes a device and its pending deliveries.
    static func remove(_ id: Int64, in session: SQLSession) throws {
        try DeliveryRows.removeAll(of: id, in: session)
        try session.statement("DELETE FROM push_devices WHERE id = ?").run([.integer(id)])
    }

    /// Removes the devices of a session that has ended.
    static func removeAll(of session: SessionID, in sql: SQLSession) throws {
        var found: [Int64] = []
        try sql.statement("SELECT id FROM push_devices WHERE session_id = ?")
            .forEach([.integer(session.rawValue)]) { row in
                found.append(row.integer(0))
                return true
            }
        for id in found { try remove(id, in: sql) }
    }

    /// Removes a device whose token the provider reports as gone since some time, unless it was registered again after that.
    static func prune(_ device: Device, goneSince: Timestamp?, in session: SQLSession) throws {
        guard let current = try find(device.id, in: session), current.target.token == device.target.token else { return }
        if let goneSince, current.target.registeredAt > goneSince { return }
        try remove(device.id, in: session)
    }
}

/// A device that a user registered.
struct Device: Sendable {
    let id: Int64
    let user: UserID
    /// The session that registered the device. When it ends, the device gets no pushes.
    let session: SessionID
    /// The app's name for the device.
    let name: String
    let target: PushTarget
    let language: PushLanguage
}
