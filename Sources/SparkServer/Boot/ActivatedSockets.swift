import Glibc
package import SparkHTTP

/// The listening sockets that a service manager passes to this process (sd_listen_fds(3)). They outlive the process: while one server
/// ends and the next one starts, connections wait in their queues.
package struct ActivatedSockets: Sendable {
    /// The name (`FileDescriptorName=`) of the operators' socket. Every other socket is public.
    package static let operatorsName = "operators"
    /// The first descriptor.
    private static let first: CInt = 3
    /// So many are accepted; nobody listens at more addresses.
    private static let most = 64

    /// None if the process was started otherwise.
    package static let none = ActivatedSockets()

    /// Where the API and the stream listen.
    package private(set) var everybody: [InheritedSocket] = []
    /// Where operators do; nil if the server opens that listener itself.
    package private(set) var operators: InheritedSocket?

    private init() {}

    /// - Parameters:
    ///   - process: the identifier of this process. Sockets for another one are not looked at.
    ///   - descriptor: a socket as what it must be; nil if it is something else.
    /// - Throws: `ConfigurationError` when a descriptor is no listening TCP socket.
    init(
        environment: [String: String], process: pid_t,
        socket: (CInt) -> InheritedSocket? = { InheritedSocket(descriptor: $0) }
    ) throws {
        guard environment["LISTEN_PID"].flatMap({ pid_t($0) }) == process, let text = environment["LISTEN_FDS"] else { return }
        guard let count = Int(text), (0...Self.most).contains(count) else {
            throw ConfigurationError(faults: ["LISTEN_FDS: a number from 0 to \(Self.most) is expected"])
        }
        let names = environment["LISTEN_FDNAMES"]?.split(separator: ":", omittingEmptySubsequences: false).map(String.init) ?? []
        var faults: [String] = []
        for index in 0..<count {
            let name = index < names.count ? names[index] : ""
            guard let found = socket(Self.first + CInt(index)) else {
                faults.append(
                    "LISTEN_FDS: descriptor \(Self.first + CInt(index)) is no listening TCP socket; in the socket unit, "
                        + "ListenStream= with an address and a port, and Accept=no, are expected")
                continue
            }
            if name != Self.operatorsName {
                everybody.append(found)
            } else if operators == nil {
                operators = found
            } else {
                faults.append("LISTEN_FDNAMES: there are two sockets named \(Self.operatorsName); one is expected")
            }
        }
        guard faults.isEmpty else { throw ConfigurationError(faults: faults) }
    }

    /// Whether the process was started with sockets.
    package var isEmpty: Bool { everybody.isEmpty && operators == nil }

    /// Takes the sockets of this process, and removes the variables, so that no child takes them for its own. Call it once, before the
    /// process has a second thread.
    package static func take() -> Result<ActivatedSockets, any Error> {
        let names = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]
        var environment: [String: String] = [:]
        for name in names { environment[name] = getenv(name).map { String(cString: $0) } }
        let sockets = Result { try ActivatedSockets(environment: environment, process: getpid()) }
        for name in names { unsetenv(name) }
        for socket in (try? sockets.get()).map({ $0.everybody + ($0.operators.map { [$0] } ?? []) }) ?? [] {
            _ = fcntl(socket.descriptor, F_SETFD, FD_CLOEXEC)
        }
        return sockets
    }
}
