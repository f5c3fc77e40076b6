import SparkCore

/// The body of `POST /batch`.
struct BatchBody: RequestBody {
    private static let mostRequests = 20

    let requests: [BatchRequest]

    static let body = BodyFields<BatchBody>("Batch", "Requests that are carried out side by side.", make) {
        Field("requests", \.requests, .list(.object, 1...mostRequests), "In any order; the answers have the same one.")
    }

    private static func make(_ requests: [BatchRequest]) throws(Refusal) -> BatchBody {
        var ids = Set<JSONValue>()
        for (index, request) in requests.enumerated() where !ids.insert(request.id).inserted {
            throw Refusal("requests/\(index)/id", "duplicate", "An earlier request has the same id.")
        }
        return BatchBody(requests: requests)
    }
}

/// A request in a batch.
struct BatchRequest: RequestBody {
    /// The header fields that it may have. All others are the connection's, the batch's, or a proxy's.
    private static let fieldNames = [
        "Accept", "Accept-Language", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "User-Agent",
        "X-Request-Id",
    ]
    private static let longestField = 1_024
    private static let longestMethod = 16

    /// A string or an integer.
    let id: JSONValue
    let method: String
    let path: String
    let headers: [BatchField]
    /// The body; null if there is none.
    let content: JSONValue

    static let body = BodyFields<BatchRequest>("BatchRequest", "A request in a batch.", read: read) {
        Field("id", \.id, .batchID, "Chosen by the client, for the answer.")
        Field("method", \.method, .string(1...longestMethod).example("GET"))
        Field(
            "path", \.path, .string(1...RouteTable.longestTarget).example("/api/v1/me"),
            "The whole path below /api/v1, with its query.")
        Field(
            optional: "headers", { $0.headers }, BatchField.type("BatchRequestHeaders", fieldNames, 0...longestField),
            allowingNull: true, "In addition to those of the batch: its token, language and client apply to every request.")
        Field(
            optional: "body", { $0.content }, FieldType(.anyValue) { $0.write(to: &$1) }, isInExample: false,
            "JSON; null for no body.")
    }

    private static func read(from reader: inout ObjectReader) -> BatchRequest? {
        let id = id(from: &reader)
        let method = reader.value("method", format: "the name of a method") { isToken($0) ? $0 : nil }
        let path = path(from: &reader)
        let headers = headers(from: &reader)
        let body = reader.member("body", nullable: true)
        guard let id, let method, let path, let headers else { return nil }
        return BatchRequest(id: id, method: method, path: path, headers: headers, content: body ?? .null)
    }

    private static func id(from reader: inout ObjectReader) -> JSONValue? {
        reader.require("id")
        switch reader.member("id") {
        case .integer(let number): return .integer(number)
        case .string: return reader.optionalString("id", length: BatchField.idLength).map { .string($0) }
        case nil: return nil
        default:
            reader.refuse("id", "type", "A string or an integer is expected.")
            return nil
        }
    }

    private static func path(from reader: inout ObjectReader) -> String? {
        reader.require("path")
        guard let path = reader.optionalString("path", length: 1...RouteTable.longestTarget) else { return nil }
        guard isTarget(path) else {
            reader.refuse("path", "format", "Expected: a path that begins with /, or a URL of http or https, without spaces.")
            return nil
        }
        return path
    }

    private static func headers(from reader: inout ObjectReader) -> [BatchField]? {
        guard let value = reader.member("headers", nullable: true), !value.isNull else { return [] }
        guard case .object(let members) = value else {
            reader.refuse("headers", "type", "An object is expected.")
            return nil
        }
        var fields: [BatchField] = []
        for member in members {
            let key = member.key.lowercased()
            guard let name = fieldNames.first(where: { $0.lowercased() == key }) else {
                reader.refuse("headers", "unknown", "A request may have only: \(fieldNames.joined(separator: ", ")).")
                return nil
            }
            guard !fields.contains(where: { $0.name == name }) else {
                reader.refuse("headers/\(name)", "duplicate", "The field is given twice.")
                return nil
            }
            guard let text = member.value.string, text.unicodeScalars.count <= longestField, isFieldValue(text) else {
                reader.refuse(
                    "headers/\(name)", "format", "Expected: a string of at most \(longestField) characters, in one line.")
                return nil
            }
            fields.append(BatchField(name: name, value: trimmed(text)))
        }
        return fields
    }

    /// Whether a text can be the name of a method (RFC 9110, 5.6.2).
    private static func isToken(_ text: String) -> Bool {
        (1...longestMethod).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
                    || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
    }

    /// Whether a text can be the target of a request, in origin form or absolute form (RFC 9112, 3.2).
    private static func isTarget(_ text: String) -> Bool {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return false }
        return text.utf8.first == UInt8(ascii: "/") || text.contains("://") && RequestTarget.isWellFormed(text)
    }

    /// Whether a text can be the value of a field (RFC 9110, 5.5): it has no control characters but tabs.
    private static func isFieldValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace: (Unicode.Scalar) -> Bool = { $0 == " " || $0 == "\t" }
        var scalars = text.unicodeScalars.drop(while: isSpace)
        while let last = scalars.last, isSpace(last) { scalars.removeLast() }
        return String(scalars)
    }
}

/// A header field of a request in a batch, or of its answer.
struct BatchField: Sendable {
    static let idLength = 1...64

    let name: String
    let value: String

    /// The type of an object that has some of these fields.
    static func type(_ schema: String, _ names: [String], _ length: ClosedRange<Int>? = nil) -> FieldType<[BatchField]> {
        let object = Schema.object(names.map { .optional($0, .string(length)) })
            .with(example: ["X-Request-Id": "my-request-1"])
        return FieldType(object.named(schema, "Header fields by name.")) { fields, writer in
            writer.object { writer in
                for field in fields { writer.field(field.name, field.value) }
            }
        }
    }
}

extension FieldType where Value == JSONValue {
    /// The id of a request in a batch.
    static var batchID: FieldType {
        FieldType(Schema.anyOf([.string(BatchField.idLength), .integer()]).with(example: "profile")) { $0.write(to: &$1) }
    }
}

/// The answer to a request in a batch.
struct BatchResponse: JSONObject {
    let id: JSONValue
    let status: Int
    let headers: [BatchField]
    /// JSON text.
    let body: [UInt8]

    static let fields = Fields<BatchResponse>("BatchResponse", "The answer to a request of a batch.") {
        Field("id", \.id, .batchID)
        Field("status", \.status, .integer(200...599))
        Field("headers", \.headers, BatchField.type("BatchResponseHeaders", CrossOriginSharing.answerFields))
        Field("body", \.body, .written(.anyValue), "What the route answers alone; null without a body.")
    }
}

/// The answer to `POST /batch`.
struct BatchAnswer: JSONObject {
    let responses: [BatchResponse]

    static let fields = Fields<BatchAnswer>("BatchAnswer", "The answers, in the order of the requests.") {
        Field("responses", \.responses)
    }
}
