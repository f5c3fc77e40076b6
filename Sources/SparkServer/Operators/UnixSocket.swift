import CDispatch
import Crypto
package import Foundation
import Glibc
import SparkFiles

/// A socket of the Unix domain and the lines that go over it. Everything here blocks, so it runs on threads of its own.
package struct UnixSocket: Sendable {
    package let descriptor: Int32

    package init(descriptor: Int32) { self.descriptor = descriptor }

    package struct Failure: Error {
        package let code: Int32
    }

    /// A socket that belongs to a data directory, connected.
    /// - Throws: `Failure` with `ECONNREFUSED` when nobody listens, `EACCES` when the directory or who listens is somebody else's.
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

    /// A socket that listens for who has the data directory. The caller holds the directory's lock.
    ///
    /// It has a name in the kernel's abstract namespace (unix(7)) and no file: a file of this kind could not be copied with the rest of
    /// the directory, and would stay behind when the process is killed.
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

    /// The name follows from the directory's identity, so that a copy has another one, and from the server's key, so that nobody else can
    /// take it first.
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
        // The leading zero says that the name is abstract.
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: [0] + name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.count)
        try withUnsafePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { try body($0, length) }
        }
    }

    package func close() { Glibc.close(descriptor) }

    /// The user whose process is at the other end; nil if the system does not tell.
    func peerUser() -> uid_t? {
        // struct ucred: process, user, group.
        var credentials: [UInt32] = [0, 0, 0]
        var length = socklen_t(12)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0, length == 12 else { return nil }
        return credentials[1]
    }

    /// The next connection; waits for it, or until `wake` can be read.
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
            // Without descriptors the connection stays in the queue, and would wake this at once again.
            if errno != EINTR, errno != ECONNABORTED { usleep(100_000) }
        }
    }

    /// Sets how long a read or a write may take at most.
    package func setTimeouts(read: Int, write: Int) {
        for (option, seconds) in [(SO_RCVTIMEO, read), (SO_SNDTIMEO, write)] {
            var time = timeval(tv_sec: seconds, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }

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

    /// Up to `limit` bytes; nil at the end, or when the peer is too slow.
    package func read(_ limit: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        while true {
            let count = recv(descriptor, &buffer, limit, 0)
            if count < 0, errno == EINTR { continue }
            return count > 0 ? Array(buffer.prefix(count)) : nil
        }
    }
}

/// Reads lines and parts of known length from a socket.
package struct SocketReader {
    private let socket: UnixSocket
    private var buffer: [UInt8] = []

    package init(_ socket: UnixSocket) { self.socket = socket }

    /// A line without its end; nil when the peer ends or sends more than `limit` bytes without one.
    /// - Parameter deadline: after which no more is waited for; nil: as long as the socket's own limit lets each part take.
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

    /// Exactly so many bytes; nil when the peer ends before.
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
