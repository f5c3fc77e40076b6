/// A JSON Schema (2020-12, as OpenAPI 3.1 uses it), declared beside the type it describes.
public struct Schema: Hashable, Sendable {
    public let json: JSONValue

    public init(_ json: JSONValue) { self.json = json }

    public static let boolean = Schema(["type": "boolean"])
    public static let dateTime = Schema(["type": "string", "format": "date-time"])
    public static let date = Schema(["type": "string", "format": "date"])
    /// Any value.
    public static let any = Schema(.object([]))

    public static func string(_ length: ClosedRange<Int>? = nil) -> Schema {
        var members = [JSONMember("type", "string")]
        if let length {
            members.append(JSONMember("minLength", .integer(Int64(length.lowerBound))))
            members.append(JSONMember("maxLength", .integer(Int64(length.upperBound))))
        }
        return Schema(.object(members))
    }

    public static func integer(_ range: ClosedRange<Int>? = nil) -> Schema {
        var members = [JSONMember("type", "integer")]
        if let range {
            members.append(JSONMember("minimum", .integer(Int64(range.lowerBound))))
            members.append(JSONMember("maximum", .integer(Int64(range.upperBound))))
        }
        return Schema(.object(members))
    }

    public static func number(_ range: ClosedRange<Double>? = nil) -> Schema {
        var members = [JSONMember("type", "number")]
        if let range {
            members.append(JSONMember("minimum", .number(range.lowerBound)))
            members.append(JSONMember("maximum", .number(range.upperBound)))
        }
        return Schema(.object(members))
    }

    /// Exactly this text.
    public static func constant(_ text: String) -> Schema { Schema(["type": "string", "const": .string(text)]) }

    public static func oneOf(_ values: [String]) -> Schema {
        Schema(["type": "string", "enum": .array(values.map { .string($0) })])
    }

    /// The wire form of one kind of identifier.
    public static func identifier<Kind: IdentifierKind>(_ kind: Kind.Type) -> Schema {
        Schema(["type": "string", "pattern": .string("^\(Kind.prefix)_[0-7][0-9a-hjkmnp-tv-z]{12}$")])
    }

    public static func list(_ element: Schema, count: ClosedRange<Int>? = nil, unique: Bool = false) -> Schema {
        var members = [JSONMember("type", "array"), JSONMember("items", element.json)]
        if let count {
            members.append(JSONMember("minItems", .integer(Int64(count.lowerBound))))
            members.append(JSONMember("maxItems", .integer(Int64(count.upperBound))))
        }
        if unique { members.append(JSONMember("uniqueItems", true)) }
        return Schema(.object(members))
    }

    public static func nullable(_ schema: Schema) -> Schema {
        Schema(["anyOf": [schema.json, ["type": "null"]]])
    }

    /// An object of exactly these members.
    public static func object(_ properties: [Property]) -> Schema {
        let required = properties.filter(\.isRequired).map { JSONValue.string($0.name) }
        return Schema([
            "type": "object",
            "properties": .object(properties.map { JSONMember($0.name, $0.schema.json) }),
            "required": .array(required),
            "additionalProperties": false,
        ])
    }

    /// `{"items": […], "next_cursor": …|null}`, with further members if given.
    public static func page(of element: Schema, and further: [Property] = []) -> Schema {
        .object([.required("items", .list(element)), .required("next_cursor", .nullable(.string()))] + further)
    }

    /// One member of an object.
    public struct Property: Sendable {
        let name: String
        let schema: Schema
        let isRequired: Bool

        public static func required(_ name: String, _ schema: Schema) -> Property {
            Property(name: name, schema: schema, isRequired: true)
        }

        public static func optional(_ name: String, _ schema: Schema) -> Property {
            Property(name: name, schema: schema, isRequired: false)
        }
    }
}

/// A type that declares its JSON Schema and the name under which OpenAPI lists it.
public protocol SchemaDescribed {
    static var schemaName: String { get }
    static var schema: Schema { get }
}
