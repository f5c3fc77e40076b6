import Foundation
import Glibc
public import SparkCore
public import SparkFiles

extension AgeIdentity {
    /// Writes the identity into a new file that only its owner may read, as `age-keygen` writes it. It is on the disk then. Blocks.
    /// - Throws: `FileError`, with EEXIST if there is something at the path: an identity is never overwritten.
    public func write(toNewFile path: String, at now: Timestamp) throws(FileError) {
        let lines = [
            "# created: \(now)", "# public key: \(recipient)",
            "# Who loses this file loses every backup that is encrypted for this public key alone.", secretText, "",
        ]
        let (files, url) = (SystemFiles(), URL(filePath: path))
        do throws(FileFault) {
            let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
            let descriptor = Int32(try FileFault.check { Int(open(path, flags, 0o600)) })
            do throws(FileFault) {
                defer { files.close(descriptor) }
                try files.writeWhole(descriptor, Array(lines.joined(separator: "\n").utf8), at: 0)
                try files.synchronize(descriptor)
                try files.synchronizeDirectory(url.deletingLastPathComponent().path)
            } catch {
                // Best effort: half an identity is worthless.
                try? files.remove(path)
                throw error
            }
        } catch {
            throw FileError(operation: "write", path: path, fault: error)
        }
    }
}
