import Foundation
import SparkCore

/// Makes requests from an API's description: valid ones, and ones with one or more faults.
///
/// The same seed and the same answers give the same requests.
struct RequestFuzzer {
    private let api: DescribedAPI
    private var random: SplitMix64
    /// Values seen in answers, by member name or identifier prefix: `usr`, `next_cursor`, `email`.
    private var seen: [String: [String]] = [:]
    private static let remembered = 64

    init(_ api: DescribedAPI, seed: UInt64) {
        self.api = api
        self.random = SplitMix64(seed: seed)
    }

    /// Remembers values for later requests.
    mutating func remember(_ text: String, as kind: String) {
        let index = Int(random.next() % UInt64(Self.remembered))
        if seen[kind, default: []].count < Self.remembered {
            seen[kind, default: []].append(text)
        } else {
            seen[kind]?[index] = text
        }
    }

    /// Remembers the identifiers, cursors and tokens of an answer.
    mutating func learn(from value: JSONValue) {
        switch value {
        case .array(let elements): for element in elements { learn(from: element) }
        case .object(let members):
            for member in members {
                guard case .string(let text) = member.value else {
                    learn(from: member.value)
                    continue
                }
                if text.utf8.count == 17, text.dropFirst(3).first == "_" { remember(text, as: String(text.prefix(3))) }
                if ["next_cursor", "refresh_token"].contains(member.key) { remember(text, as: member.key) }
            }
        default: break
        }
    }

    /// - Parameter token: the sender's own.
    mutating func request(token: String) -> (operation: DescribedAPI.Operation, request: RawRequest) {
        var operation = pick(api.operations)
        // Passwords are slow to hash on purpose, and a logged-out or deleted client gets only 401.
        while operation.path.contains("/auth/") || operation.name == "DELETE /api/v1/me", !chance(5) {
            operation = pick(api.operations)
        }
        var request = RawRequest(method: operation.method, headers: [("Host", "spark")])
        request.target = target(of: operation)
        if let field = authorization(token) { request.headers.append(("Authorization", field)) }
        if let schema = operation.body, chance(97) {
            let value = value(of: schema)
            request.body = body(chance(55) ? value : mutated(value))
            request.headers.append(("Content-Type", chance(97) ? "application/json" : pick(Nasty.headerValues)))
        } else if chance(3) {
            request.body = Array(pick(Nasty.texts).utf8)
        }
        while chance(20) { request.headers.append(header()) }
        return (operation, request)
    }

