public import Foundation
import SparkCore
import SparkFiles

/// Restores the newest complete backup of a place into a scratch folder, has it checked, and removes it again.
///
/// The disk keeps its last five percent: the room is looked at before the drill and before each object.
public struct BackupDrill: Sendable {
    private let store: any BackupStore
    /// Decrypts the backup; nil without identities.
    public let opening: (any BackupOpening)?
    private let folder: URL
    /// Whether a backup that is not encrypted fails. At first so if there are identities.
    public var requiresEncryption: Bool
    /// The source of the time, to tell backups of a clock that was ahead.
    var clock: any WallClock = KernelClock()
    /// Called with each part that was read.
    public var progress: @Sendable (Restoration.Progress) -> Void = { _ in }
    /// The room on the disk of a directory.
    var room: @Sendable (String) -> DiskRoom? = { DiskRoom(of: $0) }

    /// - Parameter folder: where the scratch folder is made; those of drills that died are removed from it.
    public init(store: any BackupStore, opening: (any BackupOpening)?, folder: URL) {
        (self.store, self.folder) = (store, folder.absoluteURL.standardizedFileURL)
        self.opening = opening.map { DrillOpening(opening: $0) }
        self.requiresEncryption = opening != nil
    }

    /// Nothing is left afterwards, whatever comes of it.
    /// - Parameter finish: checks the restored data directory.
    /// - Throws: `DrillSkipped` if the drill could not run, `BackupError` for a backup that cannot be restored, what `finish` throws,
    ///   `CancellationError`.
    public func run<Outcome: Sendable>(
        finish: Restoration.Finish<Outcome>
    ) async throws -> (manifest: BackupManifest, outcome: Outcome) {
        do {
            let manifest = try await newest()
            guard !manifest.isEncrypted || opening != nil else {
                throw DrillSkipped(
                    .key,
                    "\(manifest.name) is encrypted; name a file with its key: --identity FILE, or backup.drill_identity_file")
            }
            let (folder, room) = (folder, room)
            let need = Self.need(of: manifest)
            try await BlockingWork.run {
                try DurableFile.makeDirectory(folder.path, isLasting: false)
                try Self.check(room(folder.path), for: need, folder)
            }
            var restoration = Restoration(store: store, opening: opening, directory: folder.appending(path: "drill"))
            restoration.name = manifest.name
            restoration.requiresEncryption = requiresEncryption
            restoration.progress = progress
            restoration.watch = { try Self.check(room(folder.path), for: 0, folder) }
            return try await restoration.rehearse(finish: finish)
        } catch {
            throw await judged(error)
        }
    }

    /// The newest complete backup. One that was complete and is not any more is a fault, even if an older one is whole.
    private func newest() async throws -> BackupManifest {
        let entries = BackupCatalog.Entry.split(try await BackupCatalog(store).entries(), now: clock.now()).usual
        let newest = entries.lastIndex(where: \.isComplete)
        if let damaged = entries.lastIndex(where: \.isDamaged), newest.map({ $0 < damaged }) ?? true {
            throw BackupError.damaged("the newest backup is not whole: \(entries[damaged].fault ?? entries[damaged].name.text)")
        }
        guard let newest, let manifest = entries[newest].manifest else {
            throw DrillSkipped(.backup, "there is no complete backup in \(store.description)")
        }
        return manifest
    }

    /// How many bytes of disk a drill needs: it writes the restored data, unpacks two objects at a time, and the checks write
    /// temporary files.
    private static func need(of manifest: BackupManifest) -> UInt64 {
        let largest = (manifest.database + manifest.files).map(\.bytes).max() ?? 0
        return UInt64(clamping: manifest.databaseBytes) / 10 * 11 + 2 * UInt64(clamping: min(largest, 1 << 50)) + (64 << 20)
    }

    private static func check(_ room: DiskRoom?, for need: UInt64, _ folder: URL) throws {
        guard let room, room.free < need + room.share else { return }
        throw DrillSkipped(
            .space,
            "the drill needs \(need >> 20) MiB on the disk of \(folder.path) beside the last five percent, and \(room.free >> 20) MiB "
                + "are free; make room there")
    }

    /// Tells what the backup is to blame for from what kept the drill from running.
    private func judged(_ error: any Error) async -> any Error {
        if Task.isCancelled { return CancellationError() }
        let error = BackupError.of(error, during: "drill of \(store.description)")
        switch error {
        case is CancellationError, is DrillSkipped, BackupError.damaged, BackupError.unsound: return error
        case BackupError.unavailable(let text): return DrillSkipped(.place, text, isTemporary: true)
        default: break
        }
        // A disk that became full shows in many ways.
        let (folder, room) = (folder, room)
        do {
            try await BlockingWork.run { try Self.check(room(folder.path), for: 0, folder) }
        } catch {
            return error
        }
        if case BackupError.refused(let text) = error { return DrillSkipped(.place, text) }
        return error
    }
}

/// Tells a key that does not fit from a place that refuses.
private struct DrillOpening: BackupOpening {
    let opening: any BackupOpening

    func open(_ sealed: URL, into file: URL) throws {
        do {
            try opening.open(sealed, into: file)
        } catch BackupError.refused(let text) {
            throw DrillSkipped(.key, text)
        }
    }
}
