/// A JSON Schema (2020-12, as in OpenAPI 3.1), with an example and with the named schemas that it refers to.
public struct Schema: Hashable, Sendable {
    /// The schema as JSON. Refers to named schemas below `#/components/schemas/`.
    public let json: JSONValue
    /// A value that the schema accepts.
    public let example: JSONValue
    /// The named schemas that this schema refers to, directly or through others.
    public let components: [SchemaReference]

    /// A schema from its JSON.
    /// - Parameter example: A value that the schema accepts.
    public init(_ json: JSONValue, example: JSONValue = .null) { self.init(json, example: example, components: []) }

    private init(_ json: JSONValue, example: JSONValue, components: [SchemaReference]) {
        self.json = json
        self.example = example
        self.components = components
    }

    /// True or false.
    public static let boolean = Schema(["type": "boolean"], example: true)
    /// A time as in RFC 3339.
    public static let dateTime = Schema(["type": "string", "format": "date-time"], example: "2026-03-01T09:30:00.250Z")
    /// A day, `YYYY-MM-DD`.
    public static let date = Schema(["type": "string", "format": "date"], example: "1990-05-05")

    /// A string, with a length in characters if given.
    public static func string(_ length: ClosedRange<Int>? = nil) -> Schema {
        var members = [JSONMember("type", "string")]
        if let length {
            members.append(JSONMember("minLength", .integer(Int64(length.lowerBound))))
            members.append(JSONMember("maxLength", .integer(Int64(length.upperBound))))
        }
        let (least, most) = (length?.lowerBound ?? 0, length?.upperBound ?? .max)
        let text = most < 4 ? "a" : "text"
        return Schema(.object(members), example: .string(text + String(repeating: "t", count: max(0, least - text.count))))
    }

    /// An integer, within a range if given.
    public static func integer(_ range: ClosedRange<Int>? = nil) -> Schema {
        var members = [JSONMember("type", "integer")]
        if let range {
            members.append(JSONMember("minimum", .integer(Int64(range.lowerBound))))
            members.append(JSONMember("maximum", .integer(Int64(range.upperBound))))
        }
        let number = range.map { min(max(1, $0.lowerBound), $0.upperBound) } ?? 1
        return Schema(.object(members), example: .integer(Int64(number)))
    }

    /// A number, within a range if given.
    public static func number(_ range: ClosedRange<Double>? = nil) -> Schema {
        var members = [JSONMember("type", "number")]
        if let range {
            members.append(JSONMember("minimum", .number(range.lowerBound)))
            members.append(JSONMember("maximum", .number(range.upperBound)))
        }
        return Schema(.object(members), example: .number(range.map { min(max(0.5, $0.lowerBound), $0.upperBound) } ?? 0.5))
    }

    /// Exactly this string.
    public static func constant(_ text: String) -> Schema {
        Schema(["type": "string", "const": .string(text)], example: .string(text))
    }

    /// One of these strings.
    public static func oneOf(_ values: [String]) -> Schema {
        Schema(
            ["type": "string", "enum": .array(values.map { .string($0) })],
            example: values.first.map { .string($0) } ?? .null)
    }

    /// The wire form of one kind of identifier, as a named schema: `UserKind` has the name `UserID`.
    public static func identifier<Kind: IdentifierKind>(_ kind: Kind.Type) -> Schema {
        let word = "\(Kind.self)"
        let name = (word.hasSuffix("Kind") ? String(word.dropLast(4)) : word) + "ID"
        return Schema(
            ["type": "string", "pattern": .string("^\(Kind.prefix)_[0-7][0-9a-hjkmnp-tv-z]{12}$")],
            example: .string(Identifier<Kind>(rawValue: 0x0123_4567_89AB_CDEF).wire)
        ).named(name)
    }

    /// An array, with bounds of its length if given.
    public static func list(_ element: Schema, count: ClosedRange<Int>? = nil, unique: Bool = false) -> Schema {
        var members = [JSONMember("type", "array"), JSONMember("items", element.json)]
        if let count {
            members.append(JSONMember("minItems", .integer(Int64(count.lowerBound))))
            members.append(JSONMember("maxItems", .integer(Int64(count.upperBound))))
        }
        if unique { members.append(JSONMember("uniqueItems", true)) }
        let isEmpty = element.example == .null || count?.upperBound == 0
        return Schema(.object(members), example: .array(isEmpty ? [] : [element.example]), components: element.components)
    }

    /// The schema, or null.
    public static func nullable(_ schema: Schema) -> Schema {
        Schema(["anyOf": [schema.json, ["type": "null"]]], example: schema.example, components: schema.components)
    }

    /// One of several schemas.
    public static func anyOf(_ schemas: [Schema]) -> Schema {
        Schema(
            ["anyOf": .array(schemas.map(\.json))], example: schemas.first?.example ?? .null,
            components: schemas.reduce(into: []) { merge($1.components, into: &$0) })
    }

