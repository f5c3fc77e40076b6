import Foundation
import Glibc
import SparkFiles

/// The database file that is written.
final class DatabaseTarget: Sendable {
    private let descriptor: Int32
    private let path: String
    private let offset = ByteOffset()

    init(_ file: URL) throws {
        self.path = file.path
        do throws(FileFault) {
            self.descriptor = try SystemFiles().create(path)
        } catch {
            throw FileError(operation: "create", path: path, fault: error)
        }
    }

    deinit { close(descriptor) }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        do throws(FileFault) {
            try SystemFiles().writeWhole(descriptor, bytes, at: offset.advance(by: bytes.count))
        } catch {
            throw FileError(operation: "write", path: path, fault: error)
        }
    }

    func end() throws {
        do throws(FileFault) {
            try SystemFiles().synchronize(descriptor)
        } catch {
            throw FileError(operation: "synchronize", path: path, fault: error)
        }
    }
}