    /// The bytes of a request with a few of them changed.
    mutating func garbled(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...random.next() % 4 where !bytes.isEmpty {
            let index = Int(random.next() % UInt64(bytes.count))
            switch random.next() % 4 {
            case 0: bytes.remove(at: index)
            case 1: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: index)
            case 2: bytes.removeSubrange(index...)
            default: bytes[index] ^= 1 << UInt8(random.next() % 8)
            }
        }
        return bytes
    }

    mutating func chance(_ percent: UInt64) -> Bool { random.next() % 100 < percent }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int(random.next() % UInt64(elements.count))]
    }

    private mutating func integer(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &random) }

    private mutating func authorization(_ own: String) -> String? {
        switch random.next() % 100 {
        case 0..<88: "Bearer \(own)"
        case 88..<92: nil
        case 92..<94: "Bearer \(pick(seen["token"] ?? [own]))"
        case 94..<96: "Bearer \(own.dropLast(Int(random.next() % 50)))"
        case 96..<98: pick(Nasty.headerValues)
        default: "Bearer \(pick(Nasty.headerValues))"
        }
    }

    // MARK: Target

    private mutating func target(of operation: DescribedAPI.Operation) -> String {
        var last = ""
        var path = ""
        for segment in operation.path.split(separator: "/") {
            let part = segment.hasPrefix("{") ? encoded(identifier(for: last)) : String(segment)
            // An empty one would be the path above, which is another operation's.
            path += "/" + (part.isEmpty ? "%20" : part)
            last = String(segment)
        }
        var pairs: [String] = []
        for parameter in operation.parameters where parameter["in"] == "query" && chance(50) {
            let name = parameter["name"]?.string ?? ""
            repeat {
                let text = chance(70) ? text(of: value(of: parameter["schema"] ?? .null, named: name)) : pick(Nasty.texts)
                pairs.append("\(name)=\(encoded(text))")
            } while chance(3)
        }
        if chance(4) { pairs.append("\(encoded(pick(Nasty.texts)))=\(encoded(pick(Nasty.texts)))") }
        if chance(2) { path += pick(["/", "//", "%00", "/..", "%", "%2f", "%zz", ";a=b", "/a"]) }
        let target = path + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
        return String(target.utf8.prefix(12_000)) ?? path
    }

    /// What a path expects after the word, mostly.
    private mutating func identifier(for word: String) -> String {
        let kinds = ["matches": "mat", "sessions": "ses", "conversations": "cnv", "users": "usr", "blocks": "usr"]
        if chance(8) { return pick(Nasty.texts) }
        return identifier(kind: chance(90) ? kinds[word] ?? "usr" : pick(Array(kinds.values.sorted())))
    }

    private mutating func identifier(kind: String) -> String {
        if chance(85), let known = seen[kind] { return pick(known) }
        let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
        return "\(kind)_\(pick(Array("01234567")))" + String((0..<12).map { _ in pick(alphabet) })
    }

    private func text(of value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        case .array(let elements): elements.compactMap(\.string).joined(separator: ",")
        default: JSONWriter.string(of: value)
        }
    }

    /// At most 4,000 bytes of it.
    private func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8.prefix(4_000) {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: bytes.append(byte)
            default: bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func header() -> (name: String, value: String) {
        let names = [
            "Idempotency-Key", "If-Match", "If-None-Match", "Accept-Encoding", "X-Request-Id", "X-Forwarded-For", "User-Agent",
            "Accept",
            "Range", "Content-Encoding", "Accept-Language", "Origin", "Cookie", "Expect", "Connection", "Upgrade",
            "X-HTTP-Method-Override",
        ]
        let name = pick(names)
        switch name {
        case "Idempotency-Key" where chance(80): return (name, "key-\(random.next() % 40)")
        case "If-Match" where chance(60), "If-None-Match" where chance(60): return (name, "\"\(random.next() % 5)\"")
        case "Accept-Encoding" where chance(80): return (name, pick(["gzip", "deflate", "gzip, br", "*", "identity;q=0"]))
        case "Expect": return (name, "200-ok")
        case "Connection", "Upgrade": return (name, pick(["keep-alive", "close", "h2c", "websocket", "TE"]))
        default: return (name, pick(Nasty.headerValues))
        }
    }

    // MARK: Bodies

    private mutating func body(_ value: JSONValue) -> [UInt8] {
        let bytes = JSONWriter.bytes(of: value)
        return chance(6) ? garbled(bytes) : bytes
    }

    /// A value that matches the schema.
    private mutating func value(of given: JSONValue, named name: String = "") -> JSONValue {
        let schema = api.resolved(given)
        if let words = schema["enum"]?.array { return pick(words) }
        if let choices = schema["anyOf"]?.array { return value(of: pick(choices), named: name) }
        switch schema["type"]?.string {
        case "boolean": return .bool(chance(50))
        case "integer": return .integer(integer((schema["minimum"]?.integer ?? -5)...(schema["maximum"]?.integer ?? 1_000)))
        case "number":
            return .number(
                Double.random(in: (schema["minimum"]?.double ?? -1)...(schema["maximum"]?.double ?? 1), using: &random))
        case "array":
            let count = integer((schema["minItems"]?.integer ?? 0)...(schema["maxItems"]?.integer ?? 3))
            var elements: [JSONValue] = []
            for _ in 0..<count {
                let element = value(of: schema["items"] ?? .null)
                if !elements.contains(element) { elements.append(element) }
            }
            return .array(elements)
        case "object":
            let required = schema["required"]?.array ?? []
            let members = (schema["properties"]?.members ?? []).filter { required.contains(.string($0.key)) || chance(40) }
            return .object(members.map { JSONMember($0.key, value(of: $0.value, named: $0.key)) })
        case "string": return .string(string(schema, named: name))
        default: return .null
        }
    }

    private mutating func string(_ schema: JSONValue, named name: String) -> String {
        if let pattern = schema["pattern"]?.string, pattern.dropFirst(4).first == "_" {
            return identifier(kind: String(pattern.dropFirst().prefix(3)))
        }
        let kind = ["cursor": "next_cursor", "current_password": "password", "new_password": "password"][name] ?? name
        if chance(75), let known = seen[kind] { return pick(known) }
        if schema["format"] == "date" { return "19\(60 + random.next() % 40)-0\(1 + random.next() % 9)-1\(random.next() % 10)" }
        if schema["format"] == "date-time" { return "2026-01-0\(1 + random.next() % 9)T00:00:00Z" }
        if name == "email" { return "fuzz\(random.next())@example.org" }
        let least = schema["minLength"]?.integer ?? 0
        let count = integer(least...max(least, min(schema["maxLength"]?.integer ?? 20, least + 30)))
        var scalars = String.UnicodeScalarView()
        for _ in 0..<count { scalars.append(pick(Nasty.scalars)) }
        return String(scalars)
    }

    /// The value with one to three faults.
    private mutating func mutated(_ value: JSONValue) -> JSONValue {
        var result = value
        for _ in 0...random.next() % 3 { result = mutatedOnce(result) }
        return result
    }

    private mutating func mutatedOnce(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(var members) where !members.isEmpty && chance(92):
            let index = Int(random.next() % UInt64(members.count))
            switch random.next() % 10 {
            case 0: members.remove(at: index)
            case 1: members.append(JSONMember(pick(Nasty.texts), pick(Nasty.values)))
            case 2: members.append(members[index])
            default: members[index] = JSONMember(members[index].key, mutatedOnce(members[index].value))
            }
            return .object(members)
        case .array(var elements) where !elements.isEmpty && chance(80):
            let index = Int(random.next() % UInt64(elements.count))
            switch random.next() % 4 {
            case 0: elements.append(elements[index])
            case 1:
                let isSmall = JSONWriter.bytes(of: elements[index]).count < 40
                elements = Array(repeating: elements[index], count: Int(random.next() % (isSmall ? 5_000 : 4)))
            default: elements[index] = mutatedOnce(elements[index])
            }
            return .array(elements)
        case .integer(let number) where chance(40): return .integer(number &+ pick([1, -1, .max, .min, 1_000_000]))
        case .number(let number) where chance(40): return .number(number * pick([-1, 10, 1e18, 1e-300, 1e300]))
        case .string(let text) where chance(40): return .string(chance(50) ? text + pick(Nasty.texts) : String(text.dropLast()))
        default: return chance(50) ? pick(Nasty.values) : .string(pick(Nasty.texts))
        }
    }
}

