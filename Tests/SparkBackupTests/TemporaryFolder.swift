import Foundation

/// A folder for the files of one test, removed with the last reference.
final class TemporaryFolder: Sendable {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "spark-backup-\(UUID().uuidString)")

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// A path at which there is nothing.
    var url: URL {
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.appending(path: UUID().uuidString)
    }

    /// A new file.
    func file(_ content: [UInt8]) throws -> URL {
        let url = url
        try Data(content).write(to: url)
        return url
    }

    var contents: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] }
}
