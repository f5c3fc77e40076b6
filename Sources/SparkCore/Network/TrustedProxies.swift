/// The reverse proxies whose word about their clients is believed.
public struct TrustedProxies: Sendable {
    /// Hops that are looked at, from the nearest; chains of proxies are short.
    private static let mostHops = 32

    private let addresses: Set<NetworkAddress>
    private let networks: [AddressNetwork]

    /// - Parameter entries: addresses and networks; what is neither is left out (the configuration refuses it before).
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

    public var isEmpty: Bool { addresses.isEmpty && networks.isEmpty }

    public func contains(_ address: NetworkAddress) -> Bool {
        !isEmpty && (addresses.contains(address) || networks.contains { $0.contains(address) })
    }

    /// The client behind a peer: the peer itself, or, as long as the hop before is a trusted proxy, the next address to the left in
    /// `X-Forwarded-For`.
    ///
    /// An entry that is no address ends the walk: the proxy that wrote it is the nearest that is known, so its clients share its
    /// limits and a made-up entry makes no key of its own.
    /// - Parameter fields: the values of all `X-Forwarded-For` lines, in their order.
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

    /// What is wrong with an entry of the setting; nil for an address or a network.
    public static func fault(of entry: String) -> String? {
        if AddressNetwork(entry) != nil { return nil }
        return "expected addresses or networks such as 10.0.0.1, 10.0.0.0/8 or fd00::/8"
    }
}

extension TrustedProxies: ExpressibleByArrayLiteral {
    public init(arrayLiteral entries: String...) { self.init(entries) }
}
