import CNIOLinux
import Glibc
import HTTPTypes
package import NIOCore
package import SparkCore

/// Who is at the other end, for limits by address.
enum ClientAddress {
    /// The peer; or, if the peer is a trusted proxy, the last address in X-Forwarded-For that is no trusted proxy.
    static func of(peer: NetworkAddress?, headers: HTTPFields, trustedProxies: TrustedProxies) -> NetworkAddress? {
        guard let peer, trustedProxies.contains(peer) else { return peer }
        return trustedProxies.client(of: peer, forwardedFor: headers[values: .forwardedFor])
    }

    /// A text that stands for an address, as a limit counts it: a whole /64 for IPv6, where one client owns as much.
    static func limitKey(_ address: String) -> String { NetworkAddress(address)?.networkText ?? "" }
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
    /// What limits by network count a client under.
    var networkName: String { self?.networkText ?? "unknown" }
}
