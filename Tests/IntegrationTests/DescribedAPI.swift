import Foundation
import SparkCore

/// The API as its own OpenAPI document describes it.
struct DescribedAPI: Sendable {
    struct Operation: Sendable {
        let method: String
        let path: String
        /// Parameters as the document has them.
        let parameters: [JSONValue]
        let body: JSONValue?
        /// Schemas of the answers by status; nil for an answer without body.
        let answers: [Int: JSONValue?]

        var name: String { "\(method) \(path)" }
    }

    let operations: [Operation]
    private let schemas: JSONValue

    init(_ document: JSONValue) {
        self.schemas = document["components"]?["schemas"] ?? .null
        self.operations = (document["paths"]?.members ?? []).flatMap { path in
            path.value.members.compactMap { Self.operation($0.key.uppercased(), path.key, $0.value) }
        }
    }

    /// Nil for answers that are not JSON, such as a stream.
    private static func operation(_ method: String, _ path: String, _ row: JSONValue) -> Operation? {
        // These wait for events or never end.
        if ["/poll", "/stream", "/ws"].contains(where: path.hasSuffix) { return nil }
        // These need the token of the ready line, and change everybody's state.
        if path.hasPrefix("/__test__/") { return nil }
        var answers: [Int: JSONValue?] = [:]
        for answer in row["responses"]?.members ?? [] {
            guard let status = Int(answer.key), status < 400 else { continue }
            let content = answer.value["content"]
            if content != nil, content?["application/json"] == nil { return nil }
            answers[status] = .some(content?["application/json"]?["schema"])
        }
        return Operation(
            method: method, path: path, parameters: row["parameters"]?.array ?? [],
            body: row["requestBody"]?["content"]?["application/json"]?["schema"], answers: answers)
    }

    /// The schema itself, for a reference.
    func resolved(_ schema: JSONValue) -> JSONValue {
        guard let name = schema["$ref"]?.string?.split(separator: "/").last else { return schema }
        return schemas[String(name)] ?? .null
    }

    /// The first place at which a value violates the schema; nil if it does not.
    func fault(of value: JSONValue, against given: JSONValue, at place: String = "") -> String? {
        let schema = resolved(given)
        if let choices = schema["anyOf"]?.array {
            return choices.contains { fault(of: value, against: $0, at: place) == nil } ? nil : "\(place): none of anyOf"
        }
        if let words = schema["enum"]?.array, !words.contains(value) { return "\(place): not in enum" }
        if let number = value.double {
            if let least = schema["minimum"]?.double, number < least { return "\(place): below minimum" }
            if let most = schema["maximum"]?.double, number > most { return "\(place): above maximum" }
        }
        switch (schema["type"]?.string, value) {
        case (nil, _), ("boolean", .bool), ("integer", .integer), ("number", .integer), ("number", .number), ("null", .null):
            return nil
        case ("string", .string(let text)): return fault(of: text, against: schema, at: place)
        case ("array", .array(let elements)):
            let items = schema["items"] ?? .null
            return elements.lazy.enumerated().compactMap { fault(of: $1, against: items, at: "\(place)/\($0)") }.first
        case ("object", .object(let members)): return fault(of: members, against: schema, at: place)
        case (let type, _): return "\(place): no \(type ?? "")"
        }
    }

    private func fault(of text: String, against schema: JSONValue, at place: String) -> String? {
        let count = Int64(text.unicodeScalars.count)
        if let least = schema["minLength"]?.integer, count < least { return "\(place): too short" }
        if let most = schema["maxLength"]?.integer, count > most { return "\(place): too long" }
        guard let pattern = schema["pattern"]?.string else { return nil }
        let isMatch = (try? Regex(pattern)).map { text.firstMatch(of: $0) != nil } ?? false
        return isMatch ? nil : "\(place): against the pattern"
    }

    private func fault(of members: [JSONMember], against schema: JSONValue, at place: String) -> String? {
        let keys = Set(members.map(\.key))
        for name in schema["required"]?.array ?? [] where !keys.contains(name.string ?? "") {
            return "\(place): lacks \(name.string ?? "")"
        }
        for member in members {
            guard let property = schema["properties"]?[member.key] else {
                guard let further = schema["additionalProperties"] else { continue }
                if further == false { return "\(place)/\(member.key): unknown" }
                if let fault = fault(of: member.value, against: further, at: "\(place)/\(member.key)") { return fault }
                continue
            }
            if let fault = fault(of: member.value, against: property, at: "\(place)/\(member.key)") { return fault }
        }
        return nil
    }
}

extension JSONValue {
    var members: [JSONMember] { if case .object(let members) = self { members } else { [] } }
}
