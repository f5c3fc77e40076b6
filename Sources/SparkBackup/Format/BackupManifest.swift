public import SparkCore

/// What a backup contains: the object `manifest.json`, which is written last. A backup without it does not exist.
///
/// It is readable by everybody who reads the store, so that backups can be listed without a key: it has times, sizes, checksums and
/// numbers of rows, and nothing about a person. Its own checksum is in the object `seal`, which is encrypted like the rest: who
/// does not know a recipient's public key cannot make a manifest that fits an encrypted seal. Anybody who knows it can: encryption does
/// not prove the origin of a backup.
public struct BackupManifest: Hashable, Sendable {
    /// The newest format that this program reads.
    public static let currentFormat = 1

    /// A stored object of the backup.
    public struct Part: Hashable, Sendable {
        /// The name below the backup's folder.
        public let name: String
        /// The size of the object in bytes.
        public let bytes: Int64
        /// SHA-256 of the object as it is stored, in hexadecimal digits.
        public let sha256: String
        /// For pages of the database: how many.
        public let pages: Int
        /// For other files: the path in the data directory; empty for pages.
        public let path: String

        /// Creates a part.
        public init(name: String, bytes: Int64, sha256: String, pages: Int = 0, path: String = "") {
            (self.name, self.bytes, self.sha256, self.pages, self.path) = (name, bytes, sha256, pages, path)
        }
    }

    /// The format of the backup.
    public var format = Self.currentFormat
    /// The version of the program that made it.
    public var version: String
    /// The name of the backup in its store.
    public var name: String
    /// The time of the state that it holds.
    public var takenAt: Timestamp
    /// The bytes of a page.
    public var pageSize: Int
    /// The pages of the database.
    public var pageCount: Int
    /// The schema steps that the database has.
    public var migrations: [String]
    /// The rows of each table.
    public var rows: [String: Int64]
    /// Whether the objects are encrypted.
    public var isEncrypted: Bool
    /// The pages of the database, in their order.
    public var database: [Part]
    /// The other files of the data directory.
    public var files: [Part]
    /// The commit in the write-ahead log whose state this is, `salt:frame`.
    public var logPosition: String
    /// The position of the archive before the snapshot began; nil without an archive.
    public var archiveFrom: String?
    /// The position of the archive after the snapshot was read; nil without an archive.
    public var archiveTo: String?

    /// The size of the database in bytes.
    public var databaseBytes: Int64 { Int64(pageSize) * Int64(pageCount) }
    /// The size of all objects in bytes, without manifest and seal.
    public var storedBytes: Int64 { (database + files).map(\.bytes).clampedSum }
    /// The rows of the table of people; nil if it has none.
    public var people: Int64? { rows["accounts_users"] }
    /// The rows of the table of messages; nil if it has none.
    public var messages: Int64? { rows["chat_messages"] }
}

extension BackupManifest: JSONWritable {
    /// The most pages that a database of SQLite has.
    private static let mostPages: Int64 = 1 << 32
    /// The longest object, in bytes.
    private static let longestPart: Int64 = 1 << 50

    /// Writes the manifest as an object.
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("format", format)
            writer.field("spark", version)
            writer.field("name", name)
            writer.field("taken_at", takenAt)
            writer.field("taken_at_milliseconds", takenAt.milliseconds)
            writer.field("page_size", pageSize)
            writer.field("page_count", pageCount)
            writer.field("database_bytes", databaseBytes)
            writer.field("stored_bytes", storedBytes)
            writer.field("encrypted", isEncrypted)
            writer.field("compression", "lz4")
            writer.field("log_position", logPosition)
            if let archiveFrom { writer.field("archive_from", archiveFrom) }
            if let archiveTo { writer.field("archive_to", archiveTo) }
            writer.field("migrations", migrations)
            writer.key("rows")
            writer.object { writer in
                for (table, count) in rows.sorted(by: { $0.key < $1.key }) { writer.field(table, count) }
            }
            for (key, parts) in [("database", database), ("files", files)] {
                writer.key(key)
                writer.array(parts)
            }
        }
    }

    /// Reads the text of a manifest.
    /// - Throws: `BackupError.damaged`, or `.refused` for one of a newer format.
    public init(_ bytes: [UInt8], name: String) throws {
        let damaged = BackupError.damaged("\(name)/manifest.json: it is damaged")
        guard let json = try? JSONParser.parse(bytes), let format = json["format"]?.integer else { throw damaged }
        guard format <= Self.currentFormat else {
            throw BackupError.refused(
                "\(name)/manifest.json: the backup was made by a newer spark (\(json["spark"]?.string ?? "?")); restore it with that version"
            )
        }
        guard let version = json["spark"]?.string, json["name"]?.string == name,
            let takenAt = json["taken_at_milliseconds"]?.integer, 0...SegmentName.largest ~= takenAt,
            let pageSize = json["page_size"]?.integer,
            let pageCount = json["page_count"]?.integer, (512...65_536).contains(pageSize),
            (1...Self.mostPages).contains(pageCount),
            let isEncrypted = json["encrypted"]?.bool, case .object(let rows)? = json["rows"],
            rows.allSatisfy({ 0...SegmentName.largest ~= $0.value.integer ?? -1 }),
            let database = Self.parts(json["database"], isFile: { $0.isEmpty }),
            let files = Self.parts(json["files"], isFile: BackupJob.files.contains)
        else { throw damaged }
        self.init(
            version: version, name: name, takenAt: Timestamp(milliseconds: takenAt), pageSize: Int(pageSize),
            pageCount: Int(pageCount), migrations: (json["migrations"]?.array ?? []).compactMap(\.string),
            rows: Dictionary(rows.compactMap { row in row.value.integer.map { (row.key, $0) } }) { first, _ in first },
            isEncrypted: isEncrypted, database: database, files: files, logPosition: json["log_position"]?.string ?? "",
            archiveFrom: json["archive_from"]?.string, archiveTo: json["archive_to"]?.string)
        self.format = Int(format)
    }

    /// The manifest comes from a place that others may write to: numbers are bounded, so that no calculation with them overflows.
    /// - Parameter isFile: whether a path in the data directory is one that a backup has.
    private static func parts(_ json: JSONValue?, isFile: (String) -> Bool) -> [Part]? {
        guard let items = json?.array else { return nil }
        let parts = items.compactMap { item -> Part? in
            let (pages, path) = (item["pages"]?.integer ?? 0, item["path"]?.string ?? "")
            guard let name = item["name"]?.string, !name.contains(".."), !name.hasPrefix("/"),
                let bytes = item["bytes"]?.integer, 0...longestPart ~= bytes, 0...mostPages ~= pages, isFile(path),
                let sha256 = item["sha256"]?.string
            else { return nil }
            return Part(name: name, bytes: bytes, sha256: sha256, pages: Int(pages), path: path)
        }
        return parts.count == items.count ? parts : nil
    }
}

extension BackupManifest.Part: JSONWritable {
    /// Writes the part as an object.
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("name", name)
            writer.field("bytes", bytes)
            writer.field("sha256", sha256)
            if pages > 0 { writer.field("pages", pages) }
            if !path.isEmpty { writer.field("path", path) }
        }
    }
}
