/// Reads the members of an untrusted JSON object and collects every mistake in them.
///
/// Each getter names a member that the object may have. If a member is missing or refused, the getter records a violation and
/// returns a harmless value, so that `finish()` can report all violations at once. `finish()` also refuses members that no
/// getter has asked for.
public struct ObjectReader {
    private let members: [JSONMember]
    private let path: String
    private var asked: [String] = []
    /// The violations so far, in the order of the calls.
    public private(set) var violations: [Violation] = []

    /// Starts to read an object.
    /// - Parameter path: The JSON pointer of the object, which begins the `field` of each violation; empty for the whole
    ///   document.
    /// - Throws: `InvalidInput` if the value is not an object.
    public init(_ value: JSONValue, path: String = "") throws(InvalidInput) {
        guard case .object(let members) = value else {
            throw .refused(path.isEmpty ? "/" : path, "type", "An object is expected.")
        }
        self.members = members
        self.path = path
    }

    /// Records that a member is refused.
    public mutating func refuse(_ key: String, _ reason: String, _ detail: String) {
        violations.append(Violation(field: "\(path)/\(key)", reason: reason, detail: detail))
    }

    /// True if the object has the member, even with the value null.
    public func has(_ key: String) -> Bool { members.contains { $0.key == key } }

    /// The member's value; nil if it is absent. Null is refused unless `nullable` is true.
    public mutating func member(_ key: String, nullable: Bool = false) -> JSONValue? {
        asked.append(key)
        guard let value = members.first(where: { $0.key == key })?.value else { return nil }
        if value.isNull, !nullable {
            refuse(key, "type", "null is not allowed here.")
            return nil
        }
        return value
    }

    /// A string member with a length in Unicode scalars; nil if it is absent or refused. Refuses U+0000.
    public mutating func optionalString(_ key: String, length: ClosedRange<Int>) -> String? {
        guard let value = member(key) else { return nil }
        return text(value, at: key, length: length, scalars: length.upperBound)
    }

    /// A required string member; empty if it is missing or refused.
    public mutating func string(_ key: String, length: ClosedRange<Int>) -> String {
        require(key)
        return optionalString(key, length: length) ?? ""
    }

    /// An integer member; nil if it is absent or refused. Accepts a fraction of zero, such as `3.0`.
    public mutating func optionalInteger(_ key: String, _ range: ClosedRange<Int>) -> Int? {
        guard let value = member(key) else { return nil }
        return integer(value, at: key, range)
    }

    /// A required integer member; the lower bound if it is missing or refused.
    public mutating func integer(_ key: String, _ range: ClosedRange<Int>) -> Int {
        require(key)
        return optionalInteger(key, range) ?? range.lowerBound
    }

    /// A number member; nil if it is absent or refused.
    public mutating func optionalDouble(_ key: String, _ range: ClosedRange<Double>) -> Double? {
        guard let value = member(key) else { return nil }
        return double(value, at: key, range)
    }

    /// A required number member; the lower bound if it is missing or refused.
    public mutating func double(_ key: String, _ range: ClosedRange<Double>) -> Double {
        require(key)
        return optionalDouble(key, range) ?? range.lowerBound
    }

    /// A boolean member; nil if it is absent or refused.
    public mutating func optionalBool(_ key: String) -> Bool? {
        guard let value = member(key) else { return nil }
        return bool(value, at: key)
    }

    /// A string member of at most 1,024 bytes that `parse` converts; nil if it is absent or refused. The error for the client
    /// names `format`.
    public mutating func optional<Value>(
        _ key: String, format: String, _ parse: (String) -> Value?
    ) -> Value? {
        guard let value = member(key) else { return nil }
        return parsed(value, at: key, format: format, parse)
    }

    /// A required string member that `parse` converts; nil if it is missing or refused.
    public mutating func value<Value>(_ key: String, format: String, _ parse: (String) -> Value?) -> Value? {
        require(key)
        return optional(key, format: format, parse)
    }

    /// An array of strings that `parse` converts, without repetition; nil if it is absent or refused.
    public mutating func optionalList<Value: Hashable>(
        _ key: String, count: ClosedRange<Int>, format: String, _ parse: (String) -> Value?
    ) -> [Value]? {
        guard let value = member(key) else { return nil }
        return list(value, at: key, count: count, isUnique: true) { element, place, reader in
            guard let parsed = element.string.flatMap(parse) else {
                reader.refuse(place, "format", "Expected: \(format).")
                return nil
            }
            return parsed
        }
    }

    /// A nested object; nil if it is absent, null or not an object. Its violations are added to this reader's.
    public mutating func optionalObject<Value>(
        _ key: String, nullable: Bool = false, _ read: (inout ObjectReader) -> Value
    ) -> Value? {
        guard let value = member(key, nullable: nullable), value != .null else { return nil }
        return object(value, at: key, read)
    }

    /// Records a violation if the object lacks the member.
    public mutating func require(_ key: String) {
        if !has(key) { refuse(key, "missing", "This member is required.") }
    }

    /// Ends the reading.
    /// - Throws: `InvalidInput` with every violation, including unknown members.
    public mutating func finish() throws(InvalidInput) {
        refuseUnknown()
        guard violations.isEmpty else { throw .refused(violations) }
    }

    /// Ends the reading for input that may have additional members, which are ignored.
    /// - Throws: `InvalidInput` with every violation.
    public func finishAllowingUnknown() throws(InvalidInput) {
        guard violations.isEmpty else { throw .refused(violations) }
    }

    /// The most unknown members that are reported, because each needs a search for a similar name.
    private static let mostUnknown = 16

