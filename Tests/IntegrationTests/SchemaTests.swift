import SparkCore
import SparkTestSupport
import Testing

/// What the documents must have, so that programs can make clients from them.
@Suite("Schemas of the API")
struct SchemaTests {
    /// The only schema that is left open.
    private static let anything = "JSONValue"
    /// Answers without a body.
    private static let bodiless: Set<String> = ["101", "204", "304"]

    @Test("every body and answer has an example that its own schema accepts")
    func examples() async throws {
        let document = try await document()
        let api = DescribedAPI(document)
        var count = 0
        for operation in operations(of: document) {
            for answer in operation.value["responses"]?.members ?? [] where !Self.bodiless.contains(answer.key) {
                #expect(answer.value["content"] != nil, "\(operation.key) \(answer.key) has no description of its body")
            }
            for (place, content) in contents(of: operation.value) {
                let example = try #require(content["example"], "\(operation.key) \(place) has no example")
                let fault = api.fault(of: example, against: content["schema"] ?? .null)
                #expect(fault == nil, "\(operation.key) \(place)")
                count += 1
            }
        }
        #expect(count > 10)
    }

    @Test("every object, enumeration and list element has a name, and nothing is left open")
    func names() async throws {
        let document = try await document()
        var (seen, unnamed): (Set<String>, [String]) = ([], [])
        for operation in operations(of: document) {
            for (place, content) in contents(of: operation.value) {
                walk(content["schema"] ?? .null, "\(operation.key) \(place)", isNamed: false, document, &seen, &unnamed)
            }
        }
        #expect(unnamed.isEmpty, "\(unnamed)")
        #expect(seen.isSuperset(of: ["Suggestion", "Card", "SwipeAction", "UserID", "PushKind", "WebPushKeys"]))
    }

    @Test("every parameter that takes words takes those of a named enumeration")
    func parameters() async throws {
        let document = try await document()
        var (seen, unnamed): (Set<String>, [String]) = ([], [])
        for path in document["paths"]?.members ?? [] {
            for operation in path.value.members {
                for parameter in operation.value["parameters"]?.array ?? [] {
                    let place = "\(operation.key) \(path.key) \(parameter["name"]?.string ?? "")"
                    let schema = parameter["schema"] ?? .null
                    walk(schema, place, isNamed: false, document, &seen, &unnamed)
                }
            }
        }
        #expect(unnamed.isEmpty, "\(unnamed)")
        #expect(seen.isSuperset(of: ["PersonExtent", "PersonMember"]))
    }

    @Test("no schema is empty but the one for any JSON value")
    func empty() async throws {
        let document = try await document()
        for schema in document["components"]?["schemas"]?.members ?? [] {
            let says = Set(schema.value.members.map(\.key)).subtracting(["description"])
            #expect(says.isEmpty == (schema.key == Self.anything), "\(schema.key)")
        }
        let text = JSONWriter.string(of: document["components"] ?? .null)
        #expect(!text.contains("{}"))
    }

    @Test("every operation has a name of its own, of letters, digits, dashes and underscores")
    func operationNames() async throws {
        let names = try await operations(of: document()).map { $0.value["operationId"]?.string ?? "" }
        #expect(Set(names).count == names.count && names.count > 40)
        for name in names { #expect(name.wholeMatch(of: #/[a-z]+(?:_[A-Za-z0-9-]+)*/#) != nil, "\(name)") }
    }

    private func document() async throws -> JSONValue {
        let run = try await SparkProcess.run(["openapi", "--fixture"])
        return try JSONParser.parse(Array(run.output.utf8))
    }

    /// The operations, by name.
    private func operations(of document: JSONValue) -> [JSONMember] {
        (document["paths"]?.members ?? []).flatMap { path in
            path.value.members.map { JSONMember("\($0.key.uppercased()) \(path.key)", $0.value) }
        }
    }

    /// What an operation reads and answers.
    private func contents(of operation: JSONValue) -> [(String, JSONValue)] {
        let answers = (operation["responses"]?.members ?? []).map { ($0.key, $0.value["content"]) }
        return ([("body", operation["requestBody"]?["content"])] + answers).compactMap { place, content in
            (content?.members.first?.value).map { (place, $0) }
        }
    }

    private func walk(
        _ schema: JSONValue, _ place: String, isNamed: Bool, _ document: JSONValue, _ seen: inout Set<String>,
        _ unnamed: inout [String]
    ) {
        if let name = schema["$ref"]?.string?.split(separator: "/").last.map(String.init) {
            guard seen.insert(name).inserted else { return }
            guard name != Self.anything else { return }
            let named = document["components"]?["schemas"]?[name] ?? .null
            return walk(named, name, isNamed: true, document, &seen, &unnamed)
        }
        for choice in schema["anyOf"]?.array ?? [] { walk(choice, place, isNamed: isNamed, document, &seen, &unnamed) }
        if let items = schema["items"] {
            if items["$ref"] == nil { unnamed.append("\(place): elements") }
            walk(items, "\(place)/-", isNamed: false, document, &seen, &unnamed)
        }
        for property in schema["properties"]?.members ?? [] {
            walk(property.value, "\(place)/\(property.key)", isNamed: false, document, &seen, &unnamed)
        }
        if let value = schema["additionalProperties"], value != false {
            walk(value, "\(place)/*", isNamed: false, document, &seen, &unnamed)
        }
        let isOpen =
            schema["type"] == nil && schema["anyOf"] == nil
            || schema["type"] == "object" && schema["additionalProperties"] == nil
        if isOpen || !isNamed && (schema["enum"] != nil || schema["type"] == "object") { unnamed.append(place) }
    }
}
