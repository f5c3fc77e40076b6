import CDispatch
import Crypto
package import Foundation
import Glibc
import SparkFiles

/// A Unix domain socket. Every operation blocks, so it runs on dedicated threads.
package struct UnixSocket: Sendable {
    /// The socket's file descriptor, which `close` closes.
    package let descriptor: Int32

    /// Takes over an open descriptor.
    package init(descriptor: Int32) { self.descriptor = descriptor }

    /// A failed system call; `code` is its errno.
    package struct Failure: Error {
        package let code: Int32
    }

    /// Connects to the socket of a data directory.
    /// - Throws: `Failure` with `ECONNREFUSED` when no server listens, `EACCES` when the directory or the listener belongs to
    ///   another user.
    package static func connect(toServerOf folder: URL) throws -> UnixSocket {
        let name = try operatorName(of: folder)
        let socket = UnixSocket(descriptor: try make())
        do {
            try withAddress(name) { address, length in
                guard Glibc.connect(socket.descriptor, address, length) == 0 else { throw Failure(code: errno) }
            }
            var status = stat()
            guard stat(folder.path, &status) == 0, let user = socket.peerUser(), user == status.st_uid || user == 0 else {
                throw Failure(code: EACCES)
            }
        } catch {
            socket.close()
            throw error
        }
        return socket
    }

    /// Opens the listening socket of a data directory. The caller holds the directory's lock.
    ///
    /// The socket has a name in the kernel's abstract namespace (unix(7)) and no file: a socket file could not be copied with the
    /// rest of the directory, and would remain after the process was killed.
    static func listen(forServerOf folder: URL) throws -> UnixSocket {
        let name = try operatorName(of: folder)
        let descriptor = try make()
        do {
            try withAddress(name) { address, length in
                guard bind(descriptor, address, length) == 0, Glibc.listen(descriptor, 16) == 0 else {
                    throw Failure(code: errno)
                }
            }
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        return UnixSocket(descriptor: descriptor)
    }

    /// The name derives from the directory's identity, so that a copy has another name, and from the server's key, so that no
    /// other process can take the name first.
    private static func operatorName(of folder: URL) throws -> [UInt8] {
        let file = folder.appending(path: "keys/server.key").path
        let key: [UInt8]?
        do throws(FileError) {
            key = try DurableFile.contents(of: file, atMost: 4_096)
        } catch {
            throw Failure(code: error.fault.code)
        }
        guard let key, let identity = FileStatus(path: folder.path)?.identity else { throw Failure(code: ENOENT) }
        var hash = SHA256()
        hash.update(data: key)
        hash.update(data: Array("\(identity.device):\(identity.inode)".utf8))
        let digits = hash.finalize().prefix(16).map { byte in
            let text = String(byte, radix: 16)
            return text.count < 2 ? "0\(text)" : text
        }
        return Array("spark-operator-\(digits.joined())".utf8)
    }

    private static func make() throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        return descriptor
    }

    private static func withAddress(_ name: [UInt8], _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // A leading zero byte marks an abstract name.
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: [0] + name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.count)
        try withUnsafePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { try body($0, length) }
        }
    }

    /// Closes the socket.
    package func close() { Glibc.close(descriptor) }

    /// The user of the process at the other end; nil when the system does not report it.
    func peerUser() -> uid_t? {
        // struct ucred: process, user, group.
        var credentials: [UInt32] = [0, 0, 0]
        var length = socklen_t(12)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0, length == 12 else { return nil }
        return credentials[1]
    }

    /// Waits for the next connection, or until `wake` becomes readable.
    /// - Returns: nil when woken.
    func accept(wake: Int32) -> UnixSocket? {
        while true {
            var waiting = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&waiting, 2, -1) >= 0 || errno == EINTR else { return nil }
            if waiting[1].revents != 0 { return nil }
            guard waiting[0].revents != 0 else { continue }
            let connection = Glibc.accept(descriptor, nil, nil)
            if connection >= 0 {
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                return UnixSocket(descriptor: connection)
            }
            // When descriptors run out, the connection stays in the queue and would wake this loop at once.
            if errno != EINTR, errno != ECONNABORTED { usleep(100_000) }
        }
    }

    /// Sets the timeouts of a read and a write, in seconds.
    package func setTimeouts(read: Int, write: Int) {
        for (option, seconds) in [(SO_RCVTIMEO, read), (SO_SNDTIMEO, write)] {
            var time = timeval(tv_sec: seconds, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// Writes all bytes.
    /// - Returns: false when the peer is gone or too slow.
    package func write(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Reads up to `limit` bytes; nil at the end, or when the peer is too slow.
    package func read(_ limit: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        while true {
            let count = recv(descriptor, &buffer, limit, 0)
            if count < 0, errno == EINTR { continue }
            return count > 0 ? Array(buffer.prefix(count)) : nil
        }
    }
}

/// Reads lines and blocks of known length from a socket.
package struct SocketReader {
    private let socket: UnixSocket
    private var buffer: [UInt8] = []

    /// A reader with an empty buffer.
    package init(_ socket: UnixSocket) { self.socket = socket }

    /// The next line without its line feed; nil when the peer ends or sends more than `limit` bytes without one.
    /// - Parameter deadline: when to give up; nil for only the socket's own read timeout.
    package mutating func line(limit: Int, until deadline: ContinuousClock.Instant? = nil) -> [UInt8]? {
        var searched = 0
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                let line = Array(buffer[..<end])
                buffer.removeFirst(end + 1)
                return line.count <= limit ? line : nil
            }
            searched = buffer.count
            guard buffer.count <= limit, deadline.map({ .now < $0 }) ?? true, let more = socket.read(65_536) else { return nil }
            buffer += more
        }
    }

    /// Exactly `count` bytes; nil when the peer ends before.
    package mutating func bytes(_ count: Int) -> [UInt8]? {
        while buffer.count < count {
            guard let more = socket.read(65_536) else { return nil }
            buffer += more
        }
        let bytes = Array(buffer.prefix(count))
        buffer.removeFirst(count)
        return bytes
    }
}
