/// One entry in a type's list of fields: a member's name, where its value is, and how it is read, written and described.
public struct Field<Root, Value>: Sendable {
    /// The members of the object; more than one if the entry includes another type's list.
    let parts: [FieldPart<Root>]
    /// Nil for a field of answers, which is never read.
    let read: (@Sendable (inout ObjectReader) -> Value?)?
    @usableFromInline let write: @Sendable (Root, inout JSONWriter) -> Void

    @usableFromInline
    init(
        _ property: Schema.Property, read: (@Sendable (inout ObjectReader) -> Value?)?,
        write: @escaping @Sendable (Root, inout JSONWriter) -> Void
    ) {
        self.init([FieldPart(property: property, write: write)], read: read, write: write)
    }

    @usableFromInline
    init(
        _ parts: [FieldPart<Root>], read: (@Sendable (inout ObjectReader) -> Value?)?,
        write: @escaping @Sendable (Root, inout JSONWriter) -> Void
    ) {
        self.parts = parts
        self.read = read
        self.write = write
    }
}

/// One member of an object, and how it is written.
@usableFromInline
struct FieldPart<Root>: Sendable {
    let property: Schema.Property
    let write: @Sendable (Root, inout JSONWriter) -> Void

    /// The member of an object that contains this one's members among others.
    func inside<Outer>(_ get: @escaping @Sendable (Outer) -> Root) -> FieldPart<Outer> {
        let write = write
        return FieldPart<Outer>(property: property) { outer, writer in write(get(outer), &writer) }
    }
}

// A closure that writes a field is made here and not in the module of the type, but inlinable: the compiler then makes it for
// the type at hand, and reading the property costs no call.
extension Field {
    /// A member that is always present.
    @inlinable
    public init(
        _ name: String, _ get: @escaping @Sendable (Root) -> Value, _ type: FieldType<Value>, _ summary: String = ""
    ) {
        let (key, write) = (JSONKey(name), type.write)
        self.init(.required(name, type, summary), read: type.required(name)) { root, writer in
            writer.key(key)
            write(get(root), &writer)
        }
    }

    /// A member that is always present.
    @inlinable
    public init(_ name: String, _ get: @escaping @Sendable (Root) -> Value, _ summary: String = "") where Value: FieldValue {
        self.init(name, get, Value.fieldType, summary)
    }

    /// A member that may be absent when it is read, and then has a default.
    @inlinable
    public init(
        _ name: String, _ get: @escaping @Sendable (Root) -> Value, _ type: FieldType<Value>, default value: Value,
        _ summary: String = ""
    ) where Value: Sendable {
        let (key, write) = (JSONKey(name), type.write)
        self.init(.optional(name, type, summary), read: type.optional(name, default: value)) { root, writer in
            writer.key(key)
            write(get(root), &writer)
        }
    }

    /// A member that is left out if the value is nil.
    /// - Parameters:
    ///   - allowingNull: True if null counts as absent.
    ///   - isInExample: False if the member excludes another one that the example has.
    @inlinable
    public init<Wrapped>(
        optional name: String, _ get: @escaping @Sendable (Root) -> Wrapped?, _ type: FieldType<Wrapped>,
        allowingNull: Bool = false, isInExample: Bool = true, _ summary: String = ""
    ) where Value == Wrapped? {
        let (key, write) = (JSONKey(name), type.write)
        self.init(
            .optional(name, type, allowingNull: allowingNull, isInExample: isInExample, summary),
            read: type.optional(name, allowingNull: allowingNull)
        ) { root, writer in
            guard let value = get(root) else { return }
            writer.key(key)
            write(value, &writer)
        }
    }

    /// A member that is left out if the value is nil.
    @inlinable
    public init<Wrapped: FieldValue>(
        optional name: String, _ get: @escaping @Sendable (Root) -> Wrapped?, isInExample: Bool = true, _ summary: String = ""
    ) where Value == Wrapped? {
        self.init(optional: name, get, Wrapped.fieldType, isInExample: isInExample, summary)
    }

    /// All members of another type, without an object around them.
    @inlinable
    public init(membersOf get: @escaping @Sendable (Root) -> Value) where Value: JSONObject {
        let fields = Value.fields
        self.init(fields.parts(inside: get), read: nil) { root, writer in fields.write(get(root), &writer) }
    }

    /// All members of another type, without an object around them, as they were written before.
    @inlinable
    public init(writtenMembersOf get: @escaping @Sendable (Root) -> WrittenMembers<Value>) where Value: JSONObject {
        self.init(Value.fields.parts(inside: { get($0).value }), read: nil) { root, writer in writer.members(get(root).text) }
    }

