public import SparkCore

extension SparkFixture {
    /// The clock that every rule of a server follows. It begins with the time of day and runs.
    ///
    /// A move returns when everything is done that falls due on the way, at its time and in its order.
    public struct Clock: Sendable {
        let fixture: SparkFixture

        /// Moves the clock forward.
        /// - Returns: The new time.
        @discardableResult
        public func advance(by duration: Duration) async throws(Failure) -> Timestamp {
            try await move(["advance_seconds": .number(duration.inSeconds)])
        }

        /// Moves the clock forward to a time; an earlier one is refused.
        /// - Returns: The new time.
        @discardableResult
        public func set(to time: Timestamp) async throws(Failure) -> Timestamp {
            try await move(["set": .string(time.description)])
        }

        /// Stops the clock. It can still be moved.
        /// - Returns: The time at which it stands.
        @discardableResult
        public func freeze() async throws(Failure) -> Timestamp { try await move(["frozen": true]) }

        /// Lets a stopped clock run on.
        /// - Returns: The time from which it runs.
        @discardableResult
        public func run() async throws(Failure) -> Timestamp { try await move(["frozen": false]) }

        /// The time.
        public func now() async throws(Failure) -> Timestamp { try await move(["advance_seconds": 0]) }

        private func move(_ body: JSONValue) async throws(Failure) -> Timestamp {
            let text = try fixture.text(await fixture.test("POST", "clock", body), "now", of: "clock")
            guard let time = Timestamp(text) else { throw fixture.failure(.unexpected("clock answers \(text)")) }
            return time
        }
    }
}
