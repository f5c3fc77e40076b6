/// A type's JSON object: its name and its members, in the order in which they are written.
public final class Fields<Root>: Sendable {
    /// The schema's name in OpenAPI.
    public let name: String
    /// The object's schema, with an example.
    public let schema: Schema
    /// The members, for a schema that contains them among others.
    public let properties: [Schema.Property]
    private let parts: [FieldPart<Root>]
    @usableFromInline let write: @Sendable (Root, inout JSONWriter) -> Void

    @usableFromInline
    init(
        _ name: String, _ summary: String, _ parts: [FieldPart<Root>], required: Set<String>?,
        write: @escaping @Sendable (Root, inout JSONWriter) -> Void
    ) {
        self.name = name
        self.parts = parts
        self.properties = parts.map { part in
            required.map { part.property.required($0.contains(part.property.name)) } ?? part.property
        }
        self.schema = Schema.object(properties).described(summary)
        self.write = write
    }

    /// Lists the fields of an answer.
    /// - Parameters:
    ///   - name: The schema's name in OpenAPI.
    ///   - summary: One sentence for the OpenAPI document.
    ///   - required: The members that are always present, if the client can leave out others; nil: as the fields say.
    @inlinable
    public convenience init<each Value>(
        _ name: String, _ summary: String, required: Set<String>? = nil,
        @FieldsBuilder<Root> _ fields: () -> FieldList<Root, repeat each Value>
    ) {
        let list = fields()
        self.init(name, summary, list.parts, required: required, write: list.write)
    }

    /// The fields as a part of another type's.
    @usableFromInline
    func parts<Outer>(inside get: @escaping @Sendable (Outer) -> Root) -> [FieldPart<Outer>] { parts.map { $0.inside(get) } }

    /// The members' names in their order.
    public var names: [String] { properties.map(\.name) }

    /// Writes the members without the braces.
    @inlinable
    public func writeMembers(of root: Root, to writer: inout JSONWriter) { write(root, &writer) }

    /// Writes some of the members without the braces.
    /// - Parameter isWritten: Whether to write the member of this name.
    public func writeMembers(of root: Root, to writer: inout JSONWriter, where isWritten: (String) -> Bool) {
        for part in parts where isWritten(part.property.name) { part.write(root, &writer) }
    }

    /// The members, for a schema in which only some are always present.
    public func properties(required: Set<String>) -> [Schema.Property] {
        properties.map { $0.required(required.contains($0.name)) }
    }
}

/// A type that is written as a JSON object, field by field.
public protocol JSONObject: JSONWritable, SchemaDescribed, FieldValue, Sendable {
    /// The one description of the fields.
    static var fields: Fields<Self> { get }
}

extension JSONObject {
    /// The name under `components` in the OpenAPI document.
    public static var schemaName: String { fields.name }
    /// The schema of the type's JSON.
    public static var schema: Schema { fields.schema }
    /// How the type is read, written and described.
    public static var fieldType: FieldType<Self> { .object }

    /// Writes the object.
    @inlinable
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        Self.fields.write(self, &writer)
        writer.endObject()
    }
}

extension JSONObject {
    /// The object as a value, for what takes JSON values: exports and answers to operators.
    public var json: JSONValue { (try? JSONParser.parse(JSONWriter.bytes(of: self))) ?? .null }
}

/// A faulty combination of values that are right one by one.
public struct Refusal: Error, Hashable, Sendable {
    let key: String
    let reason: String
    let detail: String

    /// Refuses a member.
    /// - Parameters:
    ///   - key: The member's name.
    ///   - reason: A stable word: `range`, `format`, `duplicate`.
    ///   - detail: A constant text for people.
    public init(_ key: String, _ reason: String, _ detail: String) {
        self.key = key
        self.reason = reason
        self.detail = detail
    }
}

extension ObjectReader {
    /// Records a refusal.
    @usableFromInline
    mutating func refuse(_ refusal: Refusal) { refuse(refusal.key, refusal.reason, refusal.detail) }
}

