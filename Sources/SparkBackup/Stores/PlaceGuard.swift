public import Foundation
public import SparkCore
import SparkFiles
import Synchronization

/// What a data directory remembers of one place of its backups. Called on any thread; may block on the disk.
public protocol PlaceMemory: Sendable {
    /// The identifier of the place; nil if it was not used yet.
    var identifier: String? { get }
    /// Whether something in this directory shows that the place was used before it had an identifier, and is not in it.
    /// - Parameter root: the directory.
    func misses(_ root: URL) -> Bool
    /// Notes the identifier.
    func remember(_ identifier: String)
}

/// Keeps another directory from being taken for the place of the backups: where a disk is not mounted there is an empty folder, or none.
///
/// The place has a file with an identifier, and the data directory remembers it. If the file is not there, nothing is read or written.
/// A place that nobody remembers yet gets one.
public final class PlaceGuard: Sendable {
    /// Whether a place that nobody remembers may be made.
    public enum Making: Sendable {
        /// With the folders above it: somebody named it just now.
        case anywhere
        /// In a folder that is there: a server starts by itself.
        case inExistingFolder
        /// With the folders above it, and instead of the place that is remembered: somebody replaced it.
        case anew
    }

    private enum Verdict {
        case accept(String)
        case make
    }

    private let making: Making
    private let memory: any PlaceMemory
    private let random: any RandomSource
    /// The identifier that was found, or made, by this process.
    private let accepted = Mutex<String?>(nil)

    /// A guard for one directory.
    public init(_ making: Making, memory: any PlaceMemory, random: any RandomSource = SystemRandomSource()) {
        (self.making, self.memory, self.random) = (making, memory, random)
    }

    /// Checks the directory, and makes or adopts a place that nobody remembers. Blocks.
    /// - Throws: `BackupStoreError.refused`; `FileError` if the disk cannot be read or written.
    func admit(_ root: URL) throws {
        switch try judge(root) {
        case .accept(let identifier): accept(identifier)
        case .make: accept(try PlaceMark.make(in: root, random: random))
        }
    }

    /// The same check, which changes nothing. Blocks.
    func look(at root: URL) throws { _ = try judge(root) }

    private func accept(_ identifier: String) {
        let isNew = accepted.withLock { accepted in
            defer { accepted = identifier }
            return accepted != identifier
        }
        if isNew, memory.identifier != identifier { memory.remember(identifier) }
    }

    private func judge(_ root: URL) throws -> Verdict {
        let (found, accepted) = (try PlaceMark.read(in: root), self.accepted.withLock { $0 })
        if let found, found == accepted { return .accept(found) }
        if making == .anew, accepted == nil { return found.map { Verdict.accept($0) } ?? .make }
        let known = memory.identifier
        if let found {
            guard known == nil || known == found else {
                throw BackupStoreError.refused(
                    "\(root.path): this is another place than the one that this server used; is the right disk mounted? If it "
                        + "replaces that one: spark backup --new-place")
            }
            return .accept(found)
        }
        guard known == nil, accepted == nil, !memory.misses(root) else {
            throw BackupStoreError.refused(
                "\(root.path): the place that this server used is not there; is it mounted? If a new one replaces it: "
                    + "spark backup --new-place")
        }
        guard
            making != .inExistingFolder || FileStatus(path: root.path) != nil
                || FileStatus(path: root.deletingLastPathComponent().path) != nil
        else {
            throw BackupStoreError.refused(
                "\(root.path): neither this directory nor the one above it is there; is its disk mounted? Make it, or run spark "
                    + "backup once, which makes it")
        }
        return .make
    }
}
