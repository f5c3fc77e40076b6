import Spark
import SparkClient
import SparkCore
import SparkKit
import SparkServer
import SparkStorage
import SparkTestSupport
import Testing

/// An ephemeral server inside the test whose clock stands still on a Monday at ten, and whose time the test moves.
struct TimeTravelScene: Sendable {
    /// 2030-01-07T10:00:00Z.
    static let start = Timestamp(milliseconds: 1_894_010_400_000)
    /// How long a server for tests gathers the events of a push.
    static let window = Duration.milliseconds(250)
    static let paris = Coordinate(latitude: 48.85, longitude: 2.35)

    let spark: Spark.Instance
    let client: SparkClient
    let clock: any ClockControl

    init(_ settings: [String] = []) async throws {
        spark = try await Spark.start(settings: settings)
        client = SparkClient(patient: spark.listening.url)
        guard let clock = spark.server.clockControl else { throw NoClock() }
        self.clock = clock
        await clock.freeze(true)
        try await clock.set(Self.start)
    }

    private struct NoClock: Error {}

    /// Moves the clock to a time after the start.
    func go(to duration: Duration) async throws { try await clock.set(Self.start + duration) }

    /// The same person with a new session.
    func signIn(_ person: Person) async throws -> Person {
        let answer = try await client.logIn(person)
        return person.with(token: answer.json["access_token"]?.string ?? "")
    }

    func answer(
        _ method: String, _ path: String, as person: Person? = nil, _ body: JSONValue? = nil, key: String? = nil
    ) async throws -> SparkAnswer {
        let client = person?.client ?? client
        return try await client.send(method, "/api/v1\(path)", json: body, headers: key.map { [("Idempotency-Key", $0)] } ?? [])
    }

    func count(_ sql: String) async throws -> Int {
        try await spark.server.storage.read { try $0.value("SELECT count(*) FROM \(sql)", as: Int.self) ?? 0 }
    }

    /// When pushes to a person were sent, after the start.
    func pushes(to person: Person) async throws -> [Duration] {
        let sent = spark.server.fixture?.outbox.kept ?? []
        return sent.filter { $0.user == person.id }.map { $0.at - Self.start }
    }

    /// A device of a person whose pushes are only recorded.
    func device(of person: Person) async throws {
        let answer = try await answer("PUT", "/me/devices/phone", as: person, ["provider": "log", "token": "phone"])
        #expect(answer.status == 200, "\(answer.json)")
    }
}
