import Foundation
import Logging
import SparkCore
import SparkDecks
import SparkFiles
import SparkStorage

/// The file in which a server that stops leaves the hot index for the next start. See `IndexMark` for when it is valid.
///
/// The file exists only between two runs: a start takes it away before it reads it. So people who are erased while a server runs
/// are in no file, and neither is anybody after a kill.
struct SavedIndex: Sendable {
    private static let name = "people.index"

    private let folder: URL
    private let random: any RandomSource

    /// - Parameter folder: Matching's own folder in the data directory.
    init(in folder: URL, random: any RandomSource) {
        self.folder = folder
        self.random = random
    }

    private var path: String { folder.appending(path: Self.name).path }

    /// Takes the file away. Its memory is the caller's.
    /// - Throws: `FileError`.
    func take() throws -> MappedFile? { try MappedFile.take(path) }

    /// The index in a file that was taken; nil unless the file is whole and the database has its mark.
    static func index(in file: MappedFile, mark: [UInt8]?) -> DeckIndex? {
        guard let mark, mark.count == IndexMark.bytes else { return nil }
        return DeckIndex(savedUnder: mark, file.bytes, memory: file)
    }

    /// Saves an index that equals the database, and marks the database. If the transaction does not commit, the file is worthless.
    /// - Throws: `FileError`, `SQLError`.
    func save(_ index: DeckIndex, in transaction: WriteTransaction) throws {
        let mark = (0..<IndexMark.bytes).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        try DurableFile.makeDirectory(folder.path)
        try DurableFile.replace(path, parts: { try index.save(under: mark, $0) })
        try IndexMark.set(mark, in: transaction)
    }
}