    private mutating func refuseUnknown() {
        // Most objects have only known members, and few of them.
        guard members.contains(where: { !asked.contains($0.key) }) else { return }
        let known = Set(asked)
        for member in members.lazy.filter({ !known.contains($0.key) }).prefix(Self.mostUnknown) {
            let hint = NearestName.of(member.key, in: asked).map { " Did you mean \($0)?" } ?? ""
            violations.append(
                Violation(
                    field: "\(path)/\(JSONPointer.token(member.key))", reason: "unknown",
                    detail: "There is an unknown member.\(hint)"))
        }
    }
}

// Checks of one value. `key` is the place of the value below the object, for the violation; nil means that one was recorded.
extension ObjectReader {
    /// Makes the names known that a list of fields reads, so that they are not refused as unknown.
    mutating func expect(_ names: [String]) {
        if asked.isEmpty { asked = names } else { asked += names }
    }

    /// The value of a member whose name is already expected.
    func find(_ key: String) -> JSONValue? { members.first { $0.key == key }?.value }

    /// - Parameter scalars: The most Unicode scalars. The error for the client names `length` instead.
    mutating func text(_ value: JSONValue, at key: String, length: ClosedRange<Int>, scalars: Int) -> String? {
        guard case .string(let text) = value else {
            refuse(key, "type", "A string is expected.")
            return nil
        }
        guard (length.lowerBound...max(scalars, length.lowerBound)).contains(text.unicodeScalars.count) else {
            refuse(key, "length", "The length must be \(length.lowerBound) to \(length.upperBound) characters.")
            return nil
        }
        guard !text.unicodeScalars.contains(where: { $0.value == 0 }) else {
            refuse(key, "format", "The character U+0000 is not allowed.")
            return nil
        }
        return text
    }

    mutating func integer(_ value: JSONValue, at key: String, _ range: ClosedRange<Int>) -> Int? {
        guard let number = value.wholeNumber else {
            refuse(key, "type", "A whole number is expected.")
            return nil
        }
        guard range.contains(number) else {
            refuse(key, "range", "The value must be \(range.lowerBound) to \(range.upperBound).")
            return nil
        }
        return number
    }

    mutating func double(_ value: JSONValue, at key: String, _ range: ClosedRange<Double>) -> Double? {
        guard let number = value.double else {
            refuse(key, "type", "A number is expected.")
            return nil
        }
        guard range.contains(number) else {
            refuse(key, "range", "The value must be \(range.lowerBound) to \(range.upperBound).")
            return nil
        }
        return number
    }

    mutating func bool(_ value: JSONValue, at key: String) -> Bool? {
        guard case .bool(let flag) = value else {
            refuse(key, "type", "true or false is expected.")
            return nil
        }
        return flag
    }

    mutating func parsed<Value>(
        _ value: JSONValue, at key: String, format: String, _ parse: (String) -> Value?
    ) -> Value? {
        guard case .string(let text) = value else {
            refuse(key, "type", "A string is expected.")
            return nil
        }
        guard text.utf8.count <= 1_024, let parsed = parse(text) else {
            refuse(key, "format", "Expected: \(format).")
            return nil
        }
        return parsed
    }

    /// Reads the elements in their order and stops at the first that is refused.
    mutating func list<Value: Hashable>(
        _ value: JSONValue, at key: String, count: ClosedRange<Int>, isUnique: Bool,
        _ read: (JSONValue, String, inout ObjectReader) -> Value?
    ) -> [Value]? {
        var seen = Set<Value>()
        return list(value, at: key, count: count) { element, place, reader in
            guard let value = read(element, place, &reader) else { return nil }
            guard !isUnique || seen.insert(value).inserted else {
                reader.refuse(place, "duplicate", "The element stands twice.")
                return nil
            }
            return value
        }
    }

    /// Reads the elements in their order and stops at the first that is refused.
    mutating func list<Value>(
        _ value: JSONValue, at key: String, count: ClosedRange<Int>,
        _ read: (JSONValue, String, inout ObjectReader) -> Value?
    ) -> [Value]? {
        guard case .array(let elements) = value else {
            refuse(key, "type", "An array is expected.")
            return nil
        }
        guard count.contains(elements.count) else {
            refuse(key, "length", "There must be \(count.lowerBound) to \(count.upperBound) elements.")
            return nil
        }
        var list: [Value] = []
        for (index, element) in elements.enumerated() {
            guard let value = read(element, "\(key)/\(index)", &self) else { return nil }
            list.append(value)
        }
        return list
    }

    /// Reads a nested object and refuses its unknown members.
    mutating func object<Value>(_ value: JSONValue, at key: String, _ read: (inout ObjectReader) -> Value) -> Value? {
        do throws(InvalidInput) {
            var nested = try ObjectReader(value, path: "\(path)/\(key)")
            let result = read(&nested)
            nested.refuseUnknown()
            violations += nested.violations
            return result
        } catch {
            violations += error.violations
            return nil
        }
    }
}

extension JSONValue {
    /// An integer, or a number without a fraction (`3.0`), that fits into Int.
    var wholeNumber: Int? {
        switch self {
        case .integer(let value): Int(exactly: value)
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }
}

/// Parts of JSON pointers (RFC 6901).
private enum JSONPointer {
    /// The longest part of a client's member name that errors repeat.
    private static let longestToken = 64

    /// A member's name as a reference token: `~` and `/` are escaped, and a longer name is cut and ends in `…`.
    static func token(_ name: String) -> String {
        var token = ""
        for (index, scalar) in name.unicodeScalars.enumerated() {
            guard index < longestToken else { return token + "…" }
            switch scalar {
            case "~": token += "~0"
            case "/": token += "~1"
            default: token.unicodeScalars.append(scalar)
            }
        }
        return token
    }
}
