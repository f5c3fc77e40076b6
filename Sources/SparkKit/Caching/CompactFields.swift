public import SparkCache
public import SparkCore

/// A value that has one compact encoding.
public protocol CompactValue: Sendable {
    /// Appends the encoding.
    func write(to writer: inout CompactWriter)
    /// Reads an encoding; nil if the bytes are not one.
    static func read(from reader: inout CompactReader) -> Self?
}

/// The parts of a type that make its compact encoding, in their order, and how a value is made of them.
public final class CompactFields<Root>: Sendable {
    @usableFromInline let write: @Sendable (Root, inout CompactWriter) -> Void
    @usableFromInline let read: @Sendable (inout CompactReader) -> Root?

    /// Lists the parts.
    /// - Parameters:
    ///   - make: Makes the value, mostly the memberwise initializer; nil for a faulty combination.
    ///   - parts: The properties in the order of the parameters of `make`.
    @inlinable
    public init<each Part: CompactValue>(
        _ make: @escaping @Sendable (repeat each Part) -> Root?, _ parts: repeat @escaping @Sendable (Root) -> each Part
    ) {
        write = { root, writer in
            repeat (each parts)(root).write(to: &writer)
        }
        read = { reader in
            let values = (repeat (each Part).read(from: &reader))
            return try? make(repeat present(each values))
        }
    }
}

@usableFromInline
struct UnreadablePart: Error {
    @usableFromInline init() {}
}

@inlinable
func present<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw UnreadablePart() }
    return value
}

/// A type whose compact encoding follows from one list of its parts.
public protocol CompactRecord: CompactValue {
    /// The one description of the encoding.
    static var compact: CompactFields<Self> { get }
}

extension CompactRecord {
    /// Appends the encoding.
    @inlinable
    public func write(to writer: inout CompactWriter) { Self.compact.write(self, &writer) }
    /// Reads an encoding; nil if the bytes are not one.
    @inlinable
    public static func read(from reader: inout CompactReader) -> Self? { compact.read(&reader) }
}

extension CacheValue where Self: CompactRecord {
    /// Appends the compact encoding.
    public func encode(into bytes: inout [UInt8]) {
        var writer = CompactWriter(bytes)
        write(to: &writer)
        bytes = writer.bytes
    }

    /// Reads a compact encoding; nil if the bytes are not exactly one.
    public static func decode(_ bytes: [UInt8]) -> Self? {
        var reader = CompactReader(bytes)
        guard let value = read(from: &reader), reader.isAtEnd else { return nil }
        return value
    }
}

extension Int64: CompactValue {
    /// Appends the encoding.
    public func write(to writer: inout CompactWriter) { writer.write(self) }
    /// Reads an encoding; nil if the bytes are not one.
    public static func read(from reader: inout CompactReader) -> Int64? { reader.integer() }
}

extension Int: CompactValue {
    /// Appends the encoding.
    public func write(to writer: inout CompactWriter) { writer.write(self) }
    /// Reads an encoding; nil if the bytes are not one.
    public static func read(from reader: inout CompactReader) -> Int? { reader.integer().flatMap { Int(exactly: $0) } }
}

extension UInt64: CompactValue {
    /// Appends the encoding.
    public func write(to writer: inout CompactWriter) { writer.write(unsigned: self) }
    /// Reads an encoding; nil if the bytes are not one.
    public static func read(from reader: inout CompactReader) -> UInt64? { reader.unsigned() }
}

extension UInt8: CompactValue {
    /// Appends the encoding.
    public func write(to writer: inout CompactWriter) { writer.write(unsigned: UInt64(self)) }
    /// Reads an encoding; nil if the bytes are not one.
    public static func read(from reader: inout CompactReader) -> UInt8? { reader.unsigned().flatMap { UInt8(exactly: $0) } }
}

extension Bool: CompactValue {
    /// Appends the encoding.
    public func write(to writer: inout CompactWriter) { writer.write(unsigned: self ? 1 : 0) }
    /// Reads an encoding; nil if the bytes are not one.
    public static func read(from reader: inout CompactReader) -> Bool? { reader.unsigned().map { $0 == 1 } }
}

extension Double: CompactValue {
    /// Appends the encoding.
    public func write(to writer: inout CompactWriter) { writer.write(self) }
    /// Reads an encoding; nil if the bytes are not one.
    public static func read(from reader: inout CompactReader) -> Double? { reader.double() }
}

extension String: CompactValue {
    /// Appends the encoding.
    public func write(to writer: inout CompactWriter) { writer.write(self) }
    /// Reads an encoding; nil if the bytes are not one.
    public static func read(from reader: inout CompactReader) -> String? { reader.text() }
}

extension Timestamp: CompactValue {
    /// Appends the encoding.
    public func write(to writer: inout CompactWriter) { writer.write(self) }
    /// Reads an encoding; nil if the bytes are not one.
    public static func read(from reader: inout CompactReader) -> Timestamp? { reader.time() }
}

extension CivilDate: CompactValue {
    /// Appends the encoding.
    public func write(to writer: inout CompactWriter) { writer.write(daysSinceEpoch) }
    /// Reads an encoding; nil if the bytes are not one.
    public static func read(from reader: inout CompactReader) -> CivilDate? {
        reader.integer().map { CivilDate(daysSinceEpoch: $0) }
    }
}

extension Coordinate: CompactValue {
    /// Appends the encoding.
    public func write(to writer: inout CompactWriter) {
        writer.write(latitude)
        writer.write(longitude)
    }

    /// Reads an encoding; nil if the bytes are not one.
    public static func read(from reader: inout CompactReader) -> Coordinate? {
        guard let latitude = reader.double(), let longitude = reader.double() else { return nil }
        return Coordinate(latitude: latitude, longitude: longitude)
    }
}

extension RawRepresentable where Self: CompactValue, RawValue: CompactValue {
    /// Appends the encoding.
    public func write(to writer: inout CompactWriter) { rawValue.write(to: &writer) }
    /// Reads an encoding; nil if the bytes are not one.
    public static func read(from reader: inout CompactReader) -> Self? {
        RawValue.read(from: &reader).flatMap { Self(rawValue: $0) }
    }
}

extension Identifier: CompactValue {
    /// Reads an encoding; nil if the bytes are not one.
    public static func read(from reader: inout CompactReader) -> Self? { reader.integer().map { Self(rawValue: $0) } }
}
extension Gender: CompactValue {}

extension GenderSet: CompactValue {
    /// Reads an encoding; nil if the bytes are not one.
    public static func read(from reader: inout CompactReader) -> GenderSet? {
        UInt8.read(from: &reader).map { GenderSet(rawValue: $0) }
    }
}

extension Optional: CompactValue where Wrapped: CompactValue {
    /// Appends the encoding.
    public func write(to writer: inout CompactWriter) { writer.write(self) { $1.write(to: &$0) } }
    /// Reads an encoding; nil if the bytes are not one.
    public static func read(from reader: inout CompactReader) -> Wrapped?? { reader.optional { Wrapped.read(from: &$0) } }
}

extension Array: CompactValue where Element: CompactValue {
    /// Appends the encoding.
    public func write(to writer: inout CompactWriter) {
        writer.write(unsigned: UInt64(count))
        for element in self { element.write(to: &writer) }
    }

    /// Reads an encoding; nil if the bytes are not one.
    public static func read(from reader: inout CompactReader) -> [Element]? { reader.list { Element.read(from: &$0) } }
}
