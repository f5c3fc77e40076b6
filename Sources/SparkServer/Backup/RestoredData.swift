public import Foundation
public import Logging
public import SparkBackup
import SparkCore
import SparkFiles
public import SparkKit
import SparkStorage

/// Completes and checks a restored data directory before it is put in place.
public struct RestoredData: Sendable {
    /// What was done.
    public struct Outcome: Sendable {
        /// The people who were erased after the moment of the backup, and are erased again now.
        public let erased: Int
        /// What was not checked, and why.
        public let notes: [String]
    }

    private let modules: [any SparkModule.Type]
    private let configuration: LoadedConfiguration
    private let logger: Logger

    /// - Parameter modules: the compiled-in modules, whose erasers and checks run.
    public init(modules: [any SparkModule.Type], configuration: LoadedConfiguration, logger: Logger) {
        (self.modules, self.configuration, self.logger) = (modules, configuration, logger)
    }

    /// Compares the numbers of rows with the manifest, erases again who was erased since, and checks everything that `spark check` does.
    ///
    /// The first start of a server on the directory gives its history of events a new name, because it was not made there.
    /// - Parameters:
    ///   - manifest: what was restored; nil for a database that was advanced to a later moment, whose numbers are not known.
    ///   - erasures: the people to erase. People who are not in the database are passed over.
    ///   - isDeep: whether the slow checks of `spark check --deep` run as well.
    /// - Throws: `BackupError.damaged`, `.unsound` with the faults, `StorageOpenError`.
    public func complete(
        _ directory: URL, manifest: BackupManifest?, erasures: [Erasure], isDeep: Bool = false
    ) async throws -> Outcome {
        let database = directory.appending(path: "spark.db")
        if let manifest { try await Self.compare(database, manifest) }
        // A backup that was made before the first entry has no note of the newest one.
        if manifest == nil { try await noteNewestEntry(in: directory) }
        let erased = try await erase(erasures, in: directory)
        let report = try await check(directory, isDeep: isDeep)
        guard report.faults.isEmpty else { throw BackupError.unsound(report.faults) }
        return Outcome(erased: erased, notes: report.notes)
    }

    private func noteNewestEntry(in directory: URL) async throws {
        let head = AuditHead(directory: directory)
        guard !head.isThere else { return }
        let server = try await Self.open(options(DataDirectory(inspecting: directory.path)))
        let line: AuditLine?
        do {
            line = try await server.storage.read { session in
                try AuditLog.count(in: session) > 0 ? AuditLog.lines(limit: 1, in: session).first : nil
            }
        } catch {
            await server.close()
            throw error
        }
        await server.close()
        if let line { await head.note(line) }
    }

    private static func compare(_ database: URL, _ manifest: BackupManifest) async throws {
        let found = try await OwnThread.run { try DatabaseInspector.rowCounts(of: database) }
        let wrong = manifest.rows.filter { found[$0.key] != $0.value }.keys.sorted()
        guard let table = wrong.first else { return }
        throw BackupError.damaged(
            "the restored database has \(found[table] ?? 0) rows in \(table) instead of \(manifest.rows[table] ?? 0)")
    }

    private func erase(_ erasures: [Erasure], in directory: URL) async throws -> Int {
        guard !erasures.isEmpty else { return 0 }
        var options = try options(DataDirectory(path: directory.path))
        options.start.takesUpUnfinishedWork = true
        let server = try await Self.open(options)
        let eraser = server.port((any AccountErasing).self)
        var count = 0
        do {
            for erasure in erasures {
                try Task.checkCancellation()
                if try await eraser?.erase(erasure.user) == true { count += 1 }
            }
        } catch {
            await server.close()
            throw error
        }
        await server.close()
        // With the times of the list: those of this machine's clock may be too early.
        let known = try Dictionary(ErasureFile(in: directory).all().map { ($0.user, $0.at) }) { max($0, $1) }
        try ErasureFile(in: directory).append(erasures.filter { erasure in known[erasure.user].map { $0 < erasure.at } ?? true })
        // A copy that was made before a migration has everybody in it.
        try? FileManager.default.removeItem(at: directory.appending(path: "backups"))
        for name in ["spill", "matching"] { try? FileManager.default.removeItem(at: directory.appending(path: name)) }
        return count
    }

    private func check(_ directory: URL, isDeep: Bool) async throws -> Server.CheckReport {
        let server = try await Self.open(options(DataDirectory(inspecting: directory.path)))
        do {
            let report = try await OwnThread.run { try server.checkReport(isDeep: isDeep) }
            await server.close()
            return report
        } catch {
            await server.close()
            throw error
        }
    }

    private func options(_ directory: DataDirectory) -> Server.Options {
        var options = Server.Options(modules: modules, configuration: configuration, directory: directory, logger: logger)
        options.archive = .none
        return options
    }

    private static func open(_ options: Server.Options) async throws -> Server {
        try await OwnThread.run { try Server(options) }
    }
}
