public import Hummingbird
package import Logging
import NIOCore
package import SparkCore

/// The source of a request, for the edge's responders.
public struct EdgeContext: RequestContext {
    /// Hummingbird's own context.
    public var coreContext: CoreRequestContextStorage
    /// The peer's address; nil for sockets that have none.
    package let peer: NetworkAddress?
    /// The connection; nil for requests made inside the process.
    let channel: (any Channel)?

    /// A request from a socket.
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

/// The source of a request made inside the process.
package struct InProcessSource: RequestContextSource {
    /// The logger of the request.
    package let logger: Logger
    /// The simulated address of the client.
    package let peerAddress: String

    /// A source with this logger and client address.
    package init(logger: Logger, peerAddress: String) {
        self.logger = logger
        self.peerAddress = peerAddress
    }
}
