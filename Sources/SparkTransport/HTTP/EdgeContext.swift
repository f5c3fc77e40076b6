public import Hummingbird
package import Logging
import NIOCore
package import SparkCore

/// Where a request comes from, as the edge's responders see it.
public struct EdgeContext: RequestContext {
    public var coreContext: CoreRequestContextStorage
    /// The peer's address; nil for sockets that have none.
    package let peer: NetworkAddress?
    /// The connection; nil inside the process.
    let channel: (any Channel)?

    public init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.peer = NetworkAddress(source.channel.remoteAddress)
        self.channel = source.channel
    }

    /// A request without a socket, made inside the process.
    package init(source: InProcessSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.peer = NetworkAddress(source.peerAddress)
        self.channel = nil
    }
}

/// The origin of a request that never was on a socket.
package struct InProcessSource: RequestContextSource {
    package let logger: Logger
    package let peerAddress: String

    package init(logger: Logger, peerAddress: String) {
        self.logger = logger
        self.peerAddress = peerAddress
    }
}
