/// What an entry holds: one object that never changes, so that readers may keep it when the entry is gone.
///
/// Bytes stand for themselves, for an array is one object already: a read then touches a line of memory less, and a write allocates
/// nothing. Every other value stands in a box.
@usableFromInline
struct Payload: @unchecked Sendable {  // a box around a constant, or bytes, which are copied before anybody changes them
    @usableFromInline let object: AnyObject

    @inlinable
    init(_ object: AnyObject) { self.object = object }

    @inlinable
    init<Value: Sendable>(value: Value) {
        // reason: bare is only `[UInt8]` where an array is one object; the same test decides on the way back.
        object = Self.isBare(Value.self) ? unsafeBitCast(value, to: AnyObject.self) : Box(value)
    }

    /// - Parameter type: as it was made from.
    @inlinable
    func value<Value: Sendable>(as type: Value.Type = Value.self) -> Value {
        Self.isBare(type) ? unsafeBitCast(object, to: Value.self) : unsafeDowncast(object, to: Box<Value>.self).value
    }

    /// Whether values of this type are one object each. Beside Objective-C an array may be something else.
    @inlinable @inline(__always)
    static func isBare<Value>(_ type: Value.Type) -> Bool {
        #if canImport(ObjectiveC)
            false
        #else
            type == [UInt8].self
        #endif
    }

    /// What malloc and the box add to a value, in bytes.
    @inlinable
    static func overhead<Value>(_ type: Value.Type) -> Int { isBare(type) ? 16 : 56 }
}

/// A value that is not one object by itself.
@usableFromInline
final class Box<Value: Sendable>: Sendable {
    @usableFromInline let value: Value

    @usableFromInline
    init(_ value: Value) { self.value = value }
}

/// Stands in a record in place of a payload that has more stamps than the record has room for.
final class StampedPayload: Sendable {
    let payload: Payload
    /// Those beyond the first two.
    let furtherStamps: [Stamp]

    init(_ payload: Payload, _ furtherStamps: [Stamp]) {
        self.payload = payload
        self.furtherStamps = furtherStamps
    }
}
