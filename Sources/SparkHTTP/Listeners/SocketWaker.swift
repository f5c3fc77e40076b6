import Glibc
import NIOCore

/// Lets a thread wait for a connection on a socket that it must not shut down, until another thread wakes it.
final class SocketWaker: Sendable {
    private let reader: CInt
    private let writer: CInt

    /// - Throws: `IOError`.
    init() throws {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw IOError(errnoCode: errno, reason: "pipe") }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (reader, writer) = (ends[0], ends[1])
    }

    /// Waits until a connection may be accepted.
    /// - Returns: false after `wake`.
    func wait(for descriptor: CInt) -> Bool {
        var waiting = [
            pollfd(fd: reader, events: Int16(POLLIN), revents: 0), pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&waiting, 2, -1)
        return waiting[0].revents == 0
    }

    /// Ends every wait, now and later.
    func wake() {
        var byte: UInt8 = 1
        _ = write(writer, &byte, 1)
    }

    /// Closes. Call it once no thread waits.
    func end() {
        close(reader)
        close(writer)
    }
}
