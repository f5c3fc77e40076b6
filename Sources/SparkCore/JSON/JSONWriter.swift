/// A type that can be written as JSON.
public protocol JSONWritable {
    /// Writes exactly one JSON value.
    func write(to writer: inout JSONWriter)
}

/// Writes JSON text (RFC 8259) directly into bytes, without an intermediate tree: several times faster than a generic encoder.
///
/// The writer sets the commas; the caller only nests objects and arrays.
public struct JSONWriter {
    /// The text so far, in UTF-8.
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// Starts empty, with room for `capacity` bytes.
    public init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    /// The JSON text of a value.
    public static func bytes(of value: some JSONWritable) -> [UInt8] {
        var writer = JSONWriter()
        value.write(to: &writer)
        return writer.bytes
    }

    /// The JSON text of a value as a string.
    public static func string(of value: some JSONWritable) -> String {
        String(decoding: bytes(of: value), as: UTF8.self)
    }

    /// Begins an object. The caller ends it after its members.
    @usableFromInline mutating func beginObject() { begin(UInt8(ascii: "{")) }
    /// Ends the object that was begun last.
    @usableFromInline mutating func endObject() { end(UInt8(ascii: "}")) }
    /// Begins an array. The caller ends it after its elements.
    mutating func beginArray() { begin(UInt8(ascii: "[")) }
    /// Ends the array that was begun last.
    mutating func endArray() { end(UInt8(ascii: "]")) }

    /// Writes an object whose members `body` writes with `field`, or with `key` and a value.
    public mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        begin(UInt8(ascii: "{"))
        try body(&self)
        end(UInt8(ascii: "}"))
    }

    /// Writes an array whose elements `body` writes.
    public mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
        begin(UInt8(ascii: "["))
        try body(&self)
        end(UInt8(ascii: "]"))
    }

    /// Writes an array of values.
    public mutating func array(_ elements: some Sequence<some JSONWritable>) {
        array { writer in
            for element in elements { element.write(to: &writer) }
        }
    }

    /// Writes the key of the next member. Exactly one value must follow.
    public mutating func key(_ key: String) {
        separate()
        quote(key)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes the key of the next member. Exactly one value must follow.
    @usableFromInline mutating func key(_ key: JSONKey) {
        separate()
        bytes.append(contentsOf: key.bytes)
        needsComma = false
    }

    /// Writes null.
    public mutating func null() { scalar("null") }
    /// Writes a boolean.
    public mutating func value(_ value: Bool) { scalar(value ? "true" : "false") }

    /// Writes an integer.
    public mutating func value(_ value: some BinaryInteger) {
        guard let number = value as? Int else { return scalar(String(value)) }
        separate()
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        digits(of: number.magnitude)
        needsComma = true
    }

    /// Writes a number of thousandths in its shortest form, as `value(_:)` writes the fraction: 125 is `0.125`, 500 is `0.5`,
    /// 2000 is `2`. Exact, and cheaper than the text of a floating-point number.
    public mutating func value(thousandths number: Int) {
        separate()
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        let (whole, part) = number.magnitude.quotientAndRemainder(dividingBy: 1_000)
        digits(of: whole)
        var (rest, unit) = (part, UInt(100))
        if rest > 0 { bytes.append(UInt8(ascii: ".")) }
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest / unit))
            rest %= unit
            unit /= 10
        }
        needsComma = true
    }

    /// Writes a number. NaN and infinity have no JSON form and become null.
    public mutating func value(_ value: Double) {
        guard value.isFinite else { return null() }
        scalar(value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)")
    }

    /// Writes a string with the necessary escapes.
    public mutating func value(_ value: String) {
        separate()
        quote(value)
        needsComma = true
    }

    /// Writes a time in UTC, `2026-03-01T09:30:00.250Z`.
    public mutating func value(_ value: Timestamp) { quoted(RFC3339.bytes(of: value)) }
    /// Writes a day, `2026-03-01`.
    public mutating func value(_ value: CivilDate) { quoted(RFC3339.bytes(of: value)) }
    /// Writes an identifier in its wire form.
    public mutating func value<Kind>(_ value: Identifier<Kind>) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: Kind.prefix.utf8)
        bytes.append(UInt8(ascii: "_"))
        Base32.append(value.rawValue, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// Writes bytes that already are one JSON value.
    public mutating func raw(_ text: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: text)
        needsComma = true
    }

    /// Writes members that were written before, with the commas between them.
    @usableFromInline mutating func members(_ text: [UInt8]) {
        guard !text.isEmpty else { return }
        separate()
        bytes.append(contentsOf: text)
        needsComma = true
    }

    /// Writes a member with a boolean.
    public mutating func field(_ key: String, _ value: Bool) { self.key(key); self.value(value) }
    /// Writes a member with an integer.
    public mutating func field(_ key: String, _ value: some BinaryInteger) { self.key(key); self.value(value) }
    /// Writes a member with a number.
    public mutating func field(_ key: String, _ value: Double) { self.key(key); self.value(value) }
    /// Writes a member with a string.
    public mutating func field(_ key: String, _ value: String) { self.key(key); self.value(value) }
    /// Writes a member with a time.
    public mutating func field(_ key: String, _ value: Timestamp) { self.key(key); self.value(value) }
    /// Writes a member with a day.
    public mutating func field(_ key: String, _ value: CivilDate) { self.key(key); self.value(value) }
    /// Writes a member with an identifier.
    public mutating func field(_ key: String, _ value: Identifier<some IdentifierKind>) { self.key(key); self.value(value) }
    /// Writes a member with any JSON value.
    public mutating func field(_ key: String, _ value: some JSONWritable) { self.key(key); value.write(to: &self) }
    /// Writes a member with a list of strings.
    public mutating func field(_ key: String, _ values: [String]) {
        self.key(key)
        array { writer in
            for value in values { writer.value(value) }
        }
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    /// Appends a number in decimal.
    private mutating func digits(of number: UInt) {
        var unit: UInt = 1
        while number / unit >= 10 { unit *= 10 }
        while unit > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number / unit % 10))
            unit /= 10
        }
    }

    private mutating func scalar(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        needsComma = true
    }

    private mutating func quoted(_ text: [UInt8]) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: text)
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    private mutating func quote(_ text: String) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { utf8 in
            // Most texts need no escapes and are copied whole.
            if utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) {
                for byte in utf8 { escape(byte) }
            } else {
                bytes.append(contentsOf: utf8)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
        case 0x0A: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
        case 0..<0x20: bytes += Array("\\u00".utf8) + [Self.hexDigits[Int(byte >> 4)], Self.hexDigits[Int(byte & 15)]]
        default: bytes.append(byte)
        }
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)
}

/// A member's name with its escapes, quotes and colon, made once for many objects.
@usableFromInline
struct JSONKey: Sendable {
    let bytes: [UInt8]

    @usableFromInline
    init(_ name: String) { bytes = JSONWriter.bytes(of: JSONValue.string(name)) + [UInt8(ascii: ":")] }
}
