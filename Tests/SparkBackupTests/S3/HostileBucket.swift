import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import SparkCore
import Synchronization

@testable import SparkBackup

/// A server that answers as a test says, well or badly.
final class HostileBucket: Sendable {
    struct Received: Sendable {
        let method: String
        let target: String
        let headers: HTTPHeaders
        let body: [UInt8]
    }

    /// What the server does about a request.
    struct Reply: Sendable {
        enum Ending: Sendable {
            case keep, close, hang, drip
        }
        var bytes: [UInt8]
        var ending = Ending.keep

        /// An answer with its length.
        /// - Parameter length: what the header says, if it is not the truth.
        static func answer(
            _ status: Int, _ headers: [(String, String)] = [], _ body: [UInt8] = [], length: Int? = nil,
            then ending: Ending = .keep
        ) -> Reply {
            let lines = (headers + [("Content-Length", "\(length ?? body.count)")]).map { "\($0): \($1)\r\n" }.joined()
            return Reply(bytes: Array("HTTP/1.1 \(status) X\r\n\(lines)\r\n".utf8) + body, ending: ending)
        }

        static func text(_ status: Int, _ body: String, _ headers: [(String, String)] = []) -> Reply {
            answer(status, headers, Array(body.utf8))
        }

        static func error(_ status: Int, _ code: String, _ more: String = "", _ headers: [(String, String)] = []) -> Reply {
            text(
                status, "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>veryHiddenKey</Message>\(more)</Error>",
                headers)
        }

        static let hang = Reply(bytes: [], ending: .hang)
        static let close = Reply(bytes: [], ending: .close)
    }

    private let channel: any Channel
    private let log = Log()

    /// - Parameters:
    ///   - atHead: whether it answers before it reads the body, and reads no more.
    ///   - script: the reply to each request; the first has the number 0.
    init(atHead: Bool = false, _ script: @escaping @Sendable (Int, Received) -> Reply) async throws {
        let log = log
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
                    try channel.pipeline.syncOperations.addHandler(Handler(atHead) { script(log.add($0), $0) })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    /// The requests that came completely, or began if it answers at their beginning.
    var received: [Received] { log.all }

    private final class Log: Sendable {
        private let requests = Mutex<[Received]>([])
        var all: [Received] { requests.withLock { $0 } }
        func add(_ request: Received) -> Int {
            requests.withLock {
                $0.append(request)
                return $0.count - 1
            }
        }
    }

    var port: Int { channel.localAddress?.port ?? 0 }

    func stop() async { try? await channel.close() }

    /// A store that asks this server, with short waits.
    func store(_ change: (inout S3Limits) -> Void = { _ in }) throws -> S3Store {
        var settings = S3Settings()
        settings.endpoint = "http://127.0.0.1:\(port)"
        (settings.accessKey, settings.secretKey, settings.sessionToken) = ("AKIAEXAMPLE", "veryHiddenKey", "veryHiddenToken")
        var limits = S3Limits()
        limits.firstPause = .milliseconds(1)
        limits.longestPause = .milliseconds(4)
        change(&limits)
        return try S3Store(S3Configuration("s3://bucket/p", settings), limits: limits, random: SeededRandomSource(seed: 3))
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = ByteBuffer

        private let atHead: Bool
        private let reply: (Received) -> Reply
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(_ atHead: Bool, _ reply: @escaping (Received) -> Reply) { (self.atHead, self.reply) = (atHead, reply) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                (self.head, body) = (head, [])
                if atHead {
                    context.channel.setOption(.autoRead, value: false).whenComplete { _ in }
                    answer(context)
                }
            case .body(let buffer): body += buffer.readableBytesView
            case .end: if !atHead { answer(context) }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func answer(_ context: ChannelHandlerContext) {
            guard let head else { return }
            let reply = reply(Received(method: head.method.rawValue, target: head.uri, headers: head.headers, body: body))
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: reply.bytes)), promise: nil)
            switch reply.ending {
            case .keep, .hang: break
            case .close: context.close(promise: nil)
            case .drip: Self.drip(context.channel)
            }
        }

        private static func drip(_ channel: any Channel) {
            channel.eventLoop.scheduleTask(in: .milliseconds(5)) {
                guard channel.isActive else { return }
                channel.writeAndFlush(ByteBuffer(string: "x"), promise: nil)
                drip(channel)
            }
        }
    }
}
