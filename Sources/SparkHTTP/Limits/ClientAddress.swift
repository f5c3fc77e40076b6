import CNIOLinux
import Glibc
package import NIOCore
import NIOHTTP1
package import SparkCore

/// The client's address, for limits by address.
package enum ClientAddress {
    /// The peer's address; behind a trusted proxy, the last address in X-Forwarded-For that is not a trusted proxy.
    static func of(peer: NetworkAddress?, headers: HTTPHeaders, trustedProxies: TrustedProxies) -> NetworkAddress? {
        guard let peer, trustedProxies.contains(peer) else { return peer }
        return trustedProxies.client(of: peer, forwardedFor: headers["X-Forwarded-For"])
    }

    /// The key under which limits count an address: the address for IPv4, its /64 for IPv6, because one client owns a whole /64.
    package static func limitKey(_ address: String) -> String { NetworkAddress(address)?.networkText ?? "" }
}

extension NetworkAddress {
    /// The address of a socket without its port; nil for sockets that have none.
    package init?(_ address: SocketAddress?) {
        switch address {
        case .v4(let address): self.init(ipv4: UInt32(bigEndian: address.address.sin_addr.s_addr))
        case .v6(let address):
            self.init(bytes: withUnsafeBytes(of: address.address.sin6_addr) { Array($0) })
        default: return nil
        }
    }
}

extension NetworkAddress? {
    /// The name under which limits by network count a client; `unknown` without an address.
    var networkName: String { self?.networkText ?? "unknown" }
}
