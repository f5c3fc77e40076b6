import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1
import SparkKit

extension ChannelHandlerContext {
    /// Sends a response directly, bypassing the handlers behind this one, and closes.
    func answerAndClose(_ reply: Reply) {
        var headers = HTTPHeaders(reply.headers)
        headers.replaceOrAdd(name: "Connection", value: "close")
        headers.replaceOrAdd(name: "Content-Length", value: "\(reply.body.count)")
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: reply.status.code), headers: headers)
        write(NIOAny(HTTPServerResponsePart.head(head)), promise: nil)
        write(NIOAny(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: reply.body)))), promise: nil)
        let end = eventLoop.makePromise(of: Void.self)
        writeAndFlush(NIOAny(HTTPServerResponsePart.end(nil)), promise: end)
        end.futureResult.assumeIsolated().whenComplete { _ in self.close(promise: nil) }
    }
}
