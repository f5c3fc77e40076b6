/// A JSON Schema (2020-12, as in OpenAPI 3.1), declared next to the type that it describes.
public struct Schema: Hashable, Sendable {
    /// The schema as JSON.
    public let json: JSONValue

    /// A schema from its JSON.
    public init(_ json: JSONValue) { self.json = json }

    /// True or false.
    public static let boolean = Schema(["type": "boolean"])
    /// A time as in RFC 3339.
    public static let dateTime = Schema(["type": "string", "format": "date-time"])
    /// A day, `YYYY-MM-DD`.
    public static let date = Schema(["type": "string", "format": "date"])
    /// Any value.
    public static let any = Schema(.object([]))

    /// A string, with a length in characters if given.
    public static func string(_ length: ClosedRange<Int>? = nil) -> Schema {
        var members = [JSONMember("type", "string")]
        if let length {
            members.append(JSONMember("minLength", .integer(Int64(length.lowerBound))))
            members.append(JSONMember("maxLength", .integer(Int64(length.upperBound))))
        }
        return Schema(.object(members))
    }

    /// An integer, within a range if given.
    public static func integer(_ range: ClosedRange<Int>? = nil) -> Schema {
        var members = [JSONMember("type", "integer")]
        if let range {
            members.append(JSONMember("minimum", .integer(Int64(range.lowerBound))))
            members.append(JSONMember("maximum", .integer(Int64(range.upperBound))))
        }
        return Schema(.object(members))
    }

    /// A number, within a range if given.
    public static func number(_ range: ClosedRange<Double>? = nil) -> Schema {
        var members = [JSONMember("type", "number")]
        if let range {
            members.append(JSONMember("minimum", .number(range.lowerBound)))
            members.append(JSONMember("maximum", .number(range.upperBound)))
        }
        return Schema(.object(members))
    }

    /// Exactly this string.
    public static func constant(_ text: String) -> Schema { Schema(["type": "string", "const": .string(text)]) }

    /// One of these strings.
    public static func oneOf(_ values: [String]) -> Schema {
        Schema(["type": "string", "enum": .array(values.map { .string($0) })])
    }

    /// The wire form of one kind of identifier.
    public static func identifier<Kind: IdentifierKind>(_ kind: Kind.Type) -> Schema {
        Schema(["type": "string", "pattern": .string("^\(Kind.prefix)_[0-7][0-9a-hjkmnp-tv-z]{12}$")])
    }

    /// An array, with bounds of its length if given.
    public static func list(_ element: Schema, count: ClosedRange<Int>? = nil, unique: Bool = false) -> Schema {
        var members = [JSONMember("type", "array"), JSONMember("items", element.json)]
        if let count {
            members.append(JSONMember("minItems", .integer(Int64(count.lowerBound))))
            members.append(JSONMember("maxItems", .integer(Int64(count.upperBound))))
        }
        if unique { members.append(JSONMember("uniqueItems", true)) }
        return Schema(.object(members))
    }

    /// The schema, or null.
    public static func nullable(_ schema: Schema) -> Schema {
        Schema(["anyOf": [schema.json, ["type": "null"]]])
    }

    /// An object with exactly these members.
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

        /// A member that is always present.
        public static func required(_ name: String, _ schema: Schema) -> Property {
            Property(name: name, schema: schema, isRequired: true)
        }

        /// A member that may be absent.
        public static func optional(_ name: String, _ schema: Schema) -> Property {
            Property(name: name, schema: schema, isRequired: false)
        }
    }
}

/// A type that declares its JSON Schema and the schema's name in OpenAPI.
public protocol SchemaDescribed {
    /// The name under `components` in the OpenAPI document.
    static var schemaName: String { get }
    /// The schema of the type's JSON.
    static var schema: Schema { get }
}
