import SparkAccounts
import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

/// A town with only the data that accounts need.
struct PlainTown: DemoTown {
    let count: Int
    let seed: UInt64 = 1
    let now = TestServer.startOfTime

    func id(_ index: Int) -> UserID { UserID(rawValue: Int64(index) + 1_000) }
    func neighbours(of index: Int) -> Range<Int> { 0..<count }

    func person(_ index: Int) -> DemoPerson {
        DemoPerson(
            id: id(index), email: "person\(index)@demo.invalid", name: "P", birthDate: CivilDate(daysSinceEpoch: 0), gender: .man,
            preferences: Preferences(
                interestedIn: .everyone, minAge: 18, maxAge: 99, maxDistanceKilometres: 50, isAgeHard: false,
                isDistanceHard: false), visibility: Visibility(), about: "", interests: [], place: place,
            createdAt: now - .days(3), lastActiveAt: now)
    }

    private let place: Coordinate

    init?(count: Int) {
        guard let place = Coordinate(latitude: 48.85, longitude: 2.35) else { return nil }
        self.count = count
        self.place = place
    }
}

@Suite("Demo accounts")
struct DemoTests {
    @Test("everybody has an account, and nobody has a password")
    func loads() async throws {
        try await withServer { server in
            try server.load(try #require(PlainTown(count: 60_001)))
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_users WHERE password_hash IS NULL") == 60_001)
            #expect(try await server.logIn("person0@demo.invalid").status == 401)
            let issuing = try server.port((any TokenIssuing).self)
            let last = try #require(try await issuing.user(withEmail: "person60000@demo.invalid"))
            #expect(last == UserID(rawValue: 61_000))
            let token = try await issuing.issueToken(for: last).token
            #expect(try await server.status(with: token) == 200)
        }
    }
}
