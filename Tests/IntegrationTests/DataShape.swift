import Foundation
import GRDB
import SparkCore
import SparkStorage
import Testing

/// A data directory as an earlier version left it: `Fixtures/shapes` has their databases.
struct DataShape: CustomTestStringConvertible, Sendable {
    static let ann = UserID(rawValue: 914_607_272_780_303_327)

    let name: String
    var testDescription: String { name }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/shapes")

    static let all = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".db.gz") }.map { DataShape(name: String($0.dropLast(6))) }.sorted { $0.name < $1.name }

    /// Whether the version had conversations.
    var hasChat: Bool { (name.first?.wholeNumberValue ?? 0) >= 3 }

    /// Writes the directory: the database, a key, and the head of the operators' log if the version had one.
    func unpack(into directory: String) async throws {
        let archive = Self.folder.appending(path: "\(name).db.gz").path
        try await DataDirectoryScene.shell(
            "mkdir -p \(directory)/keys; gzip -dc \(archive) > \(directory)/spark.db; head -c 32 /dev/urandom > \(directory)/keys/server.key"
        )
        let database = try DatabaseQueue(path: "\(directory)/spark.db")
        defer { try? database.close() }
        let head = try await database.read { database -> String? in
            guard try database.tableExists("spark_audit") else { return nil }
            return try String.fetchOne(database, sql: "SELECT seq || ' ' || lower(hex(hash)) FROM spark_audit ORDER BY seq DESC")
        }
        if let head { try Data("\(head)\n".utf8).write(to: URL(filePath: "\(directory)/audit.head")) }
    }

    /// The identifiers of the schema steps in a directory's database.
    static func steps(in directory: String) throws -> [String] {
        try DatabaseInspector.migrations(of: URL(filePath: "\(directory)/spark.db"))
    }
}
