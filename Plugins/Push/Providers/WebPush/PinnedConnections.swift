import SparkCore

/// Connections to push services, each pinned to a checked address. The name is not resolved again between check and connection,
/// so it cannot change in between (DNS rebinding). TLS still verifies the host's name and certificate.
actor PinnedConnections {
    /// Maximum hosts with connections at once. Browsers use about six services.
    private static let capacity = 32

    private struct Entry {
        let address: String
        let connections: ProviderConnections
        var users = 0
        var lastUse = 0
    }

    private let roots: TrustedRoots
    private var entries: [String: Entry] = [:]
    private var uses = 0
    private var hasEnded = false

    init(roots: TrustedRoots) { self.roots = roots }

    /// - Parameter addresses: the checked addresses, at least one. An existing connection is reused while its address is among
    ///   them.
    func exchange(
        _ request: ProviderRequest, host: String, addresses: [String], within limit: Duration
    ) async throws(ProviderTrouble) -> ProviderAnswer {
        guard let connections = enter(host, addresses) else { throw hasEnded ? .ended : .unreachable }
        do throws(ProviderTrouble) {
            let answer = try await connections.exchange(request, within: limit)
            leave(host, connections)
            return answer
        } catch {
            leave(host, connections)
            // The next attempt can use another of the host's addresses.
            if error == .unreachable || error == .timeout { retire(host, connections) }
            throw error
        }
    }

    func shutDown() async {
        hasEnded = true
        let all = entries.values.map(\.connections)
        entries = [:]
        await withTaskGroup(of: Void.self) { group in
            for connections in all { group.addTask { await connections.shutDown() } }
        }
    }

    private func enter(_ host: String, _ addresses: [String]) -> ProviderConnections? {
        guard !hasEnded else { return nil }
        uses += 1
        if let entry = entries[host], !addresses.contains(entry.address) { retire(host, entry.connections) }
        if entries[host] == nil {
            guard let address = addresses.randomElement(), makeRoom() else { return nil }
            entries[host] = Entry(
                address: address, connections: ProviderConnections(roots: roots, addresses: [host: address]))
        }
        entries[host]?.users += 1
        entries[host]?.lastUse = uses
        return entries[host]?.connections
    }

    private func leave(_ host: String, _ connections: ProviderConnections) {
        guard entries[host]?.connections === connections else { return }
        entries[host]?.users -= 1
    }

    /// Removes the connections of a host. Requests under way on them fail and are retried.
    private func retire(_ host: String, _ connections: ProviderConnections) {
        guard entries[host]?.connections === connections else { return }
        entries[host] = nil
        Task { await connections.shutDown() }
    }

    /// Closes the connections idle the longest. False when all are in use.
    private func makeRoom() -> Bool {
        guard entries.count >= Self.capacity else { return true }
        let idle = entries.filter { $0.value.users == 0 }
        guard let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return false }
        retire(oldest.key, oldest.value.connections)
        return true
    }
}
