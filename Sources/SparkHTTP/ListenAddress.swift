import SparkCore

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
            guard !host.contains(":"), host.utf8.allSatisfy({ $0 > 0x20 && $0 != UInt8(ascii: "/") && $0 < 0x7F }) else {
                return nil
            }
            self.host = String(host)
        }
    }

    /// The address as `127.0.0.1:7775` or `[::1]:7775`.
    public var text: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}
