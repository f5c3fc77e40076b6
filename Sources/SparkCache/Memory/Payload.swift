/// What an entry holds. Immutable, so that readers may keep it after the entry is gone.
@usableFromInline
class Payload: @unchecked Sendable {  // immutable after its initialiser
    /// The stamps beyond the two that stand in the record.
    let furtherStamps: [Stamp]

    init(furtherStamps: [Stamp]) { self.furtherStamps = furtherStamps }
}

/// The value of an entry.
@usableFromInline
final class Box<Value: Sendable>: Payload, @unchecked Sendable {  // immutable after its initialiser
    @usableFromInline let value: Value

    init(_ value: Value, furtherStamps: [Stamp]) {
        self.value = value
        super.init(furtherStamps: furtherStamps)
    }
}
