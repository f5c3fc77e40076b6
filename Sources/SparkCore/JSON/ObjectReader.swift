/// Reads the members of a JSON object that came from outside, and gathers everything that is wrong with them.
///
/// Every getter names a member that may stand there. What is missing or refused is noted and a harmless value
/// returned, so that `finish()` can report all of it at once; members nobody asked for are refused there, too.
public struct ObjectReader {
    private let members: [JSONMember]
    private let path: String
    private var asked: [String] = []
    public private(set) var violations: [Violation] = []

    /// - Throws: `InvalidInput` when the value is no object.
    public init(_ value: JSONValue, path: String = "") throws(InvalidInput) {
        guard case .object(let members) = value else {
            throw .refused(path.isEmpty ? "/" : path, "type", "An object is expected.")
        }
        self.members = members
        self.path = path
    }

    /// Notes that a member was refused.
    public mutating func refuse(_ key: String, _ reason: String, _ detail: String) {
        violations.append(Violation(field: "\(path)/\(key)", reason: reason, detail: detail))
    }

    /// Whether the member stands there, `null` included.
    public func has(_ key: String) -> Bool { members.contains { $0.key == key } }

    /// The member as it stands; nil when absent. `null` counts as absent unless `nullable`.
    public mutating func member(_ key: String, nullable: Bool = false) -> JSONValue? {
        asked.append(key)
        guard let value = members.first(where: { $0.key == key })?.value else { return nil }
        if value.isNull, !nullable {
            refuse(key, "type", "null is not allowed here.")
            return nil
        }
        return value
    }

    public mutating func optionalString(_ key: String, length: ClosedRange<Int>) -> String? {
        optionalString(key, length: length, scalars: length.upperBound)
    }

    /// - Parameter scalars: how many there may be; `length` is what the client is told.
    mutating func optionalString(_ key: String, length: ClosedRange<Int>, scalars: Int) -> String? {
        guard let value = member(key) else { return nil }
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

    public mutating func string(_ key: String, length: ClosedRange<Int>) -> String {
        require(key)
        return optionalString(key, length: length) ?? ""
    }

    public mutating func optionalInteger(_ key: String, _ range: ClosedRange<Int>) -> Int? {
        guard let value = member(key) else { return nil }
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

    public mutating func integer(_ key: String, _ range: ClosedRange<Int>) -> Int {
        require(key)
        return optionalInteger(key, range) ?? range.lowerBound
    }

    public mutating func optionalDouble(_ key: String, _ range: ClosedRange<Double>) -> Double? {
        guard let value = member(key) else { return nil }
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

    public mutating func double(_ key: String, _ range: ClosedRange<Double>) -> Double {
        require(key)
        return optionalDouble(key, range) ?? range.lowerBound
    }

    public mutating func optionalBool(_ key: String) -> Bool? {
        guard let value = member(key) else { return nil }
        guard case .bool(let flag) = value else {
            refuse(key, "type", "true or false is expected.")
            return nil
        }
        return flag
    }

    /// A string that `parse` understands.
    public mutating func optional<Value>(
        _ key: String, format: String, _ parse: (String) -> Value?
    ) -> Value? {
        guard let value = member(key) else { return nil }
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

    /// A string that `parse` understands; noted as missing when absent.
    public mutating func value<Value>(_ key: String, format: String, _ parse: (String) -> Value?) -> Value? {
        require(key)
        return optional(key, format: format, parse)
    }

    /// An array of strings, each understood by `parse`, without repetition.
    public mutating func optionalList<Value: Hashable>(
        _ key: String, count: ClosedRange<Int>, format: String, _ parse: (String) -> Value?
    ) -> [Value]? {
        guard let value = member(key) else { return nil }
        guard case .array(let elements) = value else {
            refuse(key, "type", "An array is expected.")
            return nil
        }
        guard count.contains(elements.count) else {
            refuse(key, "length", "There must be \(count.lowerBound) to \(count.upperBound) elements.")
            return nil
        }
        var seen = Set<Value>()
        var list: [Value] = []
        for (index, element) in elements.enumerated() {
            guard let parsed = element.string.flatMap(parse) else {
                refuse("\(key)/\(index)", "format", "Expected: \(format).")
                return nil
            }
            guard seen.insert(parsed).inserted else {
                refuse("\(key)/\(index)", "duplicate", "The element stands twice.")
                return nil
            }
            list.append(parsed)
        }
        return list
    }

    /// A nested object; its violations become this reader's.
    public mutating func optionalObject<Value>(
        _ key: String, nullable: Bool = false, _ read: (inout ObjectReader) -> Value
    ) -> Value? {
        guard let value = member(key, nullable: nullable), value != .null else { return nil }
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

    /// Notes a member as missing if it does not stand there.
    public mutating func require(_ key: String) {
        if !has(key) { refuse(key, "missing", "This member is required.") }
    }

    /// - Throws: everything that was refused, members nobody asked for included.
    public mutating func finish() throws(InvalidInput) {
        refuseUnknown()
        guard violations.isEmpty else { throw .refused(violations) }
    }

    /// For forms that may grow: members nobody asked for are left alone.
    /// - Throws: everything that was refused.
    public func finishAllowingUnknown() throws(InvalidInput) {
        guard violations.isEmpty else { throw .refused(violations) }
    }

    /// So many unknown members are told; each costs a search for what was meant.
    private static let mostUnknown = 16

    private mutating func refuseUnknown() {
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

extension JSONValue {
    /// An integer, or a fraction of zero (`3.0`), that fits Int.
    var wholeNumber: Int? {
        switch self {
        case .integer(let value): Int(exactly: value)
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }
}
