/// The reverse proxies whose `X-Forwarded-For` the server trusts.
public struct TrustedProxies: Sendable {
    /// How many hops are read, nearest first. Chains of proxies are short.
    private static let mostHops = 32

    private let addresses: Set<NetworkAddress>
    private let networks: [AddressNetwork]

    /// - Parameter entries: Addresses and networks. Other texts are ignored; the configuration refuses them earlier.
    public init(_ entries: some Sequence<String> = [] as [String]) {
        var addresses: Set<NetworkAddress> = []
        var networks: [AddressNetwork] = []
        for entry in entries {
            if let address = NetworkAddress(entry) {
                addresses.insert(address)
            } else if let network = AddressNetwork(entry) {
                networks.append(network)
            }
        }
        self.addresses = addresses
        self.networks = networks
    }

    /// True if no proxy is trusted.
    public var isEmpty: Bool { addresses.isEmpty && networks.isEmpty }

    /// True if the address is a trusted proxy.
    public func contains(_ address: NetworkAddress) -> Bool {
        !isEmpty && (addresses.contains(address) || networks.contains { $0.contains(address) })
    }

    /// The client behind a peer. While the current hop is a trusted proxy, the next address to the left in `X-Forwarded-For`
    /// replaces it; the peer is the first hop.
    ///
    /// An entry that is not an address ends the search. The proxy that wrote it is the nearest known hop, so its clients share
    /// its limits, and an invented entry does not create a limit of its own.
    /// - Parameter fields: The values of all `X-Forwarded-For` lines, in their order.
    public func client(of peer: NetworkAddress, forwardedFor fields: [some StringProtocol]) -> NetworkAddress {
        guard contains(peer) else { return peer }
        var client = peer
        var hops = 0
        for field in fields.reversed() {
            for entry in field.split(separator: ",", omittingEmptySubsequences: false).reversed() {
                hops += 1
                guard hops <= Self.mostHops, let hop = NetworkAddress(forwarded: entry) else { return client }
                client = hop
                guard contains(hop) else { return client }
            }
        }
        return client
    }

    /// Describes what is wrong with an entry of the setting; nil for an address or a network.
    public static func fault(of entry: String) -> String? {
        if AddressNetwork(entry) != nil { return nil }
        return "expected addresses or networks such as 10.0.0.1, 10.0.0.0/8 or fd00::/8"
    }
}

extension TrustedProxies: ExpressibleByArrayLiteral {
    /// The proxies of a list of addresses and networks.
    public init(arrayLiteral entries: String...) { self.init(entries) }
}
