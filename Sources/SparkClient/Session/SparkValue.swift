public import SparkCore

/// A value of the API: a body, an answer, a frame, or a part of one.
public protocol SparkValue: Hashable, Sendable {
    /// Reads the value.
    init(json: JSONValue) throws(UnexpectedJSON)
    /// The value as the server reads it.
    var json: JSONValue { get }
}

/// JSON that does not have the shape that its type has.
public struct UnexpectedJSON: Error, Hashable, CustomStringConvertible {
    /// The way to the part that is wrong, such as `/items/3/id`; empty for the whole.
    public let place: String
    /// What was expected there.
    public let expected: String

    /// Creates the error.
    public init(at place: String = "", expected: String) { (self.place, self.expected) = (place, expected) }

    func below(_ key: String) -> UnexpectedJSON { UnexpectedJSON(at: "/\(key)\(place)", expected: expected) }

    /// The place and what was expected; no part of the JSON itself.
    public var description: String { "unexpected JSON at \(place.isEmpty ? "/" : place): expected \(expected)" }
}

/// One of some words. It holds every word, since a newer server may know more of them.
public protocol SparkWord: SparkValue, RawRepresentable<String>, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The value of a word.
    init(rawValue: String)
}

extension SparkWord {
    /// Reads the word.
    public init(json: JSONValue) throws(UnexpectedJSON) { self.init(rawValue: try String(json: json)) }
    /// The word.
    public var json: JSONValue { .string(rawValue) }
    public init(stringLiteral value: String) { self.init(rawValue: value) }
    /// The word.
    public var description: String { rawValue }
}

/// One of some types of frames, told apart by the member `type`.
public protocol SparkFrame: SparkValue {
    /// What the frame holds.
    var payload: any SparkValue { get }
}

extension SparkFrame {
    /// The frame as the server reads it.
    public var json: JSONValue { payload.json }
}

extension String: SparkValue {
    /// Reads a string.
    public init(json: JSONValue) throws(UnexpectedJSON) {
        guard case .string(let value) = json else { throw UnexpectedJSON(expected: "a string") }
        self = value
    }
    /// The string.
    public var json: JSONValue { .string(self) }
}

extension Int: SparkValue {
    /// Reads an integer.
    public init(json: JSONValue) throws(UnexpectedJSON) {
        guard case .integer(let value) = json, let value = Int(exactly: value) else {
            throw UnexpectedJSON(expected: "an integer")
        }
        self = value
    }
    /// The integer.
    public var json: JSONValue { .integer(Int64(self)) }
}

extension Double: SparkValue {
    /// Reads a number.
    public init(json: JSONValue) throws(UnexpectedJSON) {
        guard let value = json.double else { throw UnexpectedJSON(expected: "a number") }
        self = value
    }
    /// The number.
    public var json: JSONValue { .number(self) }
}

extension Bool: SparkValue {
    /// Reads a boolean.
    public init(json: JSONValue) throws(UnexpectedJSON) {
        guard case .bool(let value) = json else { throw UnexpectedJSON(expected: "true or false") }
        self = value
    }
    /// The boolean.
    public var json: JSONValue { .bool(self) }
}

extension JSONValue: SparkValue {
    /// The JSON itself.
    public init(json: JSONValue) throws(UnexpectedJSON) { self = json }
    /// The JSON itself.
    public var json: JSONValue { self }
}

extension Optional: SparkValue where Wrapped: SparkValue {
    /// Reads a value or null.
    public init(json: JSONValue) throws(UnexpectedJSON) { self = json.isNull ? nil : try Wrapped(json: json) }
    /// The value, or null.
    public var json: JSONValue { self?.json ?? .null }
}

extension Array: SparkValue where Element: SparkValue {
    /// Reads an array.
    public init(json: JSONValue) throws(UnexpectedJSON) {
        guard case .array(let elements) = json else { throw UnexpectedJSON(expected: "an array") }
        self = []
        reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            do { append(try Element(json: element)) } catch { throw error.below("\(index)") }
        }
    }
    /// The elements.
    public var json: JSONValue { .array(map(\.json)) }
}

extension Dictionary: SparkValue where Key == String, Value: SparkValue {
    /// Reads an object whose members have one type.
    public init(json: JSONValue) throws(UnexpectedJSON) { self = try MemberList(json).others() }
    /// The members, sorted by name.
    public var json: JSONValue { .object(sorted { $0.key < $1.key }.map { JSONMember($0.key, $0.value.json) }) }
}

/// The members of an object, as its type reads and writes them.
public struct MemberList {
    private var members: [JSONMember] = []

    /// No members.
    public init() {}

    /// The members of an object.
    public init(_ json: JSONValue) throws(UnexpectedJSON) {
        guard case .object(let members) = json else { throw UnexpectedJSON(expected: "an object") }
        self.members = members
    }

    /// The object.
    public var json: JSONValue { .object(members) }

    /// A member that must be there.
    public func required<Value: SparkValue>(_ key: String) throws(UnexpectedJSON) -> Value {
        guard let value: Value = try optional(key) else { throw UnexpectedJSON(at: "/\(key)", expected: "a member of this name") }
        return value
    }

    /// A member that may be absent.
    public func optional<Value: SparkValue>(_ key: String) throws(UnexpectedJSON) -> Value? {
        guard let member = members.first(where: { $0.key == key }) else { return nil }
        do { return try Value(json: member.value) } catch { throw error.below(key) }
    }

    /// The members with other names than these.
    public func others<Value: SparkValue>(besides known: Set<String> = []) throws(UnexpectedJSON) -> [String: Value] {
        var values: [String: Value] = [:]
        for member in members where !known.contains(member.key) {
            do { values[member.key] = try Value(json: member.value) } catch { throw error.below(member.key) }
        }
        return values
    }

    /// Adds a member.
    public mutating func add(_ key: String, _ value: some SparkValue) { members.append(JSONMember(key, value.json)) }

    /// Adds a member unless it is nil. An optional in it that is nil is written as null.
    public mutating func add(optional key: String, _ value: (some SparkValue)?) {
        if let value { add(key, value) }
    }

    /// Adds members, sorted by name.
    public mutating func add(_ further: [String: some SparkValue]) {
        for (key, value) in further.sorted(by: { $0.key < $1.key }) { add(key, value) }
    }
}
