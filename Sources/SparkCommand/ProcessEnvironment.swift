import Foundation
import Glibc
import SparkFiles

/// Notifies systemd of the service's state (sd_notify(3)); does nothing elsewhere.
enum SystemdNotification {
    static func send(_ state: String) {
        guard let path = ProcessInfo.processInfo.environment["NOTIFY_SOCKET"], !path.isEmpty else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { target in
            target.copyBytes(from: bytes)
            // A name beginning with @ is in the abstract namespace.
            if bytes.first == UInt8(ascii: "@") { target[0] = 0 }
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let message = Array(state.utf8)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}

/// Detects the end of the parent process, so that a crashed test leaves no server behind.
enum ParentWatch {
    private static let parent: pid_t = {
        // Who starts a server as a child says so, because it may have ended before this line.
        if let known = ProcessInfo.processInfo.environment[ChildProgram.parentVariable].flatMap({ pid_t($0) }) { return known }
        let parent = getppid()
        // The first process took it over, and the one that leads its group is gone: so is the parent.
        let isOrphan = parent == 1 && getpgrp() != getpid() && kill(getpgrp(), 0) != 0 && errno == ESRCH
        return isOrphan ? 0 : parent
    }()

    /// Notes who the parent is. Called when the program begins: a parent that ends later has another number from then on.
    static func note() { _ = parent }

    static func start(_ onOrphaned: @escaping @Sendable () -> Void) {
        Task.detached {
            while getppid() == parent { try? await Task.sleep(for: .milliseconds(200)) }
            onOrphaned()
        }
    }
}
