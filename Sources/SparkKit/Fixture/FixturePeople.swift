public import SparkCore
import Synchronization

/// A person that a test calls by a name, with what it needs to act as that person.
public struct FixturePerson: Sendable {
    /// The name in the test: 1 to 64 letters, digits, `-` and `_`.
    public let name: String
    /// The user's identifier.
    public let id: UserID
    /// The login address.
    public let email: String
    /// The login password.
    public let password: String
    /// The tokens of a session; nil before the first was opened.
    public var tokens: IssuedGrant?

    /// A person with a name.
    public init(name: String, id: UserID, email: String, password: String, tokens: IssuedGrant?) {
        self.name = name
        self.id = id
        self.email = email
        self.password = password
        self.tokens = tokens
    }
}

/// The people that a test calls by names: those that it made, and those of its scenario. They belong to the server's state: a restored
/// snapshot brings back its own.
///
/// All calls take a lock; none suspends.
public final class FixturePeople: Sendable {
    /// Where something was sent.
    package enum Receiver {
        case person(UserID)
        case address(String)
    }

    /// All people, for a snapshot.
    package struct State: Sendable {
        fileprivate var people: [String: FixturePerson] = [:]
        fileprivate var names: [UserID: String] = [:]
        fileprivate var lastNumber = 0
    }

    private let state = Mutex(State())

    /// Without people.
    public init() {}

    /// The person of a name; nil if there is none.
    public subscript(name: String) -> FixturePerson? { state.withLock { $0.people[name] } }

    /// Adds a person. From now on the name means this one.
    public func add(_ person: FixturePerson) {
        state.withLock { state in
            if let old = state.people.updateValue(person, forKey: person.name) { state.names[old.id] = nil }
            state.names[person.id] = person.name
        }
    }

    /// All people with names.
    package var position: State { state.withLock { $0 } }

    /// Replaces all people.
    package func resume(at position: State) { state.withLock { $0 = position } }

    /// The name of a person; nil if the test gave none.
    package func name(of id: UserID) -> String? { state.withLock { $0.names[id] } }

    /// The person of an identifier or a name; nil for an unknown name.
    package func id(of text: String) -> UserID? { UserID(wire: text) ?? self[text]?.id }

    /// 1 for the first person that the fixture makes, 2 for the second.
    package func nextNumber() -> Int {
        state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }

    // MARK: For a clone of the server

    /// The people as JSON.
    package var json: JSONValue {
        let state = position
        return [
            "last_number": .integer(Int64(state.lastNumber)),
            "people": .array(state.people.values.sorted { $0.name < $1.name }.map(Self.json)),
        ]
    }

    private static func json(_ person: FixturePerson) -> JSONValue {
        var members: [JSONMember] = [
            JSONMember("name", .string(person.name)), JSONMember("id", .string(person.id.wire)),
            JSONMember("email", .string(person.email)), JSONMember("password", .string(person.password)),
        ]
        if let tokens = person.tokens {
            members += [
                JSONMember("access_token", .string(tokens.accessToken)),
                JSONMember("refresh_token", .string(tokens.refreshToken)),
                JSONMember("expires_at", .integer(tokens.expiresAt.milliseconds)),
            ]
        }
        return .object(members)
    }

    /// Takes over what `json` gave.
    package func take(_ json: JSONValue) {
        state.withLock { $0.lastNumber = Int(json["last_number"]?.integer ?? 0) }
        for member in json["people"]?.array ?? [] {
            guard let name = member["name"]?.string, let id = member["id"]?.string.flatMap({ UserID(wire: $0) }) else { continue }
            var tokens: IssuedGrant?
            if let access = member["access_token"]?.string, let refresh = member["refresh_token"]?.string {
                tokens = IssuedGrant(
                    accessToken: access, refreshToken: refresh,
                    expiresAt: Timestamp(milliseconds: member["expires_at"]?.integer ?? 0))
            }
            add(
                FixturePerson(
                    name: name, id: id, email: member["email"]?.string ?? "", password: member["password"]?.string ?? "",
                    tokens: tokens))
        }
    }
}
