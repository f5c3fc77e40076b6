/// What an entry holds. Filled before it is shared and never changed after, so that readers may keep it when the entry is gone.
@usableFromInline
class Payload: @unchecked Sendable {  // written only by who makes it, before it is filed under a shard's lock
    /// The stamps beyond the two that stand in the record.
    final var furtherStamps: [Stamp] = []

    @usableFromInline init() {}
}

/// The value of an entry.
@usableFromInline
final class Box<Value: Sendable>: Payload, @unchecked Sendable {  // as the class above; the value is a constant
    @usableFromInline let value: Value

    @usableFromInline
    init(_ value: Value) { self.value = value }
}
