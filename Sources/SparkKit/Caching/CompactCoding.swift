public import SparkCore

/// Writes values for the cache's disk: whole numbers in as few bytes as they need, texts with their length before them.
public struct CompactWriter {
    public private(set) var bytes: [UInt8]

    /// - Parameter bytes: what stands before.
    public init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    /// LEB128: seven bits a byte, the lowest first.
    public mutating func write(unsigned value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Zigzag: small numbers of either sign are short.
    public mutating func write(_ value: Int64) { write(unsigned: UInt64(bitPattern: value << 1 ^ value >> 63)) }
    public mutating func write(_ value: Int) { write(Int64(value)) }
    public mutating func write(_ value: Timestamp) { write(value.milliseconds) }

    /// Eight bytes: for what is evenly spread.
    public mutating func write(bits: UInt64) { withUnsafeBytes(of: bits.littleEndian) { bytes.append(contentsOf: $0) } }
    public mutating func write(_ value: Double) { write(bits: value.bitPattern) }

    public mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            write(unsigned: UInt64(utf8.count))
            bytes.append(contentsOf: utf8)
        }
    }

    public mutating func write<Value>(_ value: Value?, _ body: (inout CompactWriter, Value) -> Void) {
        write(unsigned: value == nil ? 0 : 1)
        if let value { body(&self, value) }
    }

    /// Numbers that rise, each as its distance from the one before.
    public mutating func write(rising numbers: [Int64]) {
        write(unsigned: UInt64(numbers.count))
        var last: Int64 = 0
        for number in numbers {
            write(unsigned: UInt64(bitPattern: number &- last))
            last = number
        }
    }
}

/// Reads what `CompactWriter` wrote. Trusts nothing: each read gives nil when the bytes do not hold it.
public struct CompactReader {
    private let bytes: [UInt8]
    private var position = 0

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public var isAtEnd: Bool { position == bytes.count }

    public mutating func unsigned() -> UInt64? {
        var (value, shift): (UInt64, UInt64) = (0, 0)
        while position < bytes.count, shift < 64 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return shift == 63 && byte > 1 ? nil : value }
            shift += 7
        }
        return nil
    }

    public mutating func integer() -> Int64? {
        unsigned().map { Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1) }
    }

    public mutating func count() -> Int? {
        guard let value = unsigned(), value <= UInt64(bytes.count - position) else { return nil }
        return Int(value)
    }

    public mutating func time() -> Timestamp? { integer().map { Timestamp(milliseconds: $0) } }

    public mutating func bits() -> UInt64? {
        guard bytes.count - position >= 8 else { return nil }
        defer { position += 8 }
        return (0..<8).reduce(0) { $0 | UInt64(bytes[position + $1]) << UInt64($1 * 8) }
    }

    public mutating func double() -> Double? { bits().map { Double(bitPattern: $0) } }

    /// Nil also for what is no UTF-8.
    public mutating func text() -> String? {
        guard let count = count() else { return nil }
        defer { position += count }
        return String(validating: bytes[position..<(position + count)], as: UTF8.self)
    }

    /// The outer nil: not readable; the inner one: none was written.
    public mutating func optional<Value>(_ body: (inout CompactReader) -> Value?) -> Value?? {
        switch unsigned() {
        case 0: return .some(nil)
        case 1: return body(&self).map { .some($0) }
        default: return nil
        }
    }

    /// A list whose elements take a byte each at least.
    public mutating func list<Value>(_ body: (inout CompactReader) -> Value?) -> [Value]? {
        guard let count = count() else { return nil }
        var list: [Value] = []
        list.reserveCapacity(count)
        for _ in 0..<count {
            guard let value = body(&self) else { return nil }
            list.append(value)
        }
        return list
    }

    public mutating func rising() -> [Int64]? {
        var last: Int64 = 0
        return list { reader in
            guard let step = reader.unsigned() else { return nil }
            let next = last &+ Int64(bitPattern: step)
            defer { last = next }
            return next
        }
    }
}
