import NIOCore
import NIOHTTP1

/// What a request's head says, read in one pass over its fields. It decides what the connection does with the request. Pure, so
/// that a request of another version of HTTP can be read the same way.
struct RequestFields: Sendable {
    /// The fields that routes without a body need. A field that is given several times has its values joined (RFC 9110, 5.3).
    private(set) var authorization: String?
    private(set) var acceptEncoding: String?
    private(set) var ifNoneMatch: String?
    private(set) var ifMatch: String?
    private(set) var contentType: String?
    private(set) var contentEncoding: String?
    private(set) var idempotencyKey: String?
    private(set) var origin: String?
    private(set) var host: String?
    /// The client's own request id, if it sends exactly one that is acceptable.
    let requestID: String?
    /// How the length of the body is given.
    let framing: BodyFraming
    /// A target that names a resource of a web server, exactly one Host (RFC 9112, 3.2), and no coding but one `chunked`, which HTTP/1.0 does not have (RFC 9112, 6.1). A proxy
    /// before Spark may have interpreted anything else differently, an empty field too.
    let isWellFormed: Bool
    /// Whether the connection ends after this request: HTTP/1.0, `Connection: close`, and requests after which the parser stops,
    /// CONNECT and upgrades.
    let endsConnection: Bool
    /// Whether the client waits for `100 Continue` (RFC 9110, 10.1.1).
    let awaitsContinue: Bool
    /// Whether the head has `Upgrade`.
    private(set) var hasUpgrade = false

    init(_ head: HTTPRequestHead) {
        var hosts = 0
        var codings = 0
        var coding = ""
        var length: String?
        var ids = 0
        var id: String?
        var hasClose = false
        var hasExpect = false
        var areHostsValid = true
        for (name, untrimmed) in head.headers {
            let value = Self.trimmed(untrimmed)
            switch name.utf8.count {
            case 4 where name.isField("host"):
                hosts += 1
                host = host ?? value
                areHostsValid = areHostsValid && HostField.isValid(value)
            case 6 where name.isField("expect"): hasExpect = true
            case 6 where name.isField("origin"): Self.join(value, to: &origin)
            case 7 where name.isField("upgrade"): hasUpgrade = true
            case 8 where name.isField("if-match"): Self.join(value, to: &ifMatch)
            case 10 where name.isField("connection"): hasClose = hasClose || Self.hasClose(value)
            case 12 where name.isField("content-type"): Self.join(value, to: &contentType)
            case 12 where name.isField("x-request-id"):
                ids += 1
                id = value
            case 13 where name.isField("authorization"): Self.join(value, to: &authorization)
            case 13 where name.isField("if-none-match"): Self.join(value, to: &ifNoneMatch)
            case 14 where name.isField("content-length"): length = length ?? value
            case 15 where name.isField("accept-encoding"): Self.join(value, to: &acceptEncoding)
            case 15 where name.isField("idempotency-key"): Self.join(value, to: &idempotencyKey)
            case 16 where name.isField("content-encoding"): Self.join(value, to: &contentEncoding)
            case 17 where name.isField("transfer-encoding"):
                codings += 1
                coding = value
            default: break
            }
        }
        let isModern = head.version == .http1_1
        isWellFormed =
            RequestTarget.isWellFormed(head.uri) && (!isModern || hosts == 1) && areHostsValid
            && (codings == 0 || isModern && codings == 1 && coding.lowercased() == "chunked")
        requestID = ids == 1 ? RequestID.given(id) : nil
        framing = codings > 0 ? .chunked : length.map { .length(Int($0) ?? .max) } ?? .none
        awaitsContinue =
            isModern && hasExpect && head.headers[canonicalForm: "Expect"].contains { $0.lowercased() == "100-continue" }
        endsConnection =
            !isModern || head.method == .CONNECT || hasClose
            || hasUpgrade && head.headers[canonicalForm: "Connection"].contains { $0.lowercased() == "upgrade" }
    }

    /// A value without the spaces and tabs at its end (RFC 9110, 5.5); the parser has removed those before it.
    private static func trimmed(_ value: String) -> String {
        guard let last = value.utf8.last, last == 0x20 || last == 0x09 else { return value }
        var rest = value[...]
        while let last = rest.utf8.last, last == 0x20 || last == 0x09 { rest.removeLast() }
        return String(rest)
    }

    private static func hasClose(_ connection: String) -> Bool {
        connection.split(separator: ",").contains { $0.lowercased().filter { $0 != " " && $0 != "\t" } == "close" }
    }

    private static func join(_ value: String, to field: inout String?) { field = field.map { "\($0), \(value)" } ?? value }
}

extension String {
    /// Whether this is the name of a field, without regard to case (RFC 9110, 5.1).
    /// - Parameter name: in lower case, of the same length.
    fileprivate func isField(_ name: StaticString) -> Bool {
        name.withUTF8Buffer { name in
            var index = 0
            for byte in utf8 {
                guard (0x41...0x5A).contains(byte) ? byte | 0x20 == name[index] : byte == name[index] else { return false }
                index += 1
            }
            return true
        }
    }
}
