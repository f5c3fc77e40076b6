public import Foundation
public import SparkBackup
public import SparkCore
import SparkHTTP
import SparkStorage

/// One drill: the newest complete backup of a place is restored into a scratch folder, its rows are compared with the manifest, people
/// who were erased since are erased again, everything that `spark check --deep` checks is checked, and the folder is removed.
public struct DrillRun: Sendable {
    /// A good drill.
    public struct Result: Sendable {
        /// What was restored.
        public let manifest: BackupManifest
        /// What the checks said.
        public let outcome: RestoredData.Outcome
        /// How long it took.
        public let duration: Duration
    }

    private let place: String
    private let bucket: S3Settings
    private let identities: [URL]
    private let folder: URL
    private let directory: URL?
    private let data: RestoredData
    /// The source of the time.
    public var clock: any WallClock = SystemWallClock()
    /// Whether backups and lists that are not encrypted fail; nil for so if there is an identity.
    public var requiresEncryption: Bool?
    /// Called with each part that was read.
    public var progress: @Sendable (Restoration.Progress) -> Void = { _ in }

    /// - Parameters:
    ///   - place: a directory or the URL of a bucket.
    ///   - bucket: how to reach a bucket.
    ///   - identities: files with private keys.
    ///   - folder: where the scratch folder is made.
    ///   - directory: the data directory that notes the result; nil for backups that are not those of its settings.
    public init(
        of place: String, bucket: S3Settings, identities: [URL], folder: URL, notedIn directory: URL?, data: RestoredData
    ) {
        (self.place, self.bucket, self.identities, self.folder) = (place, bucket, identities, folder)
        (self.directory, self.data) = (directory, data)
    }

    /// - Throws: `DrillSkipped` if the drill could not run, `BackupError` if the backup cannot be restored or is not sound, and
    ///   `CancellationError`, after which nothing is noted.
    public func run() async throws -> Result {
        let start = ContinuousClock.now
        try await note { $0.attemptedAt = $1 }
        do {
            let (manifest, outcome) = try await drill()
            let duration = start.duration(to: .now)
            try await note { $0.succeed(manifest.name, at: $1, seconds: duration.inSeconds) }
            return Result(manifest: manifest, outcome: outcome, duration: duration)
        } catch is CancellationError {
            throw CancellationError()
        } catch let skipped as DrillSkipped {
            try await note { $0.pass(skipped.reason.words, skipped.description, at: $1) }
            throw skipped
        } catch {
            let words = Self.words(for: error)
            try await note { $0.fail(words, at: $1) }
            throw error
        }
    }

    private func drill() async throws -> (BackupManifest, RestoredData.Outcome) {
        let (store, opening) = try await open()
        var drill = BackupDrill(store: store, opening: opening, folder: folder)
        drill.progress = progress
        drill.requiresEncryption = requiresEncryption ?? (opening != nil)
        let checked = drill
        return try await checked.run { directory, manifest in
            let erasures = try await ErasureObjects.read(
                from: store, opening: checked.opening, requiresEncryption: checked.requiresEncryption,
                in: directory.deletingLastPathComponent())
            do {
                return try await data.complete(directory, manifest: manifest, erasures: erasures, isDeep: true)
            } catch let error as StorageOpenError {
                throw BackupError.damaged("the restored data cannot be opened: \(error)")
            }
        }
    }

    private func open() async throws -> (any BackupStore, (any BackupOpening)?) {
        let (place, bucket, identities) = (place, bucket, identities)
        return try await OwnThread.run {
            let store: any BackupStore
            do {
                store = try BackupStores.openForReading(place, bucket: bucket)
            } catch {
                throw DrillSkipped(.place, "\(error)")
            }
            do {
                return (store, try BackupCiphers.opening(identities))
            } catch {
                throw DrillSkipped(.key, "\(error)")
            }
        }
    }

    private func note(_ change: @escaping @Sendable (inout DrillRecord, Timestamp) -> Void) async throws {
        guard let directory else { return }
        let now = clock.now()
        try await OwnThread.run { DrillRecord.update(in: directory) { change(&$0, now) } }
    }

    /// For the log. What the checks found is in the answer of the verb alone.
    private static func words(for error: any Error) -> String {
        switch error {
        case BackupError.unsound(let faults):
            "the restored data has \(faults.count) \(faults.count == 1 ? "fault" : "faults"); spark drill shows them"
        case let error as BackupError: "\(error)"
        default: ErrorSummary.of(error)
        }
    }
}
