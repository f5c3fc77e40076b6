import Glibc
import NIOCore
import NIOPosix
import SparkCore
import Synchronization

/// Resolves the hosts of push services, on its own threads, since the system's resolver blocks and cannot be cancelled.
final class HostResolver: Sendable {
    /// How long an answer is cached.
    static let life = Duration.seconds(60)
    /// Maximum hosts in the cache.
    private static let capacity = 256
    /// Maximum hosts that are resolved at once.
    private static let mostPending = 16

    private struct State {
        var known: [String: (addresses: [SocketAddress], at: ContinuousClock.Instant)] = [:]
        var pending: [String: [AsyncStream<[SocketAddress]>.Continuation]] = [:]
        /// Created at the first lookup.
        var pool: NIOThreadPool?
        var hasEnded = false

        mutating func step(for host: String) -> (Step, AsyncStream<[SocketAddress]>) {
            let (stream, continuation) = AsyncStream.makeStream(of: [SocketAddress].self)
            if let entry = known[host], entry.at.duration(to: .now) < HostResolver.life {
                return (.known(entry.addresses), stream)
            }
            if pending[host] != nil {
                pending[host]?.append(continuation)
                return (.wait, stream)
            }
            guard pending.count < HostResolver.mostPending, !hasEnded else { return (.known([]), stream) }
            pending[host] = [continuation]
            return (.ask(threads()), stream)
        }

        private mutating func threads() -> NIOThreadPool {
            if let pool { return pool }
            let made = NIOThreadPool(numberOfThreads: 2)
            made.start()
            pool = made
            return made
        }
    }

    private enum Step {
        case known([SocketAddress])
        /// Another caller is already resolving this host.
        case wait
        case ask(NIOThreadPool)
    }

    private let state = Mutex(State())
    private let lookUp: @Sendable (String) -> [SocketAddress]

    /// - Parameter lookUp: blocks until it has the addresses; empty when there is no such host.
    init(lookUp: @escaping @Sendable (String) -> [SocketAddress] = HostResolver.system) { self.lookUp = lookUp }

    deinit { shutDown() }

    /// Empty when there are none, when too many lookups run, or when the task is cancelled.
    func addresses(of host: String) async -> [SocketAddress] {
        let (step, stream) = state.withLock { $0.step(for: host) }
        switch step {
        case .known(let addresses): return addresses
        case .ask(let pool): ask(host, pool)
        case .wait: break
        }
        for await addresses in stream { return addresses }
        return []
    }

    /// Ends the threads. A thread inside the system's resolver ends when the resolver returns.
    func shutDown() {
        let pool = state.withLock { state in
            state.hasEnded = true
            return state.pool.take()
        }
        pool?.shutdownGracefully { _ in }
    }

    /// Must be called without the lock: a pool that has shut down calls back at once.
    private func ask(_ host: String, _ pool: NIOThreadPool) {
        pool.submit { [self] state in
            let found = state == .active ? lookUp(host) : []
            answer(host, found)
        }
    }

    private func answer(_ host: String, _ found: [SocketAddress]) {
        let waiting = state.withLock { state in
            // Failures are not cached: the next push resolves again.
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

    /// Resolves as the system does: hosts file, then DNS.
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
