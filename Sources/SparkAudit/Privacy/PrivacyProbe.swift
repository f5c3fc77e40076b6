import SparkCore

/// A query whose answer may reveal the relation between a viewer and a person.
struct PrivacyProbe: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// Names the person.
        case naming
        /// Concerns the viewer's own lists, counts and data.
        case own
        /// Concerns the former match and conversation of the two.
        case former
        /// Protects the viewer, so it works for every account that ever existed.
        case protective
    }

    let kind: Kind
    let method: String
    /// `{id}` becomes the person's identifier; `{match}`, `{conversation}` and `{seq}` refer to the former match.
    let path: String
    let body: JSONValue?

    init(_ kind: Kind, _ method: String, _ path: String, _ body: JSONValue? = nil) {
        self.kind = kind
        self.method = method
        self.path = path
        self.body = body
    }

    var name: String {
        let action = body?["action"]?.string.map { " (\($0))" } ?? ""
        return "\(method) \(path)\(action)"
    }

    func path(naming id: String, _ meeting: PrivacyMeeting?) -> String {
        let path = path.replacing("{id}", with: id)
        guard let meeting else { return path }
        return path.replacing("{match}", with: meeting.match).replacing("{conversation}", with: meeting.conversation)
            .replacing("{seq}", with: "1")
    }

    func body(naming id: String, _ meeting: PrivacyMeeting?) -> JSONValue? {
        guard case .object(let members) = body else { return body }
        return .object(
            members.map { member in
                switch member.key {
                case "target_id": JSONMember("target_id", .string(id))
                case "conversation_id": JSONMember("conversation_id", .string(meeting?.conversation ?? ""))
                default: member
                }
            })
    }

    /// The probes in order: first those that change nothing, then those that do, at the end what the viewer keeps.
    static func plan(for document: JSONValue) -> [PrivacyProbe] {
        let views = ["", "?view=card", "?view=full", "?fields=distance_km", "?fields=last_active,about"]
        return views.map { PrivacyProbe(.naming, "GET", "/api/v1/users/{id}\($0)") } + lists(in: document) + conversation
            + acts + endings
    }

    private static let target = JSONMember("target_id", .string("{id}"))
    private static let former = JSONMember("conversation_id", .string("{conversation}"))
    private static let report = [JSONMember("category", "other"), JSONMember("text", "audit")]

    private static let conversation: [PrivacyProbe] = {
        let (path, seq) = ("/api/v1/conversations/{conversation}", "/api/v1/conversations/{conversation}/messages/{seq}")
        return [
            PrivacyProbe(.former, "GET", path), PrivacyProbe(.former, "GET", "\(path)/messages"),
            PrivacyProbe(.former, "POST", "\(path)/messages", ["client_id": "audit-after", "text": "are you there?"]),
            // A repeated client id: the same answer as before would reveal that the message still exists.
            PrivacyProbe(.former, "POST", "\(path)/messages", ["client_id": "audit-viewer", "text": "hello from the viewer"]),
            PrivacyProbe(.former, "POST", "\(path)/read", ["seq": 2]),
            PrivacyProbe(.former, "PATCH", seq, ["text": "other words"]),
            PrivacyProbe(.former, "PUT", "\(seq)/reaction", ["reaction": "!"]),
            PrivacyProbe(.former, "DELETE", "\(seq)/reaction"),
            PrivacyProbe(.former, "DELETE", seq), PrivacyProbe(.former, "PUT", "\(path)/mute"),
            PrivacyProbe(.former, "DELETE", "\(path)/mute"),
            // Before a block, which would also end the match.
            PrivacyProbe(.former, "DELETE", "/api/v1/matches/{match}"),
        ]
    }()

    private static let acts: [PrivacyProbe] =
        ["skip", "pass", "like", "superlike"].map { action in
            PrivacyProbe(.naming, "POST", "/api/v1/swipes", .object([target, JSONMember("action", .string(action))]))
        } + [
            PrivacyProbe(.own, "DELETE", "/api/v1/swipes/last"),
            PrivacyProbe(.protective, "POST", "/api/v1/reports", .object([target] + report)),
            PrivacyProbe(.former, "POST", "/api/v1/reports", .object([former] + report)),
            PrivacyProbe(.protective, "POST", "/api/v1/blocks", .object([target])),
            PrivacyProbe(.former, "GET", "/api/v1/blocks"),
            PrivacyProbe(.protective, "DELETE", "/api/v1/blocks/{id}"),
            PrivacyProbe(.former, "POST", "/api/v1/blocks", .object([former])),
            PrivacyProbe(.protective, "DELETE", "/api/v1/blocks", .object([target])),
            PrivacyProbe(.former, "DELETE", "/api/v1/blocks", .object([former])),
        ]

    private static let endings: [PrivacyProbe] = [
        PrivacyProbe(.former, "GET", "/api/v1/poll?offset=0&wait=0"),
        PrivacyProbe(.former, "GET", "/api/v1/me/export"),
    ]

    /// Every query that names no person, from the server's own API description.
    private static func lists(in document: JSONValue) -> [PrivacyProbe] {
        operations(in: document).compactMap { operation in
            let isPlain =
                operation.method == "GET" && operation.path.hasPrefix("/api/v1/") && !operation.path.contains("{")
                && !operation.isQueryNeeded && !["/poll", "/stream", "/ws"].contains(where: operation.path.hasSuffix)
            return isPlain ? PrivacyProbe(.own, "GET", operation.path) : nil
        }
    }

    /// Operations that name a person and have no probe, so that no new route is forgotten.
    static func missing(in document: JSONValue) -> [String] {
        let asked = Set(
            plan(for: document).map { probe in
                let path = probe.path.prefix { $0 != "?" }
                return "\(probe.method) \(path)".replacing("{conversation}", with: "{id}").replacing("{match}", with: "{id}")
            })
        return operations(in: document).filter(\.namesSomebody).map { "\($0.method) \($0.path)" }
            .filter { !asked.contains($0) }
    }

    private struct Operation {
        let method: String
        let path: String
        let isQueryNeeded: Bool
        let namesSomebody: Bool
    }

    private static func operations(in document: JSONValue) -> [Operation] {
        func resolved(_ schema: JSONValue?) -> JSONValue {
            guard let name = schema?["$ref"]?.string?.split(separator: "/").last else { return schema ?? .null }
            return document["components"]?["schemas"]?[String(name)] ?? .null
        }
        func members(_ value: JSONValue?) -> [JSONMember] { if case .object(let members) = value { members } else { [] } }
        return members(document["paths"]).flatMap { path in
            members(path.value).map { method in
                let body = resolved(method.value["requestBody"]?["content"]?["application/json"]?["schema"])
                let isQueryNeeded = (method.value["parameters"]?.array ?? []).contains {
                    $0["in"] == "query" && $0["required"] == true
                }
                let named = ["users", "blocks", "matches", "conversations"].contains { path.key.hasPrefix("/api/v1/\($0)/{id}") }
                return Operation(
                    method: method.key.uppercased(), path: path.key, isQueryNeeded: isQueryNeeded,
                    namesSomebody: named || body["properties"]?["target_id"] != nil)
            }
        }
    }
}

