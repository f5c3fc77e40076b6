import NIOCore

/// What the system knows of a connection: the first part of Linux's `tcp_info`, up to `tcpi_notsent_bytes` (since 4.6).
struct TCPInformation {
    private var states: UInt64 = 0
    private var counters: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    private var furtherCounters: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    private var rates: (UInt64, UInt64) = (0, 0)
    /// The bytes that the client's system has confirmed. Those that the local system has accepted say little.
    private(set) var confirmedBytes: UInt64 = 0
    private var receivedBytes: UInt64 = 0
    private var segments: UInt64 = 0
    /// The bytes that wait in the system.
    private(set) var unsentBytes: UInt32 = 0
    private var roundTrip: UInt32 = 0

    /// Reads the information of a channel. Calls back on its event loop; with nil where there is none.
    static func read(of channel: any Channel, _ result: @escaping (TCPInformation?) -> Void) {
        guard let socket = channel as? any SocketOptionProvider else { return result(nil) }
        let information: EventLoopFuture<TCPInformation> = socket.unsafeGetSocketOption(level: .tcp, name: .tcp_info)
        information.assumeIsolatedUnsafeUnchecked().whenComplete { result(try? $0.get()) }
    }
}
