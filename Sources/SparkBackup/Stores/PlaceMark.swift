import Foundation
import Glibc
import SparkCore
import SparkFiles

/// The file that tells a place of backups from the empty folder that is there while its disk is not mounted.
enum PlaceMark {
    /// Its name in the place.
    static let name = "spark-place"
    private static let head = "spark-place 1"
    private static let longest = 4_096

    /// The identifier of the place in a directory; nil if it has none, or is not there. Blocks.
    /// - Throws: `FileError` if the disk cannot be read.
    static func read(in root: URL) throws(FileError) -> String? {
        guard let bytes = try DurableFile.contents(of: root.appending(path: name).path, atMost: longest) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        guard lines.count >= 2, lines[0] == head, isIdentifier(lines[1]) else { return nil }
        return lines[1]
    }

    /// Makes a directory a place with a new identifier, which is returned. If another process makes it at the same moment, both get the
    /// same one. Blocks.
    /// - Throws: `FileError`.
    static func make(in root: URL, random: any RandomSource) throws(FileError) -> String {
        try DurableFile.makeDirectory(root.path)
        // Where a directory cannot be locked, the last one wins.
        let lock = open(root.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if lock >= 0 { close(lock) } }
        if lock >= 0 { _ = flock(lock, LOCK_EX) }
        if let found = try read(in: root) { return found }
        let identifier = random.next(count: 2).map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
        let text = "\(head)\n\(identifier)\n"
        try DurableFile.replace(root.appending(path: name).path, with: Array(text.utf8))
        return identifier
    }

    private static func isIdentifier(_ text: String) -> Bool {
        text.utf8.count == 32 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
