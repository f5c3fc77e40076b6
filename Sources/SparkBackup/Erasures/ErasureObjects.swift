public import Foundation
import Glibc
public import SparkCore
import SparkFiles

/// The lists of erased people in a store, apart from the backups: objects `erasures/<server>/<time>`.
///
/// Each has entries that may also be in others: the sum of all counts. An object is removed only by who knows that its entries are in
/// another one, or that no backup needs them. Its last line is the checksum of the others.
public struct ErasureObjects: Sendable {
    /// The folder of all lists in a store, with a slash.
    public static let folder = "erasures/"
    private static let ending = ".txt"

    private let store: any BackupStore
    private let sealing: (any BackupSealing)?
    private let server: String

    /// - Parameters:
    ///   - sealing: encrypts the lists like the backups.
    ///   - server: identifies the server among those that use the store; lower-case digits.
    public init(_ store: any BackupStore, sealing: (any BackupSealing)?, server: String) {
        (self.store, self.sealing, self.server) = (store, sealing, server)
    }

    /// The name of a new object.
    public func name(at now: Timestamp, random: any RandomSource) -> String {
        "\(Self.folder)\(server)/\(BackupName(at: now, random: random).text)\(Self.ending)\(sealing?.suffix ?? "")"
    }

    /// Stores entries under a new name.
    /// - Throws: `BackupStoreError`, `BackupError`, `FileError`.
    public func put(_ erasures: [Erasure], as name: String) async throws {
        let (scratch, sealing) = (TemporaryFolder(), sealing)
        defer { scratch.remove() }
        let file = try await BlockingWork.run {
            let plain = try scratch.file("list")
            try DurableFile.replace(plain.path, with: Erasure.object(erasures), isLasting: false)
            guard let sealing else { return plain }
            let sealed = try scratch.file("sealed")
            try sealing.seal(plain, into: sealed)
            return sealed
        }
        try await store.putCompared(file, as: name)
    }

    /// Removes objects whose entries are in another one.
    /// - Throws: `BackupStoreError`.
    public func remove(_ names: [String]) async throws {
        for name in names { try await store.delete(name) }
    }

    /// Removes lists, of whichever server, that are older than every backup. A server's own ones are not all it knows: with another key
    /// it had other names.
    /// - Parameters:
    ///   - time: lists from before this time have only people who are in no backup of the place.
    ///   - kept: the names of lists that stay.
    /// - Throws: `BackupStoreError`.
    public func removeLists(before time: Timestamp, except kept: [String]) async throws {
        for object in try await store.list(Self.folder) where !kept.contains(object.name) {
            let text = object.name.split(separator: "/").last?.prefix { $0 != "." } ?? ""
            if let name = BackupName(text), name.time < time { try await store.delete(object.name) }
        }
    }

    /// Every entry of every list in a store, each person once.
    /// - Parameters:
    ///   - requiresEncryption: whether a list that is not encrypted is refused; nil for so if there is an identity.
    ///   - parent: an existing folder in which the lists are opened, and from which they are removed again.
    /// - Throws: `BackupError`, `.refused` if a list is encrypted and no identity was given, `.damaged` with the name of a list that
    ///   was changed, or may be forged; `BackupStoreError`, `FileError`.
    public static func read(
        from store: any BackupStore, opening: (any BackupOpening)?, requiresEncryption: Bool? = nil, in parent: URL
    ) async throws -> [Erasure] {
        let requiresEncryption = requiresEncryption ?? (opening != nil)
        var found: [Erasure] = []
        for object in try await store.list(folder) {
            let scratch = TemporaryFolder(in: parent)
            defer { scratch.remove() }
            let isSealed = !object.name.hasSuffix(ending)
            guard isSealed || !requiresEncryption else {
                throw BackupError.damaged("\(object.name), a list of people who were erased: \(BackupError.mayBeForged)")
            }
            guard !isSealed || opening != nil else {
                throw BackupError.refused(
                    "\(object.name), a list of people who were erased, is encrypted; name the file with its key: --identity FILE")
            }
            let file = try scratch.file("object")
            try await store.get(object.name, into: file)
            let list = try await BlockingWork.run { () throws -> [Erasure]? in
                let opened = isSealed ? try scratch.file("opened") : file
                do {
                    if isSealed { try opening?.open(file, into: opened) }
                } catch BackupError.damaged {
                    return nil
                }
                return Erasure.list(object: try DurableFile.contents(of: opened.path, atMost: ErasureFile.longest) ?? [])
            }
            guard let list, !list.isEmpty else {
                throw BackupError.damaged(
                    "\(object.name), a list of people who were erased, is damaged. Remove it only if another list has them: a person "
                        + "who is in no list comes back")
            }
            found += list
        }
        return Erasure.distinct(found)
    }
}

/// A folder for small files, made at first use, that only this user may enter.
struct TemporaryFolder {
    private let url: URL

    init(in parent: URL = FileManager.default.temporaryDirectory) {
        url = parent.appending(path: "spark-list-\(UUID().uuidString)", directoryHint: .isDirectory)
    }

    func file(_ name: String) throws -> URL {
        try DurableFile.makeDirectory(url.path, isLasting: false)
        return url.appending(path: name)
    }

    func remove() { try? FileManager.default.removeItem(at: url) }
}
