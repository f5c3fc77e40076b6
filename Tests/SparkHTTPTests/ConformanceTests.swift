import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import SparkCore
import SparkKit
import Testing

@testable import SparkHTTP

/// Sends requests as raw bytes, cut in every way, and compares the bytes of the answers with a table.
@Suite("HTTP/1.1, byte by byte")
struct ConformanceTests {
    /// A connection whose requests are answered with what they said.
    private struct Connection {
        let channel = EmbeddedChannel()

        init() throws {
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let edge = EdgeChannel(
                idleTimeout: .seconds(60), requestTimeout: .seconds(15), maximumBodyBytes: 200_000,
                gateway: UpgradeGateway(
                    routes: [], trustedProxies: [], random: SystemRandomSource(), logger: logger, patience: .seconds(15)),
                random: SystemRandomSource(), responder: Self.answer)
            try edge.setup(channel)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        @Sendable private static func answer(_ request: EdgeRequest) async -> EdgeAnswer {
            func answer(_ body: EdgeAnswer.Body, _ status: HTTPResponse.Status = .ok) -> EdgeAnswer {
                EdgeAnswer(status: status, headers: [:], requestID: "id", body: body, isHead: request.isHead)
            }
            switch request.target.path {
            case "/unread": return answer(.whole(Array("unread".utf8)))
            case "/stream":
                return answer(
                    .pieces(
                        AsyncStream {
                            for piece in ["one ", "", "two"] { $0.yield(Array(piece.utf8)) }
                            $0.finish()
                        }))
            case "/broken":
                return answer(
                    .parts(
                        AsyncThrowingStream {
                            $0.yield(Array("part".utf8))
                            $0.finish(throwing: CancellationError())
                        }))
            case "/wait":
                // Nobody ends this.
                for await _ in AsyncStream<Int>(unfolding: {
                    try? await Task.sleep(for: .seconds(3_600)); return nil
                }) {}
                return answer(.whole([]))
            case "/later":
                await Task.yield()
                return answer(.whole([]))
            case "/nothing": return answer(.whole([]), .noContent)
            default: break
            }
            guard case .arriving(let body) = request.body else { return answer(.whole([]), .internalServerError) }
            do {
                let bytes = try await body.collect(upTo: 100_000, tooLong: EdgeError.bodyTooLarge)
                return answer(.whole(Array("\(request.method) \(request.target.text) ".utf8) + bytes))
            } catch {
                return answer(.whole([]), .init(code: (error as? any ClientError)?.status ?? 500))
            }
        }

        func send(_ bytes: ArraySlice<UInt8>) {
            // An error of the parser is answered on the wire.
            _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
            channel.embeddedEventLoop.run()
        }

        /// What was answered, and whether the connection ended.
        func output() throws -> String {
            channel.embeddedEventLoop.run()
            var text = ""
            while let buffer = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
            return text + (channel.isActive ? "" : "[end]")
        }
    }

    /// The answers without the fields that every answer has.
    private static func brief(_ text: String) -> String {
        var lines: [String] = []
        for line in text.components(separatedBy: "\r\n") {
            let name = line.prefix { $0 != ":" }.lowercased()
            let isCommon = [
                "x-content-type-options", "x-frame-options", "referrer-policy", "content-security-policy",
                "cross-origin-resource-policy", "strict-transport-security", "x-request-id", "cache-control", "content-type",
            ].contains(name)
            guard !isCommon else { continue }
            lines += line.hasPrefix("{\"type\"") ? ["{problem}"] + (line.hasSuffix("[end]") ? ["[end]"] : []) : [line]
        }
        return lines.joined(separator: "|")
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let request: String
        /// The lines of the answers, joined by bars. `*` in the length of a problem.
        let answer: String

        var testDescription: String { name }
    }

