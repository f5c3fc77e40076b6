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
                $0.isEmpty || ListenAddress($0) != nil ? nil : "\(ListenAddress.expectation), or nothing for no listener"
            })
    ]

    /// Reads the section from its values.
    public init(_ values: SettingValues) { self.listen = values.text("listen") }

    /// The host and port of `listen`; a port alone means 127.0.0.1. Nil for no listener.
    public var address: (host: String, port: Int)? { ListenAddress(listen).map { ($0.host, $0.port) } }
}
