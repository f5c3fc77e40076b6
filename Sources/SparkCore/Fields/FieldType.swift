/// How a field's value is read, written and described in JSON: a type with its bounds, such as `.integer(18...120)`.
public struct FieldType<Value>: Sendable {
    /// Reads one JSON value; nil after recording a violation at the place.
    typealias Read = @Sendable (_ value: JSONValue, _ place: String, _ reader: inout ObjectReader) -> Value?

    /// The schema, with an example.
    let schema: Schema
    /// Writes one JSON value.
    @usableFromInline let write: @Sendable (Value, inout JSONWriter) -> Void
    /// Nil for a type of answers, which is never read.
    let read: Read?
    /// True if null is a value.
    let isNullable: Bool
    /// The format of a parsed string. As elements of a list, such strings have one violation for every fault.
    let format: String?

    init(
        _ schema: Schema, read: Read?, isNullable: Bool = false, format: String? = nil,
        write: @escaping @Sendable (Value, inout JSONWriter) -> Void
    ) {
        self.schema = schema
        self.read = read
        self.isNullable = isNullable
        self.format = format
        self.write = write
    }

    /// A type that is only written.
    public init(_ schema: Schema, write: @escaping @Sendable (Value, inout JSONWriter) -> Void) {
        self.init(schema, read: nil, write: write)
    }

    /// A type whose JSON is a string of at most 1,024 bytes.
    /// - Parameters:
    ///   - format: What is expected, for the violation: `the id of a user`.
    ///   - parse: Converts the string; nil refuses it.
    ///   - text: The string of a value.
    public init(
        _ schema: Schema, format: String, parse: @escaping @Sendable (String) -> Value?,
        text: @escaping @Sendable (Value) -> String
    ) {
        self.init(
            schema,
            read: { value, place, reader in reader.parsed(value, at: place, format: format, parse) }, format: format,
            write: { value, writer in writer.value(text(value)) })
    }

    /// The type with a name in `components`.
    public func named(_ name: String, _ summary: String = "") -> FieldType { with(schema.named(name, summary)) }

    /// The type with another example.
    public func example(_ example: JSONValue) -> FieldType { with(schema.with(example: example)) }

    private func with(_ schema: Schema) -> FieldType {
        FieldType(schema, read: read, isNullable: isNullable, format: format, write: write)
    }

    /// The type of values that are made from this type's values.
    /// - Parameters:
    ///   - from: The value that is read; nil only together with a violation that `from` does not record itself, so it must
    ///     accept everything that this type accepts.
    ///   - to: The value that is written.
    public func map<Other>(
        from: @escaping @Sendable (Value) -> Other, to: @escaping @Sendable (Other) -> Value
    ) -> FieldType<Other> {
        let write = write
        var readOther: FieldType<Other>.Read?
        if let read { readOther = { value, place, reader in read(value, place, &reader).map(from) } }
        return FieldType<Other>(schema, read: readOther, isNullable: isNullable, format: format) { value, writer in
            write(to(value), &writer)
        }
    }
}

extension FieldType where Value == String {
    /// A string of an answer.
    public static var string: FieldType { FieldType(.string(), write: { $1.value($0) }) }

    /// A string with a length in Unicode scalars, without U+0000.
    public static func string(_ length: ClosedRange<Int>) -> FieldType {
        FieldType(
            .string(length), read: { $2.text($0, at: $1, length: length, scalars: length.upperBound) },
            write: { $1.value($0) })
    }

    /// A text that other people see. Its normal form is read.
    public static func text(_ rule: TextRule) -> FieldType {
        FieldType(.string(rule.length), read: { $2.visibleText($0, at: $1, rule) }, write: { $1.value($0) })
    }

    /// The position after a page, as the server writes it.
    public static var cursor: FieldType { FieldType(.cursor, write: { $1.value($0) }) }

    /// Always this string.
    public static func constant(_ text: String) -> FieldType {
        FieldType(.constant(text), format: text, parse: { $0 == text ? $0 : nil }, text: \.self)
    }
}

extension FieldType where Value: FixedWidthInteger & Sendable {
    /// An integer of an answer.
    public static var integer: FieldType { FieldType(.integer(), write: { $1.value($0) }) }