/// The fields of a type that is read from JSON, and how a value is made of them.
public final class BodyFields<Root>: Sendable {
    /// The fields as they are written and described.
    public let fields: Fields<Root>
    private let names: [String]
    @usableFromInline let readMembers: @Sendable (inout ObjectReader) -> Root?

    @usableFromInline
    init(_ fields: Fields<Root>, readMembers: @escaping @Sendable (inout ObjectReader) -> Root?) {
        self.fields = fields
        self.names = fields.properties.map(\.name)
        self.readMembers = readMembers
    }

    /// Lists the fields of a body.
    /// - Parameters:
    ///   - name: The schema's name in OpenAPI.
    ///   - summary: One sentence for the OpenAPI document.
    ///   - make: Makes the value, mostly the memberwise initializer. It may refuse a combination of values. It is called only if
    ///     every field was accepted.
    ///   - fields: The fields in the order of the parameters of `make`.
    @inlinable
    public convenience init<each Value>(
        _ name: String, _ summary: String, _ make: @escaping @Sendable (repeat each Value) throws(Refusal) -> Root,
        @FieldsBuilder<Root> _ fields: () -> FieldList<Root, repeat each Value>
    ) {
        let list = fields()
        let reads = (repeat (each list.fields).readOrTrap)
        self.init(Fields(name, summary, list.parts, required: nil, write: list.write)) { reader in
            let values = (repeat (each reads)(&reader))
            do {
                return try make(repeat try present(each values))
            } catch {
                if let refusal = error as? Refusal { reader.refuse(refusal) }
                return nil
            }
        }
    }

    /// Lists the fields of a body that are not read one by one, because one decides how another is read.
    /// - Parameters:
    ///   - name: The schema's name in OpenAPI.
    ///   - summary: One sentence for the OpenAPI document.
    ///   - read: Reads the value with `Field.read`; nil after recording a violation.
    @inlinable
    public convenience init<each Value>(
        _ name: String, _ summary: String, read: @escaping @Sendable (inout ObjectReader) -> Root?,
        @FieldsBuilder<Root> _ fields: () -> FieldList<Root, repeat each Value>
    ) {
        let list = fields()
        self.init(Fields(name, summary, list.parts, required: nil, write: list.write), readMembers: read)
    }

    /// Reads the members of an object.
    /// - Returns: The value; nil after recording at least one violation.
    public func read(from reader: inout ObjectReader) -> Root? {
        reader.expect(names)
        return readMembers(&reader)
    }
}

/// Marks a value that was refused.
@usableFromInline
struct RefusedValue: Error {
    @usableFromInline init() {}
}

@inlinable
func present<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw RefusedValue() }
    return value
}

extension Field {
    /// Reads the field; traps if the field is one of answers only. Called when the list is made, at boot.
    @usableFromInline
    var readOrTrap: @Sendable (inout ObjectReader) -> Value? {
        guard let read else {
            preconditionFailure("The field \(parts.map(\.property.name)) cannot be read; give its type bounds.")
        }
        return read
    }

    /// Reads the field for `BodyFields(read:)`; nil after recording a violation.
    public func read(from reader: inout ObjectReader) -> Value? { readOrTrap(&reader) }
}

/// A type that is read from the body of a request, field by field.
public protocol RequestBody: JSONObject {
    /// The one description of the fields.
    static var body: BodyFields<Self> { get }
}

extension RequestBody {
    /// Reads an object.
    /// - Parameter allowingUnknown: True if additional members are ignored.
    /// - Throws: `InvalidInput` with every mistake in the object.
    public static func read(_ value: JSONValue, allowingUnknown: Bool = false) throws(InvalidInput) -> Self {
        var reader = try ObjectReader(value)
        let result = body.read(from: &reader)
        if allowingUnknown { try reader.finishAllowingUnknown() } else { try reader.finish() }
        guard let result else { throw .refused([]) }
        return result
    }

    /// The one description of the fields.
    public static var fields: Fields<Self> { body.fields }
    /// How the type is read, written and described.
    public static var fieldType: FieldType<Self> { .object }
}
