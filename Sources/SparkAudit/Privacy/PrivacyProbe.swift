import SparkCore

/// One question that a viewer asks the server, and that may betray what somebody is to them.
struct PrivacyProbe: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// Names the person.
        case naming
        /// Is about the viewer's own lists, counts and data.
        case own
        /// Protects the viewer, and so works on everybody who ever had an account.
        case protective
    }

    let kind: Kind
    let method: String
    /// `{id}` is replaced by the person's identifier.
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

    func path(naming id: String) -> String { path.replacing("{id}", with: id) }

    func body(naming id: String) -> JSONValue? {
        guard case .object(let members) = body else { return body }
        return .object(members.map { $0.key == "target_id" ? JSONMember("target_id", .string(id)) : $0 })
    }

    /// What asks without changing anything, in this order, before what changes something.
    static func plan(for document: JSONValue) -> [PrivacyProbe] {
        let views = ["", "?view=card", "?view=full", "?fields=distance_km", "?fields=last_active,about"]
        return views.map { PrivacyProbe(.naming, "GET", "/api/v1/users/{id}\($0)") } + lists(in: document) + acts
    }

    private static let target = JSONMember("target_id", .string("{id}"))

    private static let acts: [PrivacyProbe] =
        ["skip", "pass", "like", "superlike"].map { action in
            PrivacyProbe(.naming, "POST", "/api/v1/swipes", .object([target, JSONMember("action", .string(action))]))
        } + [
            PrivacyProbe(.own, "DELETE", "/api/v1/swipes/last"),
            PrivacyProbe(
                .protective, "POST", "/api/v1/reports",
                .object([target, JSONMember("category", "other"), JSONMember("text", "audit")])),
            PrivacyProbe(.protective, "POST", "/api/v1/blocks", .object([target])),
            PrivacyProbe(.protective, "DELETE", "/api/v1/blocks/{id}"),
            PrivacyProbe(.protective, "DELETE", "/api/v1/blocks", .object([target])),
        ]

    /// Everything that a person can get without naming anybody, as the server itself describes it.
    private static func lists(in document: JSONValue) -> [PrivacyProbe] {
        operations(in: document).compactMap { operation in
            let isPlain =
                operation.method == "GET" && operation.path.hasPrefix("/api/v1/") && !operation.path.contains("{")
                && !operation.isQueryNeeded && !["/poll", "/stream", "/ws"].contains(where: operation.path.hasSuffix)
            return isPlain ? PrivacyProbe(.own, "GET", operation.path) : nil
        }
    }

    /// Operations that name a person and that no probe asks: a new route must not be forgotten.
    static func missing(in document: JSONValue) -> [String] {
        let asked = Set(plan(for: document).map { "\($0.method) \($0.path.prefix { $0 != "?" })" })
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
                let named = path.key.hasPrefix("/api/v1/users/{id}") || path.key.hasPrefix("/api/v1/blocks/{id}")
                return Operation(
                    method: method.key.uppercased(), path: path.key, isQueryNeeded: isQueryNeeded,
                    namesSomebody: named || body["properties"]?["target_id"] != nil)
            }
        }
    }
}

/// What came back, without what differs from request to request: identifiers are named by whose they are, times and places left out,
/// lists sorted. Two observations are equal when they tell the same.
///
/// The size of an answer is that of its text here: what is left out has the same length in every answer.
struct PrivacyObservation: Hashable, Sendable {
    let status: Int
    let text: String
    let headers: [String]

    /// - Parameter names: identifiers, and what they stand for.
    init(status: Int, headers: [String: String], body: JSONValue, names: [String: String]) {
        self.status = status
        self.headers = headers.filter { !Self.passing.contains($0.key) && !$0.key.hasPrefix("ratelimit") }.map { name, value in
            "\(name): \(name == "etag" ? "some" : value)"
        }.sorted()
        self.text = JSONWriter.string(of: Self.plain(body, names))
    }

    /// Whether it shows somebody.
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
