import Crypto
public import SparkCore
public import SparkStorage

/// The subject of an audit log line: an identifier or a code word. The type holds nothing else, so the log cannot contain
/// names, addresses or texts.
public struct AuditSubject: Hashable, Sendable {
    /// The identifier or the code word as the log stores it.
    public let text: String

    /// A subject that is a record, such as a user or a case.
    public init(_ identifier: Identifier<some IdentifierKind>) { self.text = identifier.wire }

    /// A subject that is a code word, such as a reason.
    public init(_ word: CodeWord) { self.text = word.text }
}

/// One line of the audit log.
public struct AuditLine: Hashable, Sendable {
    /// The number of the line, from 1, without gaps.
    public let seq: Int64
    /// When the action committed its line.
    public let at: Timestamp
    /// The operating system user who ran the verb, as `uid:1000`.
    public let actor: String
    /// The name of the operator action, e.g. `user.suspend`.
    public let action: String
    /// Identifiers and code words only.
    public let subjects: [String]
    /// The previous line's `hash`; 32 zero bytes before the first line.
    public let previous: [UInt8]
    /// SHA-256 of `previous` and of the line's content.
    public let hash: [UInt8]

    /// The hash in lower-case hexadecimal digits.
    public var digest: String { hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

    /// The hash of a line: SHA-256 of the previous hash and of `[seq, milliseconds, actor, action, [subjects]]` as JSON.
    static func hash(
        after previous: [UInt8], seq: Int64, at: Timestamp, actor: String, action: String, subjects: [String]
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.array { writer in
            writer.value(seq)
            writer.value(at.milliseconds)
            writer.value(actor)
            writer.value(action)
            writer.array { writer in
                for subject in subjects { writer.value(subject) }
            }
        }
        return Array(SHA256.hash(data: previous + writer.bytes))
    }
}

extension AuditLine: JSONObject {
    /// What operators see of a line.
    public static let fields = Fields<AuditLine>("AuditLine", "One line of the audit log.") {
        Field("seq", \.seq, .integer, "The number of the line, without gaps.")
        Field("at", \.at)
        Field("actor", \.actor, .string.example("uid:1000"))
        Field("action", \.action, .string.example("user.suspend"))
        Field("subjects", \.subjects, .list(.string), "Identifiers and code words.")
        Field("hash", \.digest, .string, "SHA-256, over the line before too.")
    }
}

/// The audit log: an append-only table. An action writes its line in its own transaction. Each hash covers the previous line,
/// so a changed or removed line breaks the chain. Lines removed at the end show up against the table's own counter and against
/// the newest line that the server keeps in a file next to the database.
public enum AuditLog {
    /// The hash before the first line.
    static let origin = [UInt8](repeating: 0, count: 32)

    /// Appends a line in an open transaction.
    static func append(
        action: String, actor: String, subjects: [String], at now: Timestamp, in session: SQLSession
    ) throws -> AuditLine {
        let last = try session.statement("SELECT seq, hash FROM spark_audit ORDER BY seq DESC LIMIT 1")
            .row([]) { ($0.integer(0), $0.blob(1)) }
        // The counter also counts lines that were removed at the end, so they leave a visible gap.
        let counter = try session.statement("SELECT seq FROM sqlite_sequence WHERE name = 'spark_audit'")
            .row([]) { $0.integer(0) }
        let (seq, previous) = (max(last?.0 ?? 0, counter ?? 0) + 1, last?.1 ?? origin)
        let hash = AuditLine.hash(after: previous, seq: seq, at: now, actor: actor, action: action, subjects: subjects)
        try session.statement(
            "INSERT INTO spark_audit (seq, at, actor, action, subjects, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"
        ).run([
            .integer(seq), .time(now), .text(actor), .text(action), .text(subjects.joined(separator: " ")), .blob(previous),
            .blob(hash),
        ])
        return AuditLine(
            seq: seq, at: now, actor: actor, action: action, subjects: subjects, previous: previous, hash: hash)
    }