/// An answer without its request-specific parts: identifiers are replaced by names, times and places removed, lists sorted. Two
/// observations are equal when the answers reveal the same.
///
/// The size of the answer is that of its text here: the removed parts have the same length in every answer.
struct PrivacyObservation: Hashable, Sendable {
    let status: Int
    let text: String
    let headers: [String]

    /// - Parameter names: the replacements of identifiers.
    init(status: Int, headers: [String: String], body: JSONValue, names: [String: String]) {
        self.status = status
        self.headers = headers.filter { !Self.passing.contains($0.key) && !$0.key.hasPrefix("ratelimit") }.map { name, value in
            "\(name): \(name == "etag" ? "some" : value)"
        }.sorted()
        self.text = JSONWriter.string(of: Self.plain(body, names))
    }

    /// Whether the answer shows the subject.
    var showsSubject: Bool { text.contains(Self.subject) }

    var summary: String { "\(status) \(text.prefix(160))" }

    static let subject = "{subject}"
    private static let passing: Set = ["date", "x-request-id", "retry-after", "content-length"]

    private static func plain(_ value: JSONValue, _ names: [String: String]) -> JSONValue {
        switch value {
        case .string(let text): return .string(plain(text, names))
        case .array(let elements):
            let plain = elements.map { Self.plain($0, names) }.map { (text: JSONWriter.string(of: $0), value: $0) }
            return .array(plain.sorted { $0.text < $1.text }.map(\.value))
        case .object(let members):
            return .object(
                members.map { member in
                    let isPassing = ["latitude", "longitude", "request_id"].contains(member.key)
                    return JSONMember(member.key, isPassing ? .null : plain(member.value, names))
                })
        default: return value
        }
    }

    private static func plain(_ text: String, _ names: [String: String]) -> String {
        var text = text
        for (id, name) in names where text.contains(id) { text = text.replacing(id, with: name) }
        if text.hasSuffix("@spark.invalid") { return "{email}" }
        let bytes = Array(text.utf8)
        if bytes.count == 24, bytes[10] == UInt8(ascii: "T"), bytes[23] == UInt8(ascii: "Z") { return "{time}" }
        if bytes.count == 17, bytes[3] == UInt8(ascii: "_") { return "{\(text.prefix(3))}" }
        return text
    }
}
