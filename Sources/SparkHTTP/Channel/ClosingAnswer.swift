import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1
import SparkKit

/// A user event towards the network: the connection ends, because its last answer has been sent. The request guard closes it so
/// that the client can still read the answer.
struct ConnectionEnd: Sendable {}

/// A user event towards the network: somebody reads the request's body now. The request guard sends `100 Continue` if the client
/// waits for it.
struct BodyWanted: Sendable {}

extension ChannelHandlerContext {
    /// Sends the last response of the connection directly, bypassing the handlers behind this one.
    /// - Parameter hasBody: false for the response to HEAD.
    /// - Returns: completes when the system has taken the response.
    func sendLast(_ reply: Reply, hasBody: Bool = true) -> EventLoopFuture<Void> {
        var headers = HTTPHeaders(reply.headers)
        headers.replaceOrAdd(name: "Connection", value: "close")
        headers.replaceOrAdd(name: "Content-Length", value: "\(reply.body.count)")
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: reply.status.code), headers: headers)
        write(NIOAny(HTTPServerResponsePart.head(head)), promise: nil)
        if hasBody {
            write(NIOAny(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: reply.body)))), promise: nil)
        }
        let end = eventLoop.makePromise(of: Void.self)
        writeAndFlush(NIOAny(HTTPServerResponsePart.end(nil)), promise: end)
        return end.futureResult
    }
}