    /// An integer in a range.
    public static func integer(_ range: ClosedRange<Int>) -> FieldType {
        FieldType(
            .integer(range),
            read: { value, place, reader in reader.integer(value, at: place, range).map { Value(clamping: $0) } },
            write: { $1.value($0) })
    }
}

extension FieldType where Value == Double {
    /// A number in a range.
    public static func number(_ range: ClosedRange<Double>) -> FieldType {
        FieldType(.number(range), read: { $2.double($0, at: $1, range) }, write: { $1.value($0) })
    }
}

extension FieldType where Value == Int {
    /// A number in a range, of an answer, given in thousandths.
    public static func thousandths(_ range: ClosedRange<Double>) -> FieldType {
        FieldType(.number(range), write: { $1.value(thousandths: $0) })
    }
}

extension FieldType where Value == Bool {
    /// True or false.
    public static var boolean: FieldType { FieldType(.boolean, read: { $2.bool($0, at: $1) }, write: { $1.value($0) }) }
}

extension FieldType where Value == Timestamp {
    /// A time, `2026-03-01T09:30:00.250Z`.
    public static var dateTime: FieldType {
        let format = "a time as YYYY-MM-DDThh:mm:ssZ"
        return FieldType(
            .dateTime, read: { $2.parsed($0, at: $1, format: format) { Timestamp($0) } }, format: format,
            write: { $1.value($0) })
    }
}

extension FieldType where Value == CivilDate {
    /// A day, `2026-03-01`.
    public static var date: FieldType {
        let format = "a day as YYYY-MM-DD"
        return FieldType(
            .date, read: { $2.parsed($0, at: $1, format: format) { CivilDate($0) } }, format: format,
            write: { $1.value($0) })
    }
}

extension FieldType where Value: WireWord {
    /// One of an enumeration's words.
    public static var word: FieldType { word(format: Value.wireWords.joined(separator: ", ")) }

    /// One of an enumeration's words.
    /// - Parameter format: What is expected, for the violation.
    public static func word(format: String) -> FieldType {
        FieldType(
            Schema.oneOf(Value.wireWords).named(Value.schemaName, Value.summary), format: format,
            parse: { Value(wire: $0) }, text: \.wire)
    }
}

extension FieldType {
    /// An identifier.
    /// - Parameter format: What is expected, for the violation: `the id of a user`.
    public static func id<Kind: IdentifierKind>(_ format: String) -> FieldType where Value == Identifier<Kind> {
        FieldType(
            .identifier(Kind.self), read: { $2.parsed($0, at: $1, format: format) { Identifier(wire: $0) } }, format: format,
            write: { $1.value($0) })
    }

    /// An array of an answer.
    public static func list<Element>(_ element: FieldType<Element>) -> FieldType where Value == [Element] {
        list(element, nil, read: nil)
    }

    /// An array with bounds of its length.
    public static func list<Element>(
        _ element: FieldType<Element>, _ count: ClosedRange<Int>
    ) -> FieldType where Value == [Element] {
        guard let readElement = elementRead(element) else { return list(element, count, read: nil) }
        return list(element, count, read: { $2.list($0, at: $1, count: count, readElement) })
    }

    /// An array with bounds of its length, without repetition.
    public static func distinctList<Element: Hashable & Sendable>(
        _ element: FieldType<Element>, _ count: ClosedRange<Int>
    ) -> FieldType where Value == [Element] {
        guard let readElement = elementRead(element) else { return list(element, count, isUnique: true, read: nil) }
        return list(
            element, count, isUnique: true, read: { $2.list($0, at: $1, count: count, isUnique: true, readElement) })
    }

    private static func list<Element>(
        _ element: FieldType<Element>, _ count: ClosedRange<Int>?, isUnique: Bool = false, read: Read?
    ) -> FieldType where Value == [Element] {
        FieldType(.list(element.schema, count: count, unique: isUnique), read: read) { values, writer in
            writer.beginArray()
            for value in values { element.write(value, &writer) }
            writer.endArray()
        }
    }

    /// Reads an element. One that is no string has the same violation as any other string that cannot be parsed.
    private static func elementRead<Element>(_ element: FieldType<Element>) -> FieldType<Element>.Read? {
        guard let read = element.read, let format = element.format else { return element.read }
        return { value, place, reader in
            guard value.string != nil else {
                reader.refuse(place, "format", "Expected: \(format).")
                return nil
            }
            return read(value, place, &reader)
        }
    }

