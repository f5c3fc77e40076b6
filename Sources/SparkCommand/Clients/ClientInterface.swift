import Spark

/// What clients in other languages are made from: the named types, the routes and the frames, read from the OpenAPI and AsyncAPI
/// documents, so that a client has what the modules declare and nothing else.
struct ClientInterface {
    /// The named types, sorted by name.
    private(set) var declarations: [ClientDeclaration] = []
    /// The routes of the API that answer JSON or nothing, in the order of the document.
    private(set) var operations: [ClientOperation] = []
    /// The type names of the frames that clients send.
    private(set) var clientFrames: [String] = []
    /// The type names of the frames that the server sends.
    private(set) var serverFrames: [String] = []

    /// Routes that the clients' streams use. They answer no single JSON value.
    private static let streams: Set<String> = ["/api/v1/ws", "/api/v1/stream"]

    /// - Throws: `ClientInterfaceFault` if a document has what no client could express.
    init(openAPI: JSONValue, asyncAPI: JSONValue) throws {
        var named: [String: JSONValue] = [:]
        for document in [openAPI, asyncAPI] {
            for member in document["components"]?["schemas"]?.objectMembers ?? [] {
                guard named[member.key] == nil || named[member.key] == member.value else {
                    throw ClientInterfaceFault(place: member.key, reason: "two schemas have this name")
                }
                named[member.key] = member.value
            }
        }
        declarations = try named.sorted { $0.key < $1.key }.map { name, schema in
            ClientDeclaration(
                name: name, summary: schema["description"]?.string ?? "", type: try ClientType(schema, at: name))
        }
        for path in openAPI["paths"]?.objectMembers ?? [] where Self.isOfClients(path.key) {
            for operation in path.value.objectMembers {
                operations.append(try ClientOperation(operation.key.uppercased(), path.key, operation.value, named))
            }
        }
        for message in asyncAPI["components"]?["messages"]?.objectMembers ?? [] {
            guard let name = message.value["payload"]?["$ref"]?.string?.lastComponent else {
                throw ClientInterfaceFault(place: message.key, reason: "the payload has no name")
            }
            if message.key.hasPrefix("client.") { clientFrames.append(name) } else { serverFrames.append(name) }
        }
        guard Set(operations.map(\.name)).count == operations.count else {
            throw ClientInterfaceFault(place: "operationId", reason: "two routes have one name")
        }
    }

    private static func isOfClients(_ path: String) -> Bool { path.hasPrefix("/api/v1/") && !streams.contains(path) }
}

/// A named type.
struct ClientDeclaration {
    let name: String
    let summary: String
    let type: ClientType
}

/// A member of an object, or a parameter of a route.
struct ClientMember: Hashable {
    let name: String
    let type: ClientType
    let isRequired: Bool
    let summary: String
}

/// The type of a JSON value.
indirect enum ClientType: Hashable {
    case text
    case whole
    case number
    case boolean
    case null
    case any
    case words([String])
    case named(String)
    case list(ClientType)
    case choice([ClientType])
    /// An object. `further` is the type of members that are not known; nil if there are none.
    case object([ClientMember], further: ClientType?)

    /// Reads a schema.
    init(_ schema: JSONValue, at place: String) throws {
        if let name = schema["$ref"]?.string?.lastComponent {
            self = .named(name)
        } else if let choices = schema["anyOf"]?.array {
            self = .choice(try choices.map { try ClientType($0, at: place) })
        } else if let word = schema["const"]?.string {
            self = .words([word])
        } else if let words = schema["enum"]?.array {
            self = .words(words.compactMap(\.string))
        } else if schema["type"] == nil {
            self = .any
        } else {
            switch schema["type"]?.string {
            case "string": self = .text
            case "integer": self = .whole
            case "number": self = .number
            case "boolean": self = .boolean
            case "null": self = .null
            case "array": self = .list(try ClientType(schema["items"] ?? .null, at: "\(place)/-"))
            case "object": self = try Self.object(schema, at: place)
            default: throw ClientInterfaceFault(place: place, reason: "the type of the schema is unknown")
            }
        }
    }

    private static func object(_ schema: JSONValue, at place: String) throws -> ClientType {
        let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
        let members = try (schema["properties"]?.objectMembers ?? []).map { property in
            ClientMember(
                name: property.key, type: try ClientType(property.value, at: "\(place)/\(property.key)"),
                isRequired: required.contains(property.key), summary: property.value["description"]?.string ?? "")
        }
        switch schema["additionalProperties"] {
        case .bool(false): return .object(members, further: nil)
        case .object(let further): return .object(members, further: try ClientType(.object(further), at: "\(place)/*"))
        default: return .object(members, further: .any)
        }
    }
}

