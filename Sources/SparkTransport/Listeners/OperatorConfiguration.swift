public import SparkKit

/// The section `operator`: the address of metrics and console.
public struct OperatorConfiguration: ModuleConfiguration {
    /// `address:port` or a port alone; empty for no listener.
    public let listen: String

    /// The section's keys with ranges, defaults and help.
    public static let settings: [Setting] = [
        .text(
            "listen", default: "127.0.0.1:7776",
            "Address and port of /metrics and /_/ for this machine; empty: none. An address other than loopback needs metrics.token.",
            fault: {
                $0.isEmpty || OperatorConfiguration.address(of: $0) != nil
                    ? nil : "\(ListenAddress.expectation), or nothing for no listener"
            })
    ]

    /// Reads the section from its values.
    public init(_ values: SettingValues) { self.listen = values.text("listen") }

    /// The host and port of `listen`; a port alone means 127.0.0.1. Nil when the text has no such form.
    public var address: (host: String, port: Int)? { Self.address(of: listen) }

    private static func address(of listen: String) -> (host: String, port: Int)? {
        let colon = listen.lastIndex(of: ":")
        let digits = colon.map { listen[listen.index(after: $0)...] } ?? listen[...]
        guard let port = UInt16(digits), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let host = colon.map { listen[..<$0] } ?? ""
        if host.isEmpty { return ("127.0.0.1", Int(port)) }
        guard host.hasPrefix("[") == host.hasSuffix("]") else { return nil }
        return (host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : String(host), Int(port))
    }
}
