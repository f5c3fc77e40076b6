/// Integers in the order of bytes that archives use.
extension [UInt8] {
    mutating func append<Value: FixedWidthInteger>(number value: Value) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}

/// Reads integers from bytes of others, without a trap.
struct ByteCursor {
    private let bytes: ArraySlice<UInt8>
    private(set) var place: Int

    init(_ bytes: ArraySlice<UInt8>) { (self.bytes, self.place) = (bytes, bytes.startIndex) }

    var left: Int { bytes.endIndex - place }

    /// The next integer; nil if there are not enough bytes.
    mutating func number<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) -> Value? {
        let size = MemoryLayout<Value>.size
        guard left >= size else { return nil }
        defer { place += size }
        return bytes.withUnsafeBytes {
            Value(littleEndian: $0.loadUnaligned(fromByteOffset: place - bytes.startIndex, as: Value.self))
        }
    }

    /// The next bytes; nil if there are not enough.
    mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, left >= count else { return nil }
        defer { place += count }
        return bytes[place..<place + count]
    }
}
