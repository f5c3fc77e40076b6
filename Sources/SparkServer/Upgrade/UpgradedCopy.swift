public import Foundation
public import Logging
public import SparkCore
public import SparkKit
import SparkStorage

/// Upgrades a copy of a data directory, and checks it. No service of a server runs meanwhile, and afterwards nothing in the copy is left
/// to be sent.
public struct UpgradedCopy: Sendable {
    /// What was done and found.
    public struct Outcome: Sendable {
        /// The schema steps that were missing, in their order.
        public let steps: [String]
        /// How long they took, with the copy that is made before them.
        public let duration: Duration
        /// The report of `spark check --deep` on the result.
        public let report: Server.CheckReport
        /// The most recently active people.
        public let people: [UserID]
    }

    private let modules: [any SparkModule.Type]
    private let configuration: LoadedConfiguration
    private let logger: Logger

    /// - Parameters:
    ///   - modules: the compiled-in modules, whose schema and checks are used.
    ///   - configuration: of a server that sends nothing.
    public init(modules: [any SparkModule.Type], configuration: LoadedConfiguration, logger: Logger) {
        (self.modules, self.configuration, self.logger) = (modules, configuration, logger)
    }

    /// Upgrades the copy.
    /// - Parameter people: how many people to look for.
    /// - Throws: `StorageOpenError`, `PlanError`; above all if a step fails.
    public func upgrade(_ directory: URL, people: Int) async throws -> Outcome {
        let steps = try await withServer(DataDirectory(inspecting: directory.path)) { $0.storage.missingMigrations }
        let start = ContinuousClock.now
        let (duration, found) = try await withServer(DataDirectory(path: directory.path)) { server in
            let duration = start.duration(to: .now)
            let active = try await server.port((any ActivityRecording).self)?.lastActive(people)
            return (duration, active ?? [])
        }
        try FileManager.default.removeItemIfThere(at: directory.appending(path: "backups"))
        let report = try await withServer(DataDirectory(inspecting: directory.path)) { server in
            try await OwnThread.run { try server.checkReport(isDeep: true) }
        }
        try await silence(directory)
        return Outcome(steps: steps, duration: duration, report: report, people: found)
    }

    /// Removes what is to be sent, and where to, from a copy of any version. Its files are not in use.
    public func silence(_ directory: URL) async throws {
        let tables = ModulePlan(modules).manifests.flatMap(\.tables).filter(\.isOutgoing).map(\.name)
        try await OwnThread.run { try SilencedDatabase.silence(directory.appending(path: "spark.db"), tables: tables) }
    }

    private func withServer<Value: Sendable>(
        _ directory: DataDirectory, _ body: (Server) async throws -> Value
    ) async throws -> Value {
        var options = Server.Options(modules: modules, configuration: configuration, directory: directory, logger: logger)
        options.archive = .none
        let made = options
        let server = try await OwnThread.run { try Server(made) }
        do {
            let value = try await body(server)
            await server.close()
            return value
        } catch {
            await server.close()
            throw error
        }
    }
}

extension FileManager {
    fileprivate func removeItemIfThere(at url: URL) throws {
        if fileExists(atPath: url.path) { try removeItem(at: url) }
    }
}
