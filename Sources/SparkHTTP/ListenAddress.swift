import SparkCore
import SparkKit

/// The address at which a listener opens its socket.
public struct ListenAddress: Hashable, Sendable {
    /// The host without brackets; a bare port means loopback.
    public let host: String
    /// The port; 0 lets the system pick one.
    public let port: Int

    /// The message for an operator whose text is not an address.
    public static let expectation = "expected ADDRESS:PORT, [IPV6]:PORT, :PORT or PORT, such as 127.0.0.1:7775"

    /// An address from its parts.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Parses `127.0.0.1:7775`, `[::1]:7775` or `localhost:7775`; `:7775` and `7775` mean 127.0.0.1:7775. Nil for any other text.
    public init?(_ text: String) {
        let host: Substring
        let port: Substring
        if let colon = text.lastIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        } else {
            host = ""
            port = text[...]
        }
        guard (1...5).contains(port.utf8.count), port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(port),
            number <= 65_535
        else { return nil }
        self.port = number
        if host.isEmpty {
            self.host = "127.0.0.1"
        } else if host.hasPrefix("[") {
            let inner = host.dropFirst().dropLast()
            guard host.hasSuffix("]"), inner.contains(":"), NetworkAddress(inner) != nil else { return nil }
            self.host = String(inner)
        } else {
            // Without brackets the port of an IPv6 address would be ambiguous.
            guard HostName.fault(usual: host) == nil else { return nil }
            self.host = String(host)
        }
    }

    /// Whether every address of the machine is meant.
    public var isWildcard: Bool {
        NetworkAddress(host).map { $0 == NetworkAddress("0.0.0.0") || $0 == NetworkAddress("::") } ?? false
    }

    /// The address at which this machine reaches a socket that listens here: the loopback address where every address is meant.
    package var reachable: ListenAddress {
        isWildcard ? ListenAddress(host: host.contains(":") ? "::1" : "127.0.0.1", port: port) : self
    }

    /// Whether two sockets cannot be open at both addresses at once. Names are compared as texts.
    public func collides(with other: ListenAddress) -> Bool {
        guard port != 0, port == other.port else { return false }
        if isWildcard || other.isWildcard { return true }
        if let own = NetworkAddress(host), let others = NetworkAddress(other.host) { return own == others }
        return host.lowercased() == other.host.lowercased()
    }

    /// The address as `127.0.0.1:7775` or `[::1]:7775`.
    public var text: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}