    /// All members of another type, without an object around them.
    @inlinable
    public init(membersOf get: @escaping @Sendable (Root) -> Value) where Value: RequestBody {
        self.init(membersOf: get, as: Value.body)
    }

    /// All members of another type, without an object around them, for a list of fields that a configuration changes.
    @inlinable
    public init(membersOf get: @escaping @Sendable (Root) -> Value, as body: BodyFields<Value>) {
        self.init(body.fields.parts(inside: get), read: body.readMembers) { root, writer in
            body.fields.write(get(root), &writer)
        }
    }

    /// No member: one of this name is refused, whatever its value.
    public init(refusing name: String, _ reason: String, _ detail: String) where Value == Void {
        self.init(
            [],
            read: { reader in
                guard reader.has(name) else { return () }
                _ = reader.member(name, nullable: true)
                reader.refuse(name, reason, detail)
                return nil
            }, write: { _, _ in })
    }
}

extension Schema.Property {
    @usableFromInline
    static func required<Value>(_ name: String, _ type: FieldType<Value>, _ summary: String) -> Schema.Property {
        .required(name, type.schema, summary)
    }

    @usableFromInline
    static func optional<Value>(
        _ name: String, _ type: FieldType<Value>, allowingNull: Bool = false, isInExample: Bool = true, _ summary: String
    ) -> Schema.Property {
        .optional(name, allowingNull ? .nullable(type.schema) : type.schema, summary, isInExample: isInExample)
    }
}

extension FieldType {
    /// Reads a member that must be there.
    @usableFromInline
    func required(_ name: String) -> (@Sendable (inout ObjectReader) -> Value?)? {
        guard let read else { return nil }
        let isNullable = isNullable
        return { reader in
            guard let value = reader.find(name) else {
                reader.refuse(name, "missing", "This member is required.")
                return nil
            }
            if value.isNull, !isNullable {
                reader.refuse(name, "type", "null is not allowed here.")
                return nil
            }
            return read(value, name, &reader)
        }
    }

    /// Reads a member that may be absent; the inner nil means that it is.
    @usableFromInline
    func optional(_ name: String, allowingNull: Bool) -> (@Sendable (inout ObjectReader) -> Value??)? {
        guard let read = required(name) else { return nil }
        return { reader in
            guard let value = reader.find(name), !(allowingNull && value.isNull) else { return .some(nil) }
            return read(&reader).map { .some($0) }
        }
    }

    @usableFromInline
    func optional(
        _ name: String, default value: Value
    ) -> (@Sendable (inout ObjectReader) -> Value?)? where Value: Sendable {
        guard let read = required(name) else { return nil }
        return { reader in reader.find(name) == nil ? value : read(&reader) }
    }
}

/// Several fields one after another, with the types of their values.
public struct FieldList<Root, each Value>: Sendable {
    @usableFromInline let fields: (repeat Field<Root, each Value>)
    @usableFromInline let parts: [FieldPart<Root>]
    @usableFromInline let write: @Sendable (Root, inout JSONWriter) -> Void

    @usableFromInline
    init(
        _ fields: (repeat Field<Root, each Value>), _ parts: [FieldPart<Root>],
        write: @escaping @Sendable (Root, inout JSONWriter) -> Void
    ) {
        self.fields = fields
        self.parts = parts
        self.write = write
    }
}

/// Builds the list of a type's fields: one entry a line.
@resultBuilder
public enum FieldsBuilder<Root> {
    /// An entry of the list.
    public static func buildExpression<Value>(_ field: Field<Root, Value>) -> Field<Root, Value> { field }

    /// The first entry.
    @inlinable
    public static func buildPartialBlock<Value>(first: Field<Root, Value>) -> FieldList<Root, Value> {
        FieldList((first), first.allParts, write: first.write)
    }

    /// The entries so far and the next.
    @inlinable
    public static func buildPartialBlock<each Value, Next>(
        accumulated: FieldList<Root, repeat each Value>, next: Field<Root, Next>
    ) -> FieldList<Root, repeat each Value, Next> {
        let (first, second) = (accumulated.write, next.write)
        return FieldList(
            (repeat each accumulated.fields, next), accumulated.parts + next.allParts
        ) { root, writer in
            first(root, &writer)
            second(root, &writer)
        }
    }
}

extension Field {
    @usableFromInline var allParts: [FieldPart<Root>] { parts }
}
