/// The members of an object as JSON text, written once for many answers. Made by the type's list of fields.
///
/// Immutable and shared: the cache keeps it with the value that it describes.
public final class WrittenMembers<Value: JSONObject>: Sendable {
    /// The value whose members these are.
    public let value: Value
    /// The members in their order, with the commas between them.
    @usableFromInline let text: [UInt8]

    /// Writes the members of a value.
    public init(_ value: Value) {
        self.value = value
        var writer = JSONWriter()
        Value.fields.writeMembers(of: value, to: &writer)
        // Without the writer's spare room.
        text = writer.bytes.withUnsafeBufferPointer { Array($0) }
    }

    /// The length of the text in bytes.
    public var byteCount: Int { text.count }
}