    /// An object with exactly these members.
    public static func object(_ properties: [Property]) -> Schema {
        let required = properties.filter(\.isRequired).map { JSONValue.string($0.name) }
        return Schema(
            [
                "type": "object",
                "properties": .object(properties.map { JSONMember($0.name, $0.json) }),
                "required": .array(required),
                "additionalProperties": false,
            ],
            example: .object(properties.filter(\.isInExample).map { JSONMember($0.name, $0.schema.example) }),
            components: properties.reduce(into: []) { merge($1.schema.components, into: &$0) })
    }

    /// An object whose members are not known here, because the modules of the server decide them.
    /// - Parameters:
    ///   - value: The schema of the members.
    ///   - properties: Members that are known.
    public static func map(of value: Schema, besides properties: [Property] = [], example: JSONValue) -> Schema {
        let known = object(properties)
        var components = known.components
        merge(value.components, into: &components)
        var members: [JSONMember] = []
        if case .object(let all) = known.json {
            members = all.filter { $0.key == "type" || !properties.isEmpty && $0.key != "additionalProperties" }
        }
        members.append(JSONMember("additionalProperties", value.json))
        return Schema(.object(members), example: example, components: components)
    }

    /// Any JSON value. The only schema that is left open: a list of all types would need one for the elements of arrays, and
    /// generators do not follow a schema into itself.
    public static let anyValue = Schema([:], example: "text").named("JSONValue", "Any JSON value.")

    /// `{"items": […], "next_cursor": …|null}`, with further members if given.
    public static func page(of element: Schema, and further: [Property] = []) -> Schema {
        .object([.required("items", .list(element)), .required("next_cursor", .nullable(.cursor))] + further)
    }

    /// The position after a page, as the server writes it.
    static let cursor = string().named("Cursor", "Where the next page begins; give it back as it is.")
        .with(example: "AZ4vbmV4dA")

    /// A reference to this schema under a name in `components`.
    public func named(_ name: String, _ summary: String = "") -> Schema {
        let reference = SchemaReference(name, described(summary))
        return Schema(
            ["$ref": .string("#/components/schemas/\(name)")], example: example, components: components + [reference])
    }

    /// The schema with a text for people.
    public func described(_ summary: String) -> Schema {
        guard !summary.isEmpty, case .object(let members) = json else { return self }
        let others = members.filter { $0.key != "description" }
        return Schema(
            .object(others + [JSONMember("description", .string(summary))]), example: example, components: components)
    }

    /// The schema with another example.
    public func with(example: JSONValue) -> Schema { Schema(json, example: example, components: components) }

    /// Adds the references that are new.
    private static func merge(_ more: [SchemaReference], into all: inout [SchemaReference]) {
        for reference in more where !all.contains(reference) { all.append(reference) }
    }

    /// One member of an object.
    public struct Property: Sendable {
        let name: String
        let schema: Schema
        let isRequired: Bool
        let isInExample: Bool
        let summary: String

        var json: JSONValue { schema.described(summary).json }

        func required(_ isRequired: Bool) -> Property {
            Property(name: name, schema: schema, isRequired: isRequired, isInExample: isInExample, summary: summary)
        }

        /// A member that is always present.
        /// - Parameter summary: What the member means, for people.
        public static func required(_ name: String, _ schema: Schema, _ summary: String = "") -> Property {
            Property(name: name, schema: schema, isRequired: true, isInExample: true, summary: summary)
        }

        /// A member that may be absent.
        /// - Parameters:
        ///   - summary: What the member means, for people.
        ///   - isInExample: False if the member excludes another one that the example has.
        public static func optional(
            _ name: String, _ schema: Schema, _ summary: String = "", isInExample: Bool = true
        ) -> Property {
            Property(name: name, schema: schema, isRequired: false, isInExample: isInExample, summary: summary)
        }
    }
}

/// A named schema, as OpenAPI lists it under `components`.
public struct SchemaReference: Hashable, Sendable {
    /// The name under `components`.
    public let name: String
    /// The schema itself.
    public let schema: Schema

    /// Names a schema.
    public init(_ name: String, _ schema: Schema) {
        self.name = name
        self.schema = schema
    }

    /// The schema that a type declares.
    public static func of(_ type: (some SchemaDescribed).Type) -> SchemaReference {
        SchemaReference(type.schemaName, type.schema)
    }

    /// A page of values of a type, with `items`, `next_cursor` and further members.
    public static func page(of type: (some SchemaDescribed).Type, and further: [Schema.Property] = []) -> SchemaReference {
        SchemaReference(
            "\(type.schemaName)Page", .page(of: type.reference, and: further).described("A page of a list."))
    }
}

/// A type that declares its JSON Schema and the schema's name in OpenAPI.
public protocol SchemaDescribed {
    /// The name under `components` in the OpenAPI document.
    static var schemaName: String { get }
    /// The schema of the type's JSON.
    static var schema: Schema { get }
}

extension SchemaDescribed {
    /// A reference to the schema by its name.
    public static var reference: Schema { schema.named(schemaName) }
}