/// Values that tend to break servers.
private enum Nasty {
    static let scalars = Array("abcXYZ 019-'éßİı漢字🙂👩‍👩‍👧\u{301}\u{200B}\u{202E}\u{A0}".unicodeScalars)

    static let texts: [String] = [
        "", " ", "\u{0}", "a\u{0}b", "\n", "\r\n", "'", "\"", "'; DROP TABLE accounts_users; --", "../../etc/passwd", "%00",
        "%n%s", "${7*7}",
        "<script>", "null", "-1", "0", "101", "1e400", "NaN", "\u{FEFF}", "\u{202E}abc", "\u{FFFD}\u{FFFE}\u{FFFF}", "\u{10FFFF}",
        "ﬀ", "İ", "e\u{301}\u{301}\u{301}\u{301}", "👩‍👩‍👧‍👦", "usr_", "usr_0000000000000", "usr_7zzzzzzzzzzzz", "usr_zzzzzzzzzzzzz",
        "a@b", "a@b.c",
        "9999-12-31", "0000-00-00", "2007-02-29", "2026-13-01", "-0001-01-01", "١٢", "{}", "[]", "true",
        String(repeating: "a", count: 300), String(repeating: "🙂", count: 2_001), String(repeating: "\u{301}", count: 500),
        String(repeating: "x", count: 70_000), String(repeating: "\\", count: 2_000),
    ]

    static let values: [JSONValue] = [
        .null, .bool(true), .bool(false), .integer(0), .integer(-1), .integer(.max), .integer(.min), .integer(1 << 53),
        .number(0.5),
        .number(-0.0), .number(1e308), .number(.leastNonzeroMagnitude), .number(1e19), .array([]), .object([]), .array([.null]),
        .array([.array([])]),
        .object([JSONMember("", .null)]), .string(""),
        (0..<40).reduce(.null) { value, _ in .array([value]) }, (0..<2_000).reduce(.null) { value, _ in .array([value]) },
    ]

    static let headerValues: [String] = [
        "", "*", "\"", "\"\"", "W/\"1\"", "\"1\", \"2\"", "é", "a b", "\t", ",", ";;;", "=", "Basic YTpi", "0", "-1", "bytes=0-",
        "application/json;charset=utf-16", "text/html", "1.2.3.4, 5.6.7.8", "::1%eth0", "%00", "<script>",
        "Mozilla/5.0 (iPhone; Mobile)",
        String(repeating: "k", count: 128), String(repeating: "k", count: 129), String(repeating: "v", count: 8_000),
        "99999999999999999999",
    ]
}
