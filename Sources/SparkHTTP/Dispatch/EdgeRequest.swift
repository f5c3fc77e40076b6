package import HTTPTypes
package import NIOHTTP1
package import SparkCore
import SparkKit

/// A request, as the edge's doors and routes receive it.
package final class EdgeRequest: CallSource {
    /// The body of a request.
    enum Body: Sendable {
        /// Made inside the process.
        case whole([UInt8])
        /// From a connection; it may not have arrived yet.
        case arriving(ArrivingBody)
    }

    let method: HTTPMethod
    let target: RequestTarget
    let headers: HTTPHeaders
    let fields: RequestFields
    /// The id in the answer and in the log.
    let requestID: String
    /// The peer's address; nil for sockets that have none.
    let peer: NetworkAddress?
    /// Whether the client is still there; nil for requests made inside the process.
    let presence: ClientPresence?
    let body: Body

    init(
        _ head: HTTPRequestHead, fields: RequestFields, requestID: String, peer: NetworkAddress?, presence: ClientPresence?,
        body: Body
    ) {
        self.method = head.method
        self.target = RequestTarget(head.uri)
        self.headers = head.headers
        self.fields = fields
        self.requestID = requestID
        self.peer = peer
        self.presence = presence
        self.body = body
    }

    /// A request made inside the process.
    /// - Parameter peerAddress: the simulated address of the client.
    package convenience init(_ head: HTTPRequestHead, body: [UInt8], peerAddress: String, random: any RandomSource) {
        let fields = RequestFields(head)
        self.init(
            head, fields: fields, requestID: fields.requestID ?? RequestID.fresh(random), peer: NetworkAddress(peerAddress),
            presence: nil, body: .whole(body))
    }

    /// For how long the answer waited for the client to send the body. Call it on the connection's event loop.
    var bodyWait: Duration { if case .arriving(let body) = body { body.waited } else { .zero } }

    /// Whether the answer is sent without its body.
    var isHead: Bool { method == .HEAD }

    /// Whether the request asks for a representation and changes nothing.
    var isRead: Bool { method == .GET || method == .HEAD }

    /// The fields as modules see them. They are converted only when somebody asks.
    package var modularFields: HTTPFields { HTTPFields(modular: headers) }
}

extension HTTPFields {
    /// The fields of a request of HTTP/1.1, but for `Host`.
    init(modular headers: HTTPHeaders) {
        self.init()
        reserveCapacity(headers.count)
        for (name, value) in headers {
            guard let field = HTTPField.Name(name), name.lowercased() != "host" else { continue }
            append(HTTPField(name: field, value: value))
        }
    }
}
