/// The content of an entry: one immutable object, so that readers may keep it after the entry is gone.
///
/// A byte array is used as it is, because an array is already one object: a read then touches one line of memory less, and a
/// write allocates nothing. Every other value is put in a box.
@usableFromInline
struct Payload: @unchecked Sendable {  // a box around a constant, or bytes, which are copied on write
    @usableFromInline let object: AnyObject

    @inlinable
    init(_ object: AnyObject) { self.object = object }

    @inlinable
    init<Value: Sendable>(value: Value) {
        // reason: only `[UInt8]` is unboxed, and only where an array is one object; `value(as:)` makes the same test.
        object = Self.isUnboxed(Value.self) ? unsafeBitCast(value, to: AnyObject.self) : Box(value)
    }

    /// - Parameter type: the type that the payload was made from.
    @inlinable
    func value<Value: Sendable>(as type: Value.Type = Value.self) -> Value {
        // reason: as in `init`, which made the same choice for this type. It is the same type: payloads are made and read by
        // `CacheNamespace` alone, which has one type of values, and no two namespaces of a cache have the same identity.
        Self.isUnboxed(type) ? unsafeBitCast(object, to: Value.self) : unsafeDowncast(object, to: Box<Value>.self).value
    }

    /// Whether values of this type are stored without a box. With Objective-C an array may be something else than one object.
    @inlinable @inline(__always)
    static func isUnboxed<Value>(_ type: Value.Type) -> Bool {
        #if canImport(ObjectiveC)
            false
        #else
            type == [UInt8].self
        #endif
    }

    /// Bytes that malloc and the box add to a value.
    @inlinable
    static func overhead<Value>(_ type: Value.Type) -> Int { isUnboxed(type) ? 16 : 56 }
}

/// Holds a value that is not one object by itself.
@usableFromInline
final class Box<Value: Sendable>: Sendable {
    @usableFromInline let value: Value

    @usableFromInline
    init(_ value: Value) { self.value = value }
}

/// Takes the place of a payload when the entry has more stamps than its record has room for.
final class StampedPayload: Sendable {
    let payload: Payload
    /// The stamps after the first two.
    let furtherStamps: [Stamp]

    init(_ payload: Payload, _ furtherStamps: [Stamp]) {
        self.payload = payload
        self.furtherStamps = furtherStamps
    }
}
