import Foundation
import Glibc
import SparkHTTP

/// Tries whether an address can be listened on.
enum PortProbe {
    static func state(of address: ListenAddress) -> NetworkChecks.Port {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(address.host, "\(address.port)", &hints, &found)
        guard code == 0, let place = found else { return .refused(String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(found) }
        let descriptor = socket(place.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return .refused(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        // As the server does: connections that are ending do not count.
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, place.pointee.ai_addr, place.pointee.ai_addrlen) == 0 else {
            switch errno {
            case EADDRINUSE: return .taken
            case EACCES where address.port < 1_024 && geteuid() != 0: return .privileged
            default: return .refused(String(cString: strerror(errno)))
            }
        }
        return .free
    }
}

/// Asks for the addresses of a host, for a limited time.
enum HostLookup {
    private static let patience = Duration.seconds(5)

    /// - Returns: nil when there is no answer.
    static func addresses(of host: String) async -> [String]? {
        let (answers, continuation) = AsyncStream.makeStream(of: [String]?.self, bufferingPolicy: .bufferingOldest(1))
        // The system's resolver blocks, and cannot be stopped.
        Thread.detachNewThread { continuation.yield(ask(host)) }
        let deadline = Task {
            try? await Task.sleep(for: patience)
            continuation.yield(nil)
        }
        defer { deadline.cancel() }
        for await answer in answers { return answer }
        return nil
    }

    private static func ask(_ host: String) -> [String]? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &found) == 0 else { return nil }
        defer { freeaddrinfo(found) }
        var addresses: [String] = []
        var next = found
        while let place = next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(
                place.pointee.ai_addr, place.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
            {
                addresses.append(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
            }
            next = place.pointee.ai_next
        }
        return addresses
    }
}
