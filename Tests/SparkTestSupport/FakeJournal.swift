import Foundation
import Glibc

/// A datagram socket in the place of systemd's journal.
package final class FakeJournal {
    package let path = FileManager.default.temporaryDirectory.appending(path: "spark-journal-\(UUID().uuidString.prefix(8))").path
    private let descriptor: Int32

    package init() throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else { throw POSIXError(.EADDRINUSE) }
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    /// Waits for the next entry. Whether it came as a sealed file, and its fields.
    package func next() throws -> (isFile: Bool, fields: [String: String]) {
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        // A header of 16 bytes, then the descriptor (cmsg(3)).
        var control = [UInt64](repeating: 0, count: 4)
        let (count, controlCount) = bytes.withUnsafeMutableBytes { bytes in
            control.withUnsafeMutableBytes { control in
                var piece = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                return withUnsafeMutablePointer(to: &piece) { piece in
                    var message = msghdr()
                    message.msg_iov = piece
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    return (recvmsg(descriptor, &message, 0), message.msg_controllen)
                }
            }
        }
        guard count >= 0 else { throw POSIXError(.EIO) }
        guard controlCount > 0 else { return (false, try Self.fields(bytes.prefix(count))) }
        let file = Int32(truncatingIfNeeded: control[2])
        defer { close(file) }
        // The journal maps the file, so it must not change any more: F_GET_SEALS, and all four seals of fcntl(2).
        guard fcntl(file, 1_034) == 0xF else { throw POSIXError(.EPERM) }
        var status = stat()
        fstat(file, &status)
        var content = [UInt8](repeating: 0, count: Int(status.st_size))
        guard pread(file, &content, content.count, 0) == content.count else { throw POSIXError(.EIO) }
        return (true, try Self.fields(content[...]))
    }

    /// Reads the journal's native format.
    private static func fields(_ bytes: ArraySlice<UInt8>) throws -> [String: String] {
        var fields: [String: String] = [:]
        var rest = bytes
        while !rest.isEmpty {
            guard let end = rest.firstIndex(of: 0x0A) else { throw POSIXError(.EBADMSG) }
            let line = rest[..<end]
            rest = rest[(end + 1)...]
            if let equals = line.firstIndex(of: UInt8(ascii: "=")) {
                fields[String(decoding: line[..<equals], as: UTF8.self)] = String(decoding: line[(equals + 1)...], as: UTF8.self)
                continue
            }
            guard rest.count >= 9 else { throw POSIXError(.EBADMSG) }
            let length = Int(rest.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * UInt64($1.offset)) })
            rest = rest.dropFirst(8)
            guard rest.count > length, rest[rest.startIndex + length] == 0x0A else { throw POSIXError(.EBADMSG) }
            fields[String(decoding: line, as: UTF8.self)] = String(decoding: rest.prefix(length), as: UTF8.self)
            rest = rest.dropFirst(length + 1)
        }
        return fields
    }
}
