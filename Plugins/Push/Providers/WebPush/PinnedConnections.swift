import SparkCore

/// Connections to push services, each bound to an address that was checked: the name is not looked up again between the check and
/// the connection, so it cannot point elsewhere by then (DNS rebinding). Names and certificates stay those of the host.
actor PinnedConnections {
    /// Hosts with connections at once. The browsers' services are half a dozen.
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

    /// - Parameter addresses: the checked ones, at least one; the connection in use is kept while its address is among them.
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
            // Another of the host's addresses may answer.
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

    /// Takes it out; what is still under way on it ends as lost and is tried again.
    private func retire(_ host: String, _ connections: ProviderConnections) {
        guard entries[host]?.connections === connections else { return }
        entries[host] = nil
        Task { await connections.shutDown() }
    }

    /// Ends the connections that have been idle the longest; false when all are in use.
    private func makeRoom() -> Bool {
        guard entries.count >= Self.capacity else { return true }
        let idle = entries.filter { $0.value.users == 0 }
        guard let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return false }
        retire(oldest.key, oldest.value.connections)
        return true
    }
}
