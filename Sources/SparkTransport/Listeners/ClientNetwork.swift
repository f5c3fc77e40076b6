import Glibc
import NIOCore

/// The other end of a socket, in the forms in which limits and rules compare it.
enum ClientNetwork {
    /// The address without port and zone. An IPv4 client of a dual-stack socket (`::ffff:192.0.2.1`) has its IPv4 form.
    static func address(of address: SocketAddress?) -> String {
        switch address {
        case .v6(let address):
            var raw = address.address.sin6_addr
            let bytes = withUnsafeBytes(of: &raw) { Array($0) }
            if bytes.count == 16, bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
                return bytes[12...].map { "\($0)" }.joined(separator: ".")
            }
            return SocketAddress.v6(address).ipAddress?.split(separator: "%").first.map(String.init) ?? ""
        default: return address?.ipAddress ?? ""
        }
    }

    /// What limits by network count it under.
    static func name(of address: String) -> String { address.isEmpty ? "unknown" : ClientAddress.limitKey(address) }
}