    static let rows: [Row] = [
        Row(
            name: "a simple request", request: "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n",
            answer: "HTTP/1.1 200 OK|Content-Length: 11||GET /a?b=c "),
        Row(
            name: "an empty line before a request", request: "\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n",
            answer: "HTTP/1.1 200 OK|Content-Length: 7||GET /a "),
        Row(
            name: "HEAD has the length but no body",
            request: "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
            answer: "HTTP/1.1 200 OK|Content-Length: 8||HTTP/1.1 200 OK|Content-Length: 7||GET /b "),
        Row(
            name: "a body with a length", request: "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
            answer: "HTTP/1.1 200 OK|Content-Length: 13||POST /a hello"),
        Row(
            name: "a body in chunks, with extensions and trailers",
            request:
                "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX-T: 1\r\n\r\n",
            answer: "HTTP/1.1 200 OK|Content-Length: 13||POST /a hello"),
        Row(
            name: "requests in a row are answered in order",
            request: "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhiGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"
                + "GET /stream HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n",
            answer: "HTTP/1.1 200 OK|Content-Length: 10||POST /1 hiHTTP/1.1 200 OK|Content-Length: 7||GET /2 "
                + "HTTP/1.1 200 OK|Transfer-Encoding: chunked||4|one |3|two|0||HTTP/1.1 200 OK|Content-Length: 7||GET /3 "),
        Row(
            name: "204 has no length", request: "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", answer: "HTTP/1.1 204 No Content||"),
        Row(
            name: "close is obeyed, and nothing after it is answered",
            request: "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
            answer: "HTTP/1.1 200 OK|Content-Length: 7|Connection: close||GET /a [end]"),
        Row(
            name: "spaces and tabs after a value are not part of it",
            request: "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2 \r\nConnection: close\t\r\n\r\nhi",
            answer: "HTTP/1.1 200 OK|Content-Length: 10|Connection: close||POST /a hi[end]"),
        Row(
            name: "what follows HEAD and is no request has a body",
            request: "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\nGARBAGE\r\n\r\n",
            answer: "HTTP/1.1 200 OK|Content-Length: 8||"
                + "HTTP/1.1 400 Bad Request|Content-Length: *|Connection: close||{problem}|[end]"),
        Row(
            name: "HTTP/1.0 ends with its answer", request: "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            answer: "HTTP/1.1 200 OK|Content-Length: 7|Connection: close||GET /a [end]"),
        Row(
            name: "a stream for HTTP/1.0 is not sent in chunks", request: "GET /stream HTTP/1.0\r\n\r\n",
            answer: "HTTP/1.0 200 OK|Connection: close||one two[end]"),
        Row(
            name: "a stream's HEAD ends at once", request: "HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n",
            answer: "HTTP/1.1 200 OK||"),
        Row(
            name: "a part of a body is not taken for the whole", request: "GET /broken HTTP/1.1\r\nHost: x\r\n\r\n",
            answer: "HTTP/1.1 200 OK|Transfer-Encoding: chunked||4|part|[end]"),
        Row(
            name: "little of an unread body is dropped, and the connection stays",
            request: "POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /a HTTP/1.1\r\nHost: x\r\n\r\n",
            answer: "HTTP/1.1 200 OK|Content-Length: 6||unreadHTTP/1.1 200 OK|Content-Length: 7||GET /a "),
        Row(
            name: "much of an unread body ends the connection",
            request: "POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
            answer: "HTTP/1.1 200 OK|Content-Length: 6|Connection: close||unread[end]"),
        Row(
            name: "no Host", request: "GET /a HTTP/1.1\r\n\r\n",
            answer: "HTTP/1.1 400 Bad Request|Content-Length: *|Connection: close||{problem}|[end]"),
        Row(
            name: "a broken chunk", request: "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            answer: "HTTP/1.1 400 Bad Request|Content-Length: *|Connection: close||{problem}|[end]"),
        Row(
            name: "whole requests before a broken one are answered",
            request: "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGARBAGE\r\n\r\n",
            answer: "HTTP/1.1 200 OK|Content-Length: 7||GET /a "
                + "HTTP/1.1 400 Bad Request|Content-Length: *|Connection: close||{problem}|[end]"),
    ]

    private func brief(of pieces: [ArraySlice<UInt8>]) throws -> String {
        let connection = try Connection()
        var text = ""
        for piece in pieces {
            connection.send(piece)
            text += try connection.output().replacing("[end]", with: "")
        }
        text += try connection.output()
        return Self.brief(text).replacing(/Content-Length: \d{3,}(?=\|Connection: close\|\|\{problem)/, with: "Content-Length: *")
    }

    @Test("each request has its answer, whole, in two pieces split anywhere, and byte by byte", arguments: rows)
    func table(_ row: Row) throws {
        let bytes = Array(row.request.utf8)
        #expect(try brief(of: [bytes[...]]) == row.answer)
        #expect(try brief(of: bytes.indices.map { bytes[$0...$0] }) == row.answer)
        for place in bytes.indices.dropFirst() {
            let split = try brief(of: [bytes[..<place], bytes[place...]])
            #expect(split == row.answer, "split at \(place)")
        }
    }

    @Test("a body that is too long is refused while it arrives, and one that is exactly as long as allowed is not")
    func longBodies() throws {
        for (length, isAllowed) in [(100_000, true), (100_001, false)] {
            let connection = try Connection()
            connection.send(ArraySlice("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".utf8))
            let body = [UInt8](repeating: 0x61, count: length)
            connection.send(ArraySlice("\(String(length, radix: 16))\r\n".utf8) + body)
            let early = try connection.output()
            #expect(early.isEmpty == isAllowed && early.hasPrefix("HTTP/1.1 413 ") != isAllowed, "\(early.prefix(60))")
            connection.send(ArraySlice("\r\n0\r\n\r\n".utf8))
            if isAllowed { #expect(try connection.output().hasSuffix("aaaa")) }
        }
    }

    @Test("100 Continue is sent once somebody wants the body, and not to a client that sends it anyway")
    func awaitedBodies() throws {
        let head = "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        let connection = try Connection()
        connection.send(ArraySlice(head.utf8))
        #expect(try connection.output() == "HTTP/1.1 100 Continue\r\n\r\n")
        connection.send(ArraySlice("hi".utf8))
        #expect(Self.brief(try connection.output()) == "HTTP/1.1 200 OK|Content-Length: 10||POST /a hi")
        let eager = try Connection()
        eager.send(ArraySlice((head + "hi").utf8))
        #expect(Self.brief(try eager.output()) == "HTTP/1.1 200 OK|Content-Length: 10||POST /a hi")
        // Nobody wants the body: the client need not send it, so the next bytes could be either.
        let unread = try Connection()
        unread.send(ArraySlice(head.replacing("/a", with: "/unread").utf8))
        #expect(Self.brief(try unread.output()) == "HTTP/1.1 200 OK|Content-Length: 6|Connection: close||unread[end]")
    }

    @Test("a client that leaves when it is asked for its body leaves no task behind", .timeLimit(.minutes(20)))
    func leavingBodies() async throws {
        let eventLoop = EmbeddedEventLoop()
        let holder = Holder()
        let body = ArrivingBody(on: eventLoop, maximum: 10, isComplete: false) { holder.body?.fail(EdgeError.timedOut) }
        holder.body = body
        await #expect(throws: EdgeError.self) { try await body.collect(upTo: 10, tooLong: EdgeError.bodyTooLarge) }
    }

    private final class Holder {
        var body: ArrivingBody?
    }

    @Test("spaces and tabs at the end of a value are not part of it")
    func trimmedValues() {
        let fields = RequestFields(
            HTTPRequestHead(
                version: .http1_1, method: .GET, uri: "/",
                headers: ["Host": "x ", "Content-Length": "2 \t", "Authorization": "Bearer a\t", "X-Request-Id": "id\t"]))
        #expect(fields.isWellFormed && fields.framing == .length(2))
        #expect(fields.authorization == "Bearer a" && fields.requestID == "id")
    }

    @Test("a thousand requests in one piece are all answered, in order")
    func manyRequests() throws {
        let connection = try Connection()
        let requests = (0..<1_000).map { "GET /\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined()
        connection.send(ArraySlice(("GET /later HTTP/1.1\r\nHost: x\r\n\r\n" + requests).utf8))
        let answers = try connection.output()
        let places = (0..<1_000).map { answers.firstRange(of: "\r\n\r\nGET /\($0) ")?.lowerBound }
        #expect(!places.contains(nil) && places.compactMap { $0 } == places.compactMap { $0 }.sorted())
    }

    @Test("a body that nobody reads is not read from the network beyond a little")
    func unwantedBodies() throws {
        let connection = try Connection()
        try connection.channel.pipeline.syncOperations.addHandler(ReadRequests(), position: .first)
        let reads = try connection.channel.pipeline.syncOperations.handler(type: ReadRequests.self)
        connection.send(ArraySlice("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        connection.send(ArraySlice("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".utf8))
        let chunk = ArraySlice("4000\r\n".utf8) + [UInt8](repeating: 0x61, count: 16_384) + ArraySlice("\r\n".utf8)
        for _ in 0..<4 { connection.send(chunk) }
        connection.channel.pipeline.read()
        #expect(reads.count == 1)
        connection.send(chunk)
        connection.channel.pipeline.read()
        #expect(reads.count == 1)
    }

    /// Counts how often the network was asked for more.
    private final class ReadRequests: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var count = 0

        func read(context: ChannelHandlerContext) {
            count += 1
            context.read()
        }
    }

    @Test("while the server stops, the answer under way is the last, and an idle connection closes at once")
    func stopping() throws {
        let idle = try Connection()
        idle.send(ArraySlice("GET /a HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        _ = try idle.output()
        idle.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(try idle.output() == "[end]")
        let busy = try Connection()
        busy.send(ArraySlice("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nh".utf8))
        busy.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(try busy.output() == "")
        busy.send(ArraySlice("i".utf8))
        #expect(Self.brief(try busy.output()) == "HTTP/1.1 200 OK|Content-Length: 10|Connection: close||POST /a hi[end]")
        let slow = try Connection()
        slow.send(ArraySlice("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nh".utf8))
        slow.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        slow.channel.embeddedEventLoop.advanceTime(by: .milliseconds(600))
        #expect(try slow.output().hasPrefix("HTTP/1.1 503 "))
    }

    @Test("an idle connection ends after its time, and not before")
    func idling() throws {
        let connection = try Connection()
        connection.send(ArraySlice("GET /a HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        _ = try connection.output()
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(59))
        #expect(try connection.output() == "")
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(try connection.output() == "[end]")
    }

    @Test("a client that closes its sending side gets its answer, and the connection ends")
    func halfClosing() throws {
        let connection = try Connection()
        connection.send(ArraySlice("GET /a HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        #expect(try connection.output().hasSuffix("GET /a "))
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(try connection.output() == "[end]")
    }
}
