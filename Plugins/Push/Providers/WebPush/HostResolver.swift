import Glibc
import NIOCore
import NIOPosix
import SparkCore
import Synchronization

/// Finds the addresses of a push service's host, on threads of its own, since the system's resolver blocks and cannot be stopped.
final class HostResolver: Sendable {
    /// How long an answer is believed.
    static let life = Duration.seconds(60)
    /// Hosts kept at most; hosts asked for at once at most.
    private static let capacity = 256
    private static let mostPending = 16

    private struct State {
        var known: [String: (addresses: [SocketAddress], at: ContinuousClock.Instant)] = [:]
        var pending: [String: [AsyncStream<[SocketAddress]>.Continuation]] = [:]
    }

    private let state = Mutex(State())
    private let pool = NIOThreadPool(numberOfThreads: 2)
    private let lookUp: @Sendable (String) -> [SocketAddress]

    /// - Parameter lookUp: blocks until it knows the addresses; none when there is no such host.
    init(lookUp: @escaping @Sendable (String) -> [SocketAddress] = HostResolver.system) {
        self.lookUp = lookUp
        // Its threads begin with the first question.
        pool.start()
    }

    /// Empty when there are none, when too many ask, or when the task is cancelled.
    func addresses(of host: String) async -> [SocketAddress] {
        let (known, stream) = state.withLock { state -> ([SocketAddress]?, AsyncStream<[SocketAddress]>?) in
            if let entry = state.known[host], entry.at.duration(to: .now) < Self.life { return (entry.addresses, nil) }
            let (stream, continuation) = AsyncStream.makeStream(of: [SocketAddress].self)
            if state.pending[host] == nil {
                guard state.pending.count < Self.mostPending else { return ([], nil) }
                state.pending[host] = []
                ask(host)
            }
            state.pending[host]?.append(continuation)
            return (nil, stream)
        }
        if let known { return known }
        guard let stream else { return [] }
        for await addresses in stream { return addresses }
        return []
    }

    func shutDown() { pool.shutdownGracefully { _ in } }

    private func ask(_ host: String) {
        pool.submit { [self] state in
            let found = state == .active ? lookUp(host) : []
            answer(host, found)
        }
    }

    private func answer(_ host: String, _ found: [SocketAddress]) {
        let waiting = state.withLock { state in
            // Trouble is not kept: the next push asks again.
            if !found.isEmpty {
                if state.known.count >= Self.capacity { state.known.removeAll() }
                state.known[host] = (found, .now)
            }
            return state.pending.removeValue(forKey: host) ?? []
        }
        for continuation in waiting {
            continuation.yield(found)
            continuation.finish()
        }
    }

    /// The system's way: hosts file, then DNS.
    static func system(_ host: String) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next, found.count < 16 {
            if let address = socketAddress(entry.pointee) { found.append(address) }
            next = entry.pointee.ai_next
        }
        return found
    }

    private static func socketAddress(_ entry: addrinfo) -> SocketAddress? {
        guard let raw = UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch entry.ai_family {
        case AF_INET where entry.ai_addrlen >= socklen_t(MemoryLayout<sockaddr_in>.size):
            return SocketAddress(raw.loadUnaligned(as: sockaddr_in.self))
        case AF_INET6 where entry.ai_addrlen >= socklen_t(MemoryLayout<sockaddr_in6>.size):
            return SocketAddress(raw.loadUnaligned(as: sockaddr_in6.self))
        default: return nil
        }
    }
}
