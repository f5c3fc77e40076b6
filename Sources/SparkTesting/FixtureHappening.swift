public import SparkCore
public import Testing

extension SparkFixture {
    /// One thing that happened in a server.
    public struct Happening: Sendable {
        /// The kinds.
        public enum Kind: String, Sendable {
            /// An event that a module published with a commit, such as `matching.match_created`.
            case domain
            /// A numbered event of a person's stream, such as `message`.
            case stream
            /// An unnumbered frame to a person's devices, such as `typing`.
            case notice
            /// A fault that occurred.
            case fault
        }

        /// The kind.
        public let kind: Kind
        /// The event's name, or the frame's type.
        public let event: String
        /// When, by the server's clock.
        public let at: Timestamp
        /// The people that it is about; of a frame its receiver.
        public let who: [UserID]
        /// Their names in the test.
        public let names: [String]
        /// The event's members, or the frame.
        public let data: JSONValue

        init?(_ json: JSONValue) {
            guard let kind = json["kind"]?.string.flatMap({ Kind(rawValue: $0) }), let event = json["event"]?.string,
                let at = json["at"]?.string.flatMap({ Timestamp($0) })
            else { return nil }
            (self.kind, self.event, self.at) = (kind, event, at)
            self.who = (json["who"]?.array ?? []).compactMap { $0.string.flatMap { UserID(wire: $0) } }
            self.names = (json["names"]?.array ?? []).compactMap(\.string)
            self.data = json["data"] ?? .null
        }
    }

    /// A moment in the order of everything that happens.
    public struct Mark: Sendable {
        let number: Int64
    }

    /// Now: what happens from here on comes after this mark.
    public func mark() async throws(Failure) -> Mark {
        let answer = try await test("GET", "events?kind=fault")
        guard let number = answer["mark"]?.integer else { throw failure(.unexpected("events has no mark")) }
        return Mark(number: number)
    }

    /// What happened since a mark, in order.
    /// - Parameters:
    ///   - mark: nil for everything that is kept, the last 16,384.
    ///   - event: Only events of this name.
    ///   - kind: Only of this kind.
    ///   - person: Only what is about this person, by id or name.
    ///   - count: Waits until there are so many.
    ///   - patience: Waits at most so long, up to 30 seconds; then returns what there is.
    public func events(
        since mark: Mark? = nil, _ event: String? = nil, kind: Happening.Kind? = nil, about person: String? = nil,
        count: Int = 1, within patience: Duration = .zero
    ) async throws(Failure) -> [Happening] {
        let answer = try await test(
            "GET",
            FixtureQuery.path(
                "events",
                [
                    ("since", mark.map { "\($0.number)" }), ("kind", kind?.rawValue), ("event", event), ("user", person),
                ] + FixtureQuery.waiting(count: count, patience)))
        return (answer["items"]?.array ?? []).compactMap { Happening($0) }
    }

    /// Expects events after a mark, in this order, and records an issue if others happened.
    ///
    /// It looks as soon as there are so many events. One that comes later is found by the next look. If none is expected, it waits for
    /// the whole patience.
    /// - Parameters:
    ///   - expected: The events' names, in order; a name may occur several times.
    ///   - mark: Where to begin.
    ///   - kind: Only of this kind; nil for all.
    ///   - person: Only what is about this person, by id or name.
    ///   - allowsOthers: Whether other events may happen before, between and after them.
    ///   - patience: Waits at most so long for them; with others, for each that comes.
    /// - Returns: What happened, with the others.
    @discardableResult
    public func expectEvents(
        _ expected: [String], since mark: Mark, kind: Happening.Kind? = .domain, about person: String? = nil,
        allowsOthers: Bool = false, within patience: Duration = .seconds(2), sourceLocation: SourceLocation = #_sourceLocation
    ) async throws(Failure) -> [Happening] {
        var found = try await events(
            since: mark, kind: kind, about: person, count: expected.count, within: patience)
        while allowsOthers, !Self.contains(found.map(\.event), expected) {
            let count = found.count
            found = try await events(since: mark, kind: kind, about: person, count: count + 1, within: patience)
            if found.count == count { break }
        }
        let names = found.map(\.event)
        let isMet = allowsOthers ? Self.contains(names, expected) : names == expected
        if !isMet {
            let others = allowsOthers ? "" : " and no others"
            Issue.record("expected \(expected) in this order\(others); there were \(names)", sourceLocation: sourceLocation)
        }
        return found
    }

    /// Whether the expected names occur in this order, with anything in between.
    static func contains(_ names: [String], _ expected: [String]) -> Bool {
        var rest = expected[...]
        for name in names where name == rest.first { rest = rest.dropFirst() }
        return rest.isEmpty
    }
}