/// A route.
struct ClientOperation {
    /// The `operationId`: the method and the path in words.
    let name: String
    let method: String
    let path: String
    let summary: String
    /// The names of the parameters in the path, in their order.
    let segments: [String]
    let query: [ClientMember]
    let body: ClientType?
    let isBodyOptional: Bool
    /// Nil for an answer without a body.
    let answer: ClientType?
    /// True if the route honours an `Idempotency-Key`.
    let takesKey: Bool
    /// The type of one element, for a list with pages.
    let element: ClientType?

    init(_ method: String, _ path: String, _ row: JSONValue, _ named: [String: JSONValue]) throws {
        guard let name = row["operationId"]?.string, !name.isEmpty else {
            throw ClientInterfaceFault(place: "\(method) \(path)", reason: "the route has no name")
        }
        let parameters = row["parameters"]?.array ?? []
        let body = row["requestBody"]
        let success = (row["responses"]?.objectMembers ?? []).first { $0.key.hasPrefix("2") }?.value
        let answer = success?["content"]?["application/json"]?["schema"]
        // A dash is in paths, and in no language's names.
        self.name = name.replacing("-", with: "_")
        self.method = method
        self.path = path
        self.summary = row["summary"]?.string ?? ""
        self.segments = parameters.filter { $0["in"] == "path" }.compactMap { $0["name"]?.string }
        self.query = try parameters.filter { $0["in"] == "query" }.map { parameter in
            ClientMember(
                name: parameter["name"]?.string ?? "", type: try ClientType(parameter["schema"] ?? .null, at: name),
                isRequired: parameter["required"]?.bool ?? false, summary: parameter["description"]?.string ?? "")
        }
        self.body = try (body?["content"]?["application/json"]?["schema"]).map { try ClientType($0, at: "\(name) body") }
        self.isBodyOptional = body?["required"]?.bool == false
        self.answer = try answer.map { try ClientType($0, at: "\(name) answer") }
        self.takesKey = parameters.contains { $0["name"] == "Idempotency-Key" }
        let items = (answer?["$ref"]?.string?.lastComponent).flatMap { named[$0] }?["properties"]?["items"]?["items"]
        let isPaged = query.contains { $0.name == "cursor" }
        self.element = try isPaged ? items.map { try ClientType($0, at: "\(name) items") } : nil
    }
}

/// A document that no client can be made from.
struct ClientInterfaceFault: Error, CustomStringConvertible {
    let place: String
    let reason: String

    var description: String { "\(place): \(reason)" }
}

extension JSONValue {
    /// The members of an object; none of any other value.
    var objectMembers: [JSONMember] { if case .object(let members) = self { members } else { [] } }
}

extension String {
    /// What follows the last slash.
    var lastComponent: String { split(separator: "/").last.map(String.init) ?? self }

    /// `get_me_location` as `getMeLocation`.
    var camelCased: String {
        let words = split(separator: "_")
        return words.dropFirst().reduce(words.first.map(String.init) ?? "") { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
    }

    /// The text as a literal of JSON, TypeScript and Python. It has no control characters.
    var quoted: String { "\"\(replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\"" }
}
