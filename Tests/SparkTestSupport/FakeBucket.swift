package import Foundation
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// S3-compatible storage in memory, with one bucket, that fails as a test says.
package final class FakeBucket: Sendable {
    /// A request that came completely.
    package struct Request: Sendable {
        /// From 0.
        package let number: Int
        package let method: String
        /// The object below the bucket; empty for the bucket itself.
        package let name: String
        package let query: [String: String]
        package let authorization: String

        /// Whether it asks for the names of objects.
        package var isListing: Bool { query["list-type"] != nil }
    }

    /// What goes wrong with one request.
    package enum Fault: Sendable, Hashable {
        /// An answer with this status and code.
        case refuse(Int, String)
        /// The connection is reset without an answer.
        case reset
        /// No answer comes.
        case hang
        /// The answer ends after so many bytes of its body, by a reset.
        case cut(Int)
        /// The answer says that it has so many bytes more than it has, and ends.
        case longer(Int)
        /// One byte of the answer comes after the other, slowly.
        case drip
        /// A byte of the answer's body is changed; counted modulo its length.
        case flip(Int)
        /// The answer has the tag of another content.
        case otherTag
        /// Success is answered, but nothing is stored or removed.
        case forget
        /// Success is answered, but only half of the body is stored.
        case half
    }

    private struct Stored {
        var body: [UInt8]
        var digest: String?
        var tag: Int
    }

    private struct State {
        var objects: [String: Stored] = [:]
        var requests: [Request] = []
        var tags = 0
        var fault: @Sendable (Request) -> Fault? = { _ in nil }
    }

    /// The name of the bucket.
    package static let bucket = "town-backups"

    private let channel: any Channel
    private let state: Box

    private final class Box: Sendable {
        let state = Mutex(State())
    }

    package init() async throws {
        let state = Box()
        self.state = state
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
                    try channel.pipeline.syncOperations.addHandler(Handler(state))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    package func stop() async { try? await channel.close() }

    /// The address of the storage.
    package var endpoint: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }

    /// The requests so far.
    package var requests: [Request] { state.state.withLock { $0.requests } }

    /// The objects by their names.
    package var objects: [String: Data] { state.state.withLock { $0.objects.mapValues { Data($0.body) } } }

    /// Removes an object, as somebody else does.
    package func remove(_ name: String) { state.state.withLock { $0.objects[name] = nil } }

    /// Decides about every further request.
    package func fail(_ fault: @escaping @Sendable (Request) -> Fault?) { state.state.withLock { $0.fault = fault } }

    /// Answers well from now on, and forgets the requests so far.
    package func recover() {
        state.state.withLock { state in
            state.fault = { _ in nil }
            state.requests = []
        }
    }

    // MARK: Answers

    private struct Answer {
        var status = 200
        var headers: [(String, String)] = []
        var body: [UInt8] = []
    }

    private static func answer(
        _ method: String, _ path: String, _ headers: HTTPHeaders, _ body: [UInt8], _ state: inout State
    ) -> (Answer, Fault?) {
        let parts = path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let names = parts[0].split(separator: "/", maxSplits: 1).map { $0.removingPercentEncoding ?? "" }
        var query: [String: String] = [:]
        for item in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[String(pair[0])] = pair.count > 1 ? pair[1].removingPercentEncoding ?? "" : ""
        }
        let request = Request(
            number: state.requests.count, method: method, name: names.count > 1 ? names[1] : "", query: query,
            authorization: headers.first(name: "authorization") ?? "")
        state.requests.append(request)
        let fault = state.fault(request)
        if case .refuse(let status, let code) = fault { return (error(status, code), nil) }
        guard names.first == bucket else { return (error(404, "NoSuchBucket"), fault) }
        switch fault {
        case .reset, .hang: return (Answer(), fault)
        default: break
        }
        return (answer(request, headers, body, fault, &state), fault)
    }

    private static func answer(
        _ request: Request, _ headers: HTTPHeaders, _ body: [UInt8], _ fault: Fault?, _ state: inout State
    ) -> Answer {
        switch request.method {
        case "PUT":
            state.tags += 1
            if fault != .forget {
                state.objects[request.name] = Stored(
                    body: fault == .half ? Array(body.prefix(body.count / 2)) : body,
                    digest: headers.first(name: "x-amz-meta-sha256"), tag: state.tags)
            }
            return Answer(headers: [("ETag", "\"\(state.tags)\"")])
        case "DELETE":
            if fault != .forget { state.objects[request.name] = nil }
            return Answer(status: 204)
        case "GET" where request.name.isEmpty && request.query["uploads"] != nil:
            return Answer(body: Array("<ListMultipartUploadsResult></ListMultipartUploadsResult>".utf8))
        case "GET" where request.name.isEmpty:
            let prefix = request.query["prefix"] ?? ""
            let entries = state.objects.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }.map {
                "<Contents><Key>\($0.key)</Key><Size>\($0.value.body.count)</Size></Contents>"
            }
            return Answer(body: Array("<ListBucketResult>\(entries.joined())</ListBucketResult>".utf8))
        case "GET", "HEAD":
            guard let stored = state.objects[request.name] else { return error(404, "NoSuchKey") }
            var tag = "\"\(stored.tag)\""
            if fault == .otherTag { tag = "\"other-\(request.number)\"" }
            if let wanted = headers.first(name: "if-match"), wanted != tag { return error(412, "PreconditionFailed") }
            var answer = Answer(headers: [("ETag", tag)], body: stored.body)
            if let digest = stored.digest { answer.headers.append(("x-amz-meta-sha256", digest)) }
            if let start = headers.first(name: "range").flatMap({ Int($0.dropFirst("bytes=".count).dropLast()) }) {
                guard start < stored.body.count else { return error(416, "InvalidRange") }
                answer.status = 206
                answer.body = Array(stored.body[start...])
                answer.headers.append(("Content-Range", "bytes \(start)-\(stored.body.count - 1)/\(stored.body.count)"))
            }
            return answer
        default: return error(405, "MethodNotAllowed")
        }
    }

    private static func error(_ status: Int, _ code: String) -> Answer {
        Answer(status: status, body: Array("<Error><Code>\(code)</Code><Message>x</Message></Error>".utf8))
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = ByteBuffer

        private let box: Box
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(_ box: Box) { self.box = box }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): (self.head, body) = (head, [])
            case .body(let buffer): body += buffer.readableBytesView
            case .end: answer(context)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func answer(_ context: ChannelHandlerContext) {
            guard let head else { return }
            let body = body
            let (made, fault) = box.state.withLock {
                FakeBucket.answer(head.method.rawValue, head.uri, head.headers, body, &$0)
            }
            var answer = made
            var length = answer.body.count
            switch fault {
            case .reset: return Self.reset(context.channel)
            case .hang: return
            case .longer(let more): length += more
            case .flip(let place) where !answer.body.isEmpty: answer.body[place % answer.body.count] ^= 0x10
            default: break
            }
            let lines = (answer.headers + [("Content-Length", "\(length)")]).map { "\($0): \($1)\r\n" }.joined()
            let start = Array("HTTP/1.1 \(answer.status) X\r\n\(lines)\r\n".utf8)
            if head.method == .HEAD { answer.body = [] }
            switch fault {
            case .cut(let count):
                // Nothing is cut from a shorter one.
                let part = answer.body.count > count ? Array(answer.body.prefix(count)) : answer.body
                let channel = context.channel
                let isCut = part.count < answer.body.count
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: start + part))).whenComplete { _ in
                    if isCut { Self.reset(channel) }
                }
            case .longer:
                let channel = context.channel
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: start + answer.body))).whenComplete { _ in
                    channel.close(promise: nil)
                }
            case .drip:
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: start)), promise: nil)
                Self.drip(context.channel, answer.body[...])
            default:
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: start + answer.body)), promise: nil)
            }
        }

        /// Closes with a reset instead of an orderly end.
        private static func reset(_ channel: any Channel) {
            let atOnce = linger(l_onoff: 1, l_linger: 0)
            (channel as? any SocketOptionProvider)?.setSoLinger(atOnce).whenComplete { _ in }
            channel.close(promise: nil)
        }

        private static func drip(_ channel: any Channel, _ bytes: ArraySlice<UInt8>) {
            guard let first = bytes.first, channel.isActive else { return }
            channel.eventLoop.scheduleTask(in: .milliseconds(200)) {
                channel.writeAndFlush(ByteBuffer(bytes: [first]), promise: nil)
                drip(channel, bytes.dropFirst())
            }
        }
    }
}

/// Runs a test with such a storage, which is stopped afterwards.
package func withFakeBucket(isolation: isolated (any Actor)? = #isolation, _ body: (FakeBucket) async throws -> Void) async throws
{
    let bucket = try await FakeBucket()
    do {
        try await body(bucket)
    } catch {
        await bucket.stop()
        throw error
    }
    await bucket.stop()
}
