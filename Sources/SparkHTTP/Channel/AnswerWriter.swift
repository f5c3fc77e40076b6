import HTTPTypes
import NIOCore
import NIOHTTP1
import SparkKit

/// Writes answers as bytes of HTTP/1.1 (RFC 9112).
struct AnswerWriter {
    /// How a connection continues after an answer, and how the client finds the end of its body.
    struct Framing: Hashable {
        /// Whether the connection ends with the answer.
        var isLast = false
        /// Whether the client knows no chunks: a body without a length ends with the connection.
        var isOld = false
    }

    /// The end of a chunked body.
    static let lastChunk = "0\r\n\r\n"

    /// Status lines of HTTP/1.1 by code, from 100.
    private static let statusLines: [[UInt8]] = (100..<600).map { statusLine($0, "1.1") }

    private static func statusLine(_ code: Int, _ version: String) -> [UInt8] {
        Array("HTTP/\(version) \(code) \(HTTPResponseStatus(statusCode: code).reasonPhrase)\r\n".utf8)
    }

    /// Writes an answer up to its body, and the body if it is whole.
    /// - Returns: whether the body follows in chunks.
    static func write(
        _ answer: consuming EdgeAnswer, _ framing: Framing, to buffer: inout ByteBuffer, with resources: LoopResources
    ) -> Bool {
        resources.compress(&answer)
        let isStream = if case .whole = answer.body { false } else { true }
        let isChunked = isStream && !answer.isHead && !framing.isOld
        if isStream, framing.isOld {
            buffer.writeBytes(statusLine(answer.status.code, "1.0"))
        } else {
            buffer.writeBytes(statusLines[min(max(answer.status.code, 100), 599) - 100])
        }
        resources.securityFields.write(to: &buffer, besides: answer.headers)
        answer.forEachField { name, value in field(name, value, to: &buffer) }
        if framing.isLast { buffer.writeStaticString("Connection: close\r\n") }
        if isChunked { buffer.writeStaticString("Transfer-Encoding: chunked\r\n") }
        buffer.writeStaticString("\r\n")
        if !answer.isHead, case .whole(let bytes) = answer.body { buffer.writeBytes(bytes) }
        return isChunked
    }

    /// Writes the last answer of a connection, to what is no request or cannot become one.
    static func writeLast(
        _ reply: Reply, id: String, isHead: Bool, to buffer: inout ByteBuffer, with resources: LoopResources
    ) {
        var answer = EdgeAnswer(
            status: reply.status, headers: reply.headers, requestID: id, body: .whole(reply.body), isHead: isHead)
        answer.cacheControl = "private, no-store"
        _ = write(answer, Framing(isLast: true), to: &buffer, with: resources)
    }

    /// Writes a head without security fields, which has no body: `100 Continue`, `101 Switching Protocols`.
    static func write(_ head: HTTPResponseHead, to buffer: inout ByteBuffer) {
        buffer.writeString("HTTP/1.1 \(head.status.code) \(head.status.reasonPhrase)\r\n")
        for (name, value) in head.headers { field(name, value, to: &buffer) }
        buffer.writeStaticString("\r\n")
    }

    /// Writes a part of a body.
    static func write(_ part: ArraySlice<UInt8>, isChunked: Bool, to buffer: inout ByteBuffer) {
        // An empty chunk would end the body.
        guard !part.isEmpty else { return }
        if isChunked { buffer.writeString("\(String(part.count, radix: 16))\r\n") }
        buffer.writeBytes(part)
        if isChunked { buffer.writeStaticString("\r\n") }
    }

    private static func field(_ name: String, _ value: String, to buffer: inout ByteBuffer) {
        buffer.writeString(name)
        buffer.writeStaticString(": ")
        buffer.writeString(value)
        buffer.writeStaticString("\r\n")
    }
}

/// The security fields and the date of every answer, formatted once a second.
struct SecurityFields {
    private static let fields: [(name: HTTPField.Name, value: String)] = [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ].compactMap { name, value in HTTPField.Name(name).map { ($0, value) } }

    private let fields: [(name: HTTPField.Name, value: String)]
    private let dates: HTTPDate?
    private var second = Int64.min
    private var block: [UInt8] = []
    private var date: [UInt8] = []

    /// - Parameters:
    ///   - dates: nil where there is no clock: answers have no date then.
    ///   - strictTransportSeconds: for how long browsers use HTTPS only; 0 where answers do not say so.
    init(dates: HTTPDate?, strictTransportSeconds: Int = 0) {
        self.dates = dates
        fields =
            Self.fields + (strictTransportSeconds > 0 ? [(.strictTransportSecurity, "max-age=\(strictTransportSeconds)")] : [])
        block = Self.text(of: fields)
    }

    /// Writes the fields that an answer does not set itself.
    mutating func write(to buffer: inout ByteBuffer, besides headers: HTTPFields) {
        if let dates, dates.second != second {
            second = dates.second
            date = Array("Date: \(HTTPDate.text(second: second))\r\n".utf8)
        }
        buffer.writeBytes(date)
        if headers.contains(where: { field in fields.contains { $0.name == field.name } }) {
            buffer.writeBytes(Self.text(of: fields.filter { !headers.contains($0.name) }))
        } else {
            buffer.writeBytes(block)
        }
    }

    private static func text(of fields: [(name: HTTPField.Name, value: String)]) -> [UInt8] {
        Array(fields.map { "\($0.name.rawName): \($0.value)\r\n" }.joined().utf8)
    }
}
