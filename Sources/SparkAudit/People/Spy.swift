import SparkClient
package import SparkCore
import Synchronization

/// An attacker who queries the server from chosen places, with as many accounts as necessary: when the server rejects an
/// account's moves, the next account takes over.
package final class Spy: Sendable {
    /// The page size of a deck.
    private static let deckLength = 100

    private struct State {
        var account: AuditAccount
        /// The account's current distance limit.
        var kilometres = Cast.kilometres
        var wantedKilometres = Cast.kilometres
    }

    private let cast: Cast
    private let role: AuditRole
    private let state: Mutex<State>

    init(_ role: AuditRole, in cast: Cast) async throws {
        self.cast = cast
        self.role = role
        self.state = Mutex(State(account: try await cast.newcomer(role)))
    }

    private var account: AuditAccount { state.withLock { $0.account } }

    package var id: String { account.id }

    /// Moves to a place.
    /// - Returns: the spy's place according to the server, from which it measures all its answers.
    package func stand(at place: Coordinate) async throws -> Coordinate {
        if let published = try await account.move(to: place) { return published }
        let newcomer = try await cast.newcomer(role)
        state.withLock { ($0.account, $0.kilometres) = (newcomer, Cast.kilometres) }
        guard let published = try await newcomer.move(to: place) else {
            throw AuditError.refused(status: 429, code: "profiles.location")
        }
        return published
    }

    /// Sets the distance limit for the following queries.
    package func look(kilometres: Int) { state.withLock { $0.wantedKilometres = kilometres } }

    /// The shown distance of a person; nil when none is shown, for example beyond the spy's distance limit.
    package func distance(to target: String) async throws -> Int? {
        let answer = try await settledAccount().send("GET", "/api/v1/users/\(target)?fields=distance_km")
        return answer.json["distance_km"]?.integer.map { Int($0) }
    }

    /// Whether the deck includes a person.
    package func sees(_ target: String) async throws -> Bool { try await deck().contains { $0.id == target } }

    /// A person's score in the deck; nil when the deck does not include the person.
    package func score(of target: String) async throws -> Double? { try await deck().first { $0.id == target }?.score }

    /// Whether the first of two people is nearer to the front of the deck; nil when one of them is missing.
    package func prefers(_ one: String, to other: String) async throws -> Bool? {
        let deck = try await deck()
        guard let first = deck.firstIndex(where: { $0.id == one }), let second = deck.firstIndex(where: { $0.id == other })
        else { return nil }
        return first < second
    }

    /// Whether the person's like awaits the spy's answer.
    package func isLiked(by target: String) async throws -> Bool {
        let account = try await settledAccount()
        let answer = try await account.call("GET", "/api/v1/likes?limit=\(Self.deckLength)")
        return (answer["items"]?.array ?? []).contains { $0["user"]?["id"]?.string == target }
    }

    /// How many people in reach the server counts as decided.
    package func decidedPeople() async throws -> Int {
        let account = try await settledAccount()
        let answer = try await account.call("GET", "/api/v1/me/deck/why")
        let decided = answer["removed"]?.array?.first { $0["filter"] == "decided" }
        return decided?["people"]?.integer.map { Int($0) } ?? 0
    }

    /// Swipes on a person.
    package func swipe(_ target: String, _ action: String) async throws { try await account.swipe(target, action) }

    private func deck() async throws -> [(id: String, score: Double)] {
        let account = try await settledAccount()
        let answer = try await account.call("GET", "/api/v1/matches/suggestions?limit=\(Self.deckLength)")
        return (answer["items"]?.array ?? []).compactMap { item in
            item["id"]?.string.map { ($0, item["score"]?.double ?? 0) }
        }
    }

    /// The account, after applying the wanted distance limit.
    private func settledAccount() async throws -> AuditAccount {
        let (account, wanted) = state.withLock { ($0.account, $0.kilometres == $0.wantedKilometres ? nil : $0.wantedKilometres) }
        if let wanted {
            try await account.look(kilometres: wanted)
            state.withLock { $0.kilometres = wanted }
        }
        return account
    }
}
