public import SparkCore

/// Encodes values for the cache on disk. Integers take as few bytes as possible; texts follow their length.
public struct CompactWriter {
    /// The encoded bytes so far.
    public private(set) var bytes: [UInt8]

    /// - Parameter bytes: A prefix to write after; empty by default.
    public init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    /// Writes LEB128: seven bits in each byte, lowest bits first.
    public mutating func write(unsigned value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Writes a signed integer in zigzag coding: small numbers of either sign are short.
    public mutating func write(_ value: Int64) { write(unsigned: UInt64(bitPattern: value << 1 ^ value >> 63)) }
    /// Writes a signed integer.
    public mutating func write(_ value: Int) { write(Int64(value)) }
    /// Writes a time as milliseconds since 1970.
    public mutating func write(_ value: Timestamp) { write(value.milliseconds) }

    /// Writes eight bytes, little-endian. Use it for evenly distributed values.
    public mutating func write(bits: UInt64) { withUnsafeBytes(of: bits.littleEndian) { bytes.append(contentsOf: $0) } }
    /// Writes the eight bytes of a floating-point number.
    public mutating func write(_ value: Double) { write(bits: value.bitPattern) }

    /// Writes the length in bytes, then UTF-8.
    public mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            write(unsigned: UInt64(utf8.count))
            bytes.append(contentsOf: utf8)
        }
    }

    /// Writes 0 for nil, or 1 and the value.
    public mutating func write<Value>(_ value: Value?, _ body: (inout CompactWriter, Value) -> Void) {
        write(unsigned: value == nil ? 0 : 1)
        if let value { body(&self, value) }
    }

    /// Writes ascending numbers, each as the difference from the previous one.
    public mutating func write(rising numbers: [Int64]) {
        write(unsigned: UInt64(numbers.count))
        var last: Int64 = 0
        for number in numbers {
            write(unsigned: UInt64(bitPattern: number &- last))
            last = number
        }
    }
}

/// Decodes the output of `CompactWriter`. The input is not trusted: each read returns nil if the bytes do not hold the value.
public struct CompactReader {
    private let bytes: [UInt8]
    private var position = 0

    /// Starts at the first byte.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// True when all bytes are read.
    public var isAtEnd: Bool { position == bytes.count }

    /// Reads an unsigned LEB128 number; nil also if it exceeds 64 bits.
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

    /// Reads a signed integer.
    public mutating func integer() -> Int64? {
        unsigned().map { Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1) }
    }

    /// Reads a count; nil also if it is larger than the number of remaining bytes.
    public mutating func count() -> Int? {
        guard let value = unsigned(), value <= UInt64(bytes.count - position) else { return nil }
        return Int(value)
    }

    /// Reads a time.
    public mutating func time() -> Timestamp? { integer().map { Timestamp(milliseconds: $0) } }

    /// Reads eight bytes, little-endian.
    public mutating func bits() -> UInt64? {
        guard bytes.count - position >= 8 else { return nil }
        defer { position += 8 }
        return (0..<8).reduce(0) { $0 | UInt64(bytes[position + $1]) << UInt64($1 * 8) }
    }

    /// Reads a floating-point number.
    public mutating func double() -> Double? { bits().map { Double(bitPattern: $0) } }

    /// Reads a text; nil also for invalid UTF-8.
    public mutating func text() -> String? {
        guard let count = count() else { return nil }
        defer { position += count }
        return String(validating: bytes[position..<(position + count)], as: UTF8.self)
    }

    /// Reads an optional value. The outer nil means unreadable bytes; the inner nil means that nil was written.
    public mutating func optional<Value>(_ body: (inout CompactReader) -> Value?) -> Value?? {
        switch unsigned() {
        case 0: return .some(nil)
        case 1: return body(&self).map { .some($0) }
        default: return nil
        }
    }

    /// Reads a list whose elements take at least one byte each.
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

    /// Reads ascending numbers.
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
