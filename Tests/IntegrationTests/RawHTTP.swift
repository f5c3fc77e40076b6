import Foundation
import SparkCore
import SparkTestSupport

/// An HTTP request as plain bytes, which may be malformed.
struct RawRequest: Sendable {
    var method = "GET"
    var target = "/"
    var version = "HTTP/1.1"
    var headers: [(name: String, value: String)] = []
    var body: [UInt8]?
    /// Whether a body has a Content-Length.
    var tellsLength = true

    /// A request as clients send it.
    static func plain(_ method: String, _ target: String, token: String? = nil, json: String? = nil) -> RawRequest {
        var request = RawRequest(method: method, target: target, headers: [("Host", "spark")])
        if let token { request.headers.append(("Authorization", "Bearer \(token)")) }
        if let json {
            request.headers.append(("Content-Type", "application/json"))
            request.body = Array(json.utf8)
        }
        return request
    }

    func with(_ name: String, _ value: String) -> RawRequest {
        var copy = self
        copy.headers = headers.filter { $0.name != name } + [(name, value)]
        return copy
    }

    func without(_ name: String) -> RawRequest {
        var copy = self
        copy.headers = headers.filter { $0.name != name }
        return copy
    }

    func with(body: [UInt8]) -> RawRequest {
        var copy = self
        copy.body = body
        return copy
    }

    var bytes: [UInt8] {
        var text = "\(method) \(target) \(version)\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if let body, tellsLength { text += "Content-Length: \(body.count)\r\n" }
        return Array((text + "\r\n").utf8) + (body ?? [])
    }
}

/// The server's answer to one request.
struct RawAnswer: Sendable {
    let status: Int
    /// By lower-case name.
    let headers: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    var json: JSONValue { (try? JSONParser.parse(body)) ?? .null }
    var code: String { json["code"]?.string ?? "" }
}

struct RawFailure: Error {
    let reason: String
}

/// One TCP connection. It blocks, so it is used from threads of its own (`onOwnThread`).
final class RawConnection {
    private static let patience = timeval(tv_sec: 120, tv_usec: 0)
    private let descriptor: Int32
    private var received: [UInt8] = []
    private var position = 0

    /// - Parameters:
    ///   - url: `http://127.0.0.1:port`.
    ///   - number: of the loopback address to come from: 127.0.0.number.
    init(_ url: String, from number: UInt8 = 1) throws {
        guard let port = url.split(separator: ":").last.flatMap({ UInt16($0) }) else { throw RawFailure(reason: "no port") }
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var own = sockaddr_in()
        own.sin_family = sa_family_t(AF_INET)
        own.sin_addr.s_addr = (UInt32(0x7F00_0000) | UInt32(number)).bigEndian
        _ = withUnsafePointer(to: &own) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        var patience = Self.patience
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
        guard result == 0 else { throw RawFailure(reason: "connect: \(errno)") }
    }

    deinit { close(descriptor) }

    /// Sends as much as the other side accepts; an early close is not an error here.
    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Sends what the system takes at once.
    /// - Returns: false once the connection is gone.
    func sendWithoutWaiting(_ bytes: [UInt8]) -> Bool {
        let count = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        return count >= 0 || errno == EAGAIN
    }

    /// Closes the sending side; answers can still be read.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Ends with a reset.
    /// Closing sends RST instead of FIN.
    func resetWhenClosed() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    func reset() {
        resetWhenClosed()
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Shrinks the system's receive buffer. Call it before sending.
    func takeLittle() {
        var size: Int32 = 4_096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Lets the system take many bytes that nobody reads, more than it allows to others if the process may. Before anything is sent.
    func takeMuch(_ bytes: Int32) {
        var size = bytes
        let length = socklen_t(MemoryLayout<Int32>.size)
        // SO_RCVBUFFORCE
        if setsockopt(descriptor, SOL_SOCKET, 33, &size, length) != 0 {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, length)
        }
    }

    /// Whether the server has closed and nothing is left to read; waits for it.
    func isAtEnd() throws -> Bool { try position == received.count && !fill() }

    /// The next answer, interim ones included; nil once the server has closed.
    func answer(toHead isToHead: Bool = false) throws -> RawAnswer? {
        guard let head = try head() else { return nil }
        return RawAnswer(status: head.status, headers: head.headers, body: try isToHead ? [] : body(head.status, head.headers))
    }

    /// The next answer up to its body; nil once the server has closed.
    func head() throws -> RawAnswer? {
        guard let status = try line() else { return nil }
        let words = status.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0] == "HTTP/1.1", let code = Int(words[1]) else {
            throw RawFailure(reason: "status line: \(status.prefix(80))")
        }
        var headers: [String: String] = [:]
        while let line = try line(), !line.isEmpty {
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            headers[line[..<colon].lowercased()] = line[colon...].dropFirst().trimmingCharacters(in: .whitespaces)
        }
        return RawAnswer(status: code, headers: headers, body: [])
    }

    private func body(_ status: Int, _ headers: [String: String]) throws -> [UInt8] {
        if status < 200 || status == 204 || status == 304 { return [] }
        if let length = headers["content-length"].flatMap({ Int($0) }) { return try bytes(length) }
        guard headers["transfer-encoding"] == "chunked" else { throw RawFailure(reason: "an answer without a length") }
        var whole: [UInt8] = []
        while let size = try line().flatMap({ Int($0, radix: 16) }) {
            whole += try bytes(size)
            _ = try line()
            if size == 0 { return whole }
        }
        throw RawFailure(reason: "an answer cut short")
    }

    /// Everything up to a mark, the mark included.
    func text(until mark: String) throws -> String {
        var text: [UInt8] = []
        while !text.suffix(mark.utf8.count).elementsEqual(mark.utf8) { text += try bytes(1) }
        return String(decoding: text, as: UTF8.self)
    }

    /// The next bytes, unparsed.
    func bytes(_ count: Int) throws -> [UInt8] {
        while received.count - position < count {
            guard try fill() else { throw RawFailure(reason: "an answer cut short") }
        }
        defer { position += count }
        return Array(received[position..<position + count])
    }

    /// Reads at most this many bytes.
    func trickle(_ count: Int) throws -> Int {
        var buffer = [UInt8](repeating: 0, count: count)
        let taken = recv(descriptor, &buffer, count, 0)
        guard taken > 0 else { throw RawFailure(reason: "the connection is gone") }
        return taken
    }

    /// The last bytes before the server closes.
    func last(_ count: Int) throws -> String {
        while try fill() {
            position = max(0, received.count - count)
        }
        return String(decoding: received[position...], as: UTF8.self)
    }

    /// Whether the server has closed; does not wait.
    var isClosed: Bool {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        return count == 0 || count < 0 && errno != EAGAIN
    }

    /// Whether bytes wait to be read.
    var hasInput: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) > 0
    }

    private func line() throws -> String? {
        while true {
            if let end = received[position...].firstIndex(of: 0x0A) {
                defer { position = end + 1 }
                let line = received[position..<end]
                return String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self)
            }
            guard try fill() else { return nil }
        }
    }

    /// False at the end; a reset is one.
    private func fill() throws -> Bool {
        received.removeFirst(position)
        position = 0
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0, errno == EAGAIN { throw RawFailure(reason: "no answer in time") }
        guard count > 0 else { return false }
        received += buffer[..<count]
        return true
    }
}