    /// Lines from newest to oldest.
    /// - Parameters:
    ///   - seq: Only lines with lower numbers.
    ///   - limit: The most lines to return.
    /// - Throws: `SQLError`.
    public static func lines(before seq: Int64 = .max, limit: Int, in session: SQLSession) throws -> [AuditLine] {
        var lines: [AuditLine] = []
        try session.statement("\(columns) WHERE seq < ? ORDER BY seq DESC LIMIT ?")
            .forEach([.integer(seq), .integer(Int64(limit))]) { row in
                lines.append(line(row))
                return true
            }
        return lines
    }

    /// The number of lines; 0 if the table is missing.
    public static func count(in session: SQLSession) throws -> Int64 {
        guard try hasTable(in: session) else { return 0 }
        return try session.statement("SELECT COUNT(*) FROM spark_audit").row([]) { $0.integer(0) } ?? 0
    }

    /// The newest line that has one of the actions and names the subject; nil if there is none. Reads the whole log.
    public static func newest(of actions: [String], about subject: AuditSubject, in session: SQLSession) throws -> AuditLine? {
        let places = actions.map { _ in "?" }.joined(separator: ", ")
        return try session.statement(
            "\(columns) WHERE action IN (\(places)) AND instr(' ' || subjects || ' ', ?) > 0 ORDER BY seq DESC LIMIT 1"
        ).row(actions.map { .text($0) } + [.text(" \(subject.text) ")]) { line($0) }
    }

    private static func hasTable(in session: SQLSession) throws -> Bool {
        try session.statement("SELECT 1 FROM sqlite_schema WHERE name = 'spark_audit'").row([]) { _ in true } == true
    }

    /// Describes every break of the chain, at most 20; empty if the log is intact. Reads the whole log.
    /// - Parameter head: The newest line that the server recorded outside the database; nil if it recorded none, number 0
    ///   before the first line.
    public static func faults(in session: SQLSession, head: (seq: Int64, digest: String)? = nil) throws -> [String] {
        let head = head?.seq == 0 ? nil : head
        // A database of an older version that is opened for reading has no audit table yet.
        guard try hasTable(in: session) else { return head == nil ? [] : ["audit log: its table is missing"] }
        var faults: [String] = []
        var (expected, previous) = (Int64(1), origin)
        var isHeadFound = head == nil
        try session.statement("\(columns) ORDER BY seq").forEach { row in
            let line = line(row)
            if line.seq > expected { faults.append("audit log: \(missing(expected, line.seq - 1)) before line \(line.seq)") }
            if line.previous != previous { faults.append("audit log: line \(line.seq) does not continue the line before") }
            let hash = AuditLine.hash(
                after: line.previous, seq: line.seq, at: line.at, actor: line.actor, action: line.action,
                subjects: line.subjects)
            if line.hash != hash { faults.append("audit log: line \(line.seq) was changed") }
            if let head, head.seq == line.seq {
                isHeadFound = true
                if head.digest != line.digest { faults.append("audit log: line \(line.seq) is not the one that was noted") }
            }
            (expected, previous) = (line.seq + 1, line.hash)
            return faults.count < 20
        }
        guard faults.count < 20 else { return faults }
        let counter = try session.statement("SELECT seq FROM sqlite_sequence WHERE name = 'spark_audit'")
            .row([]) { $0.integer(0) }
        if let counter, counter >= expected { faults.append("audit log: \(missing(expected, counter)) at the end") }
        if let head, !isHeadFound, head.seq > (counter ?? 0) {
            faults.append("audit log: it ends before line \(head.seq), which was noted; the database may be an older copy")
        } else if let head, !isHeadFound {
            faults.append("audit log: line \(head.seq), which was noted, is missing")
        }
        let triggers = try session.statement(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'spark_audit'"
        ).row([]) { $0.integer(0) }
        if triggers != 2 { faults.append("audit log: it is no longer protected against changes") }
        return faults
    }

    private static func missing(_ first: Int64, _ last: Int64) -> String {
        first == last ? "line \(first) is missing" : "lines \(first) to \(last) are missing"
    }

    private static let columns = "SELECT seq, at, actor, action, subjects, previous, hash FROM spark_audit"

    private static func line(_ row: borrowing SQLRow) -> AuditLine {
        AuditLine(
            seq: row.integer(0), at: row.time(1), actor: row.text(2), action: row.text(3),
            subjects: row.text(4).split(separator: " ").map(String.init), previous: row.blob(5), hash: row.blob(6))
    }
}
