import SparkCore

extension SparkFixture {
    /// Something that is to go wrong.
    public struct Fault: Sendable {
        let name: String
        let match: [JSONMember]

        /// - Parameter match: Which occasions; members that are nil fit everything.
        private init(_ name: String, _ match: [(String, JSONValue?)]) {
            self.name = name
            self.match = match.compactMap { key, value in value.map { JSONMember(key, $0) } }
        }

        /// The push provider cannot be reached; the push is tried again after a second or less.
        /// - Parameters:
        ///   - person: By id or name; nil for everybody.
        ///   - provider: `apns`, `fcm`, `webpush` or `log`; nil for all.
        ///   - kind: The kind of the push; nil for all.
        public static func pushFails(to person: String? = nil, provider: String? = nil, kind: String? = nil) -> Fault {
            Fault("push.fail", push(person, provider, kind))
        }

        /// The push provider answers 429; the push is tried again likewise.
        public static func pushThrottled(to person: String? = nil, provider: String? = nil, kind: String? = nil) -> Fault {
            Fault("push.throttle", push(person, provider, kind))
        }

        /// A write takes longer, and the writes behind it wait.
        public static func slowWriter(by delay: Duration) -> Fault {
            Fault("writer.slow", [("delay_ms", .integer(delay.milliseconds))])
        }

        /// A write finds the disk full: 503 `storage.full`.
        public static let diskFull = Fault("disk.full", [])

        /// The socket of a person is cut without a close frame: now, or when the person connects.
        public static func socketCut(of person: String) -> Fault { Fault("stream.drop", [("user", .string(person))]) }

        /// A request waits before it is carried out.
        /// - Parameters:
        ///   - route: A path with or without its parameters' values; nil for every route.
        ///   - method: The HTTP method; nil for all.
        public static func delayed(_ route: String? = nil, method: String? = nil, by delay: Duration) -> Fault {
            Fault(
                "http.delay",
                [
                    ("route", route.map { .string($0) }), ("method", method.map { .string($0) }),
                    ("delay_ms", .integer(delay.milliseconds)),
                ])
        }

        private static func push(_ person: String?, _ provider: String?, _ kind: String?) -> [(String, JSONValue?)] {
            [("user", person), ("provider", provider), ("kind", kind)].map { ($0, $1.map { .string($0) }) }
        }
    }

    /// Lets something go wrong on the next occasions.
    public func inject(_ fault: Fault, times: Int = 1) async throws(Failure) {
        try await test(
            "POST", "faults",
            ["name": .string(fault.name), "times": .integer(Int64(times)), "match": .object(fault.match)])
    }

    /// From now on nothing goes wrong.
    public func clearFaults() async throws(Failure) { try await test("DELETE", "faults") }
}
