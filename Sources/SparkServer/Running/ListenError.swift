import Glibc
import NIOCore

/// The system could not open a listening socket: the address, the reason, and what to do.
public struct ListenError: Error, CustomStringConvertible {
    /// The address as `host:port`.
    public let address: String
    /// The reason and a remedy.
    public let hint: String

    /// An error for an address.
    public init(address: String, hint: String) {
        self.address = address
        self.hint = hint
    }

    /// Nil when the error does not concern listening.
    /// - Parameter address: the requested address, `host:port`.
    public init?(_ error: any Error, address: String) {
        switch error {
        case let error as ListenError: self = error
        case let error as IOError where "\(error)".contains("bind") || "\(error)".contains("listen"):
            self.init(address: address, hint: Self.hint(error.errnoCode))
        case is SocketAddressError, is SocketAddressError.UnknownHost:
            self.init(
                address: address, hint: "its host has no address here; name an IP address of this machine, such as 127.0.0.1")
        default: return nil
        }
    }

    private static func hint(_ code: Int32) -> String {
        switch code {
        case EADDRINUSE:
            "another process listens there already; stop that one, or choose another port with --port (or SPARK_HTTP_LISTEN)"
        case EACCES, EPERM:
            "this user may not open it; ports below 1024 need the right to it (CAP_NET_BIND_SERVICE), so choose one above with --port"
        case EADDRNOTAVAIL: "this machine has no such address; 127.0.0.1 is this machine alone, 0.0.0.0 every address it has"
        case EAFNOSUPPORT: "this machine does not speak that kind of address"
        case EMFILE, ENFILE: "too many files are open; raise the limit (ulimit -n)"
        default: String(cString: strerror(code))
        }
    }

    /// The address with the hint.
    public var description: String { "listen on \(address): \(hint)" }
}