    /// A value or null.
    public static func nullable<Wrapped>(_ type: FieldType<Wrapped>) -> FieldType where Value == Wrapped? {
        let write = type.write
        var readOrNull: Read?
        if let read = type.read {
            readOrNull = { value, place, reader in value.isNull ? .some(nil) : read(value, place, &reader).map { .some($0) } }
        }
        return FieldType(.nullable(type.schema), read: readOrNull, isNullable: true) { value, writer in
            if let value { write(value, &writer) } else { writer.null() }
        }
    }
}

extension FieldType where Value: JSONObject {
    /// An object of a type that lists its fields. It is only written.
    public static var object: FieldType {
        FieldType(Value.reference, write: { value, writer in value.write(to: &writer) })
    }
}

extension FieldType where Value: RequestBody {
    /// An object of a type that lists its fields.
    public static var object: FieldType {
        FieldType(
            Value.reference,
            read: { value, place, reader in reader.object(value, at: place) { Value.body.read(from: &$0) } ?? nil },
            write: { value, writer in value.write(to: &writer) })
    }
}

extension FieldType where Value == [UInt8] {
    /// JSON text that was written before.
    public static func written(_ schema: Schema) -> FieldType { FieldType(schema, write: { $1.raw($0) }) }
}

/// A type whose JSON form is always the same, so that a field of the type needs no `FieldType`.
public protocol FieldValue {
    /// How the type is read, written and described.
    static var fieldType: FieldType<Self> { get }
}

extension FieldValue {
    /// The value's JSON text.
    package var written: [UInt8] {
        var writer = JSONWriter()
        Self.fieldType.write(self, &writer)
        return writer.bytes
    }
}

extension Bool: FieldValue {
    /// How the type is read, written and described.
    public static var fieldType: FieldType<Bool> { .boolean }
}

extension Timestamp: FieldValue {
    /// How the type is read, written and described.
    public static var fieldType: FieldType<Timestamp> { .dateTime }
}

extension CivilDate: FieldValue {
    /// How the type is read, written and described.
    public static var fieldType: FieldType<CivilDate> { .date }
}

extension Identifier: FieldValue {
    /// The wire form. The violation says which identifier is expected: `the id of a user`.
    public static var fieldType: FieldType<Self> {
        let name = "\(Kind.self)"
        return .id("the id of a \((name.hasSuffix("Kind") ? String(name.dropLast(4)) : name).lowercased())")
    }
}

extension Optional: FieldValue where Wrapped: FieldValue {
    /// How the type is read, written and described.
    public static var fieldType: FieldType<Wrapped?> { .nullable(Wrapped.fieldType) }
}

extension Array: FieldValue where Element: FieldValue {
    /// How the type is read, written and described.
    public static var fieldType: FieldType<[Element]> { .list(Element.fieldType) }
}

/// An enumeration that has a word on the wire for each case. Its schema is named after the type.
public protocol WireWord: CaseIterable, FieldValue, Sendable {
    /// The word on the wire.
    var wire: String { get }
    /// Reads a wire word; nil for any other text.
    init?(wire: String)
    /// The name under `components` in the OpenAPI document; the type's name by default.
    static var schemaName: String { get }
    /// One sentence for the OpenAPI document.
    static var summary: String { get }
}

extension WireWord {
    /// The name under `components` in the OpenAPI document.
    public static var schemaName: String { "\(Self.self)" }
    /// How the type is read, written and described.
    public static var fieldType: FieldType<Self> { .word }
    /// All wire words, in the order of the cases.
    public static var wireWords: [String] { allCases.map(\.wire) }

    /// Reads a wire word; nil for any other text.
    public init?(wire: String) {
        guard let value = Self.allCases.first(where: { $0.wire == wire }) else { return nil }
        self = value
    }
}

extension WireWord where Self: RawRepresentable, RawValue == String {
    /// The word on the wire.
    public var wire: String { rawValue }
    /// Reads a wire word; nil for any other text.
    public init?(wire: String) { self.init(rawValue: wire) }
}
