package import SparkClient
package import SparkCore

/// Sends every query that a user can send to a running server, once per relation between two people, and compares the answers.
/// Status, body, size, headers and presence in lists must not reveal private facts.
///
/// For each relation a viewer and a subject meet, with four bystanders, so that one person more or less shows in counts, which
/// come in steps of five. All accounts are closed at the end.
package struct PrivacyAudit: Sendable {
    private static let atOnce = 4
    private static let bystanders = 4

    private let client: SparkClient
    private let powers: AuditPowers

    /// - Parameter client: unauthenticated.
    package init(client: SparkClient, powers: AuditPowers = AuditPowers()) {
        self.client = client
        self.powers = powers
    }

    /// The server's operations that name a person and have no probe.
    package static func missing(in document: JSONValue) -> [String] { PrivacyProbe.missing(in: document) }

    /// - Parameters:
    ///   - progress: called with the number of completed relations and the total.
    ///   - notice: called with a sentence about a wait or a problem.
    /// - Throws: `AuditError`, and the transport's errors when the server cannot be reached.
    package func run(
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in },
        notice: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> PrivacyReport {
        try await Cast.with(client, notice: notice) { try await run(in: $0, progress: progress) }
    }

    private func run(
        in cast: Cast, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
    ) async throws -> PrivacyReport {
        let document = try await client.send("GET", "/openapi.json", body: nil).json
        let probes = PrivacyProbe.plan(for: document)
        let relations = PrivacyRelation.allCases.filter { $0.isPossible(with: powers) }
        progress(0, relations.count)
        var rows: [PrivacyRelation: PrivacyRow] = [:]
        try await withThrowingTaskGroup(of: (PrivacyRelation, PrivacyRow).self) { group in
            for (number, relation) in relations.enumerated() {
                if number >= Self.atOnce, let (done, row) = try await group.next() {
                    rows[done] = row
                    progress(rows.count, relations.count)
                }
                group.addTask { (relation, try await observe(relation, number: number, probes, in: cast)) }
            }
            for try await (done, row) in group {
                rows[done] = row
                progress(rows.count, relations.count)
            }
        }
        return try PrivacyReport(rows, probes: probes)
    }

    private func observe(
        _ relation: PrivacyRelation, number: Int, _ probes: [PrivacyProbe], in cast: Cast
    ) async throws -> PrivacyRow {
        // Each relation has its own town, too far from the others to appear in their lists.
        guard let town = Coordinate(latitude: 20, longitude: -175 + Double(number) * 12) else { throw AuditError.noHome }
        func settler(_ role: AuditRole) async throws -> AuditAccount {
            let account = try await cast.newcomer(role)
            guard try await account.move(to: town) != nil else { throw AuditError.blind(attack: "settling in a town") }
            return account
        }
        let viewer = try await settler(.spy)
        let subject = relation == .neverExisted ? nil : try await settler(.victim)
        var names = [viewer.id: "{viewer}"]
        for _ in 0..<Self.bystanders { names[try await settler(.victim).id] = "{bystander}" }
        let nobody = UserID(rawValue: Int64(bitPattern: SystemRandomSource().next() >> 2)).wire
        let id = subject?.id ?? nobody
        names[id] = PrivacyObservation.subject
        // The subject is online, which only a match may know.
        let presence = try await subject?.connect()
        defer { presence?.close() }
        let meeting = try await relation.arrange(subject, with: viewer, powers: powers)
        var row: PrivacyRow = [:]
        row[Self.watching] = try await watch(id, by: viewer, names: names)
        for probe in probes where probe.kind != .former || (meeting != nil && relation.privacyClass == .absent) {
            let answer = try await viewer.send(
                probe.method, probe.path(naming: id, meeting), probe.body(naming: id, meeting))
            row[probe] = PrivacyObservation(
                status: answer.status, headers: answer.headers, body: answer.json, names: names)
        }
        return row
    }

    static let watching = PrivacyProbe(.naming, "presence.watch", "{id}")

    /// The first presence frame of a watched person. Later frames exist only for matches, so they are left out.
    private func watch(_ id: String, by viewer: AuditAccount, names: [String: String]) async throws -> PrivacyObservation {
        let stream = try await viewer.connect()
        defer { stream.close() }
        _ = try await stream.next("live")
        stream.send(["type": "presence.watch", "users": [.string(id)]])
        let frame = try await stream.next("presence")
        stream.send(["type": "typing", "conversation": .string(ConversationID(rawValue: 77).wire), "on": true])
        stream.send(["type": "ping", "n": 1])
        _ = try await stream.next("pong")
        return PrivacyObservation(status: 0, headers: [:], body: frame, names: names)
    }
}

/// The observations of one relation.
typealias PrivacyRow = [PrivacyProbe: PrivacyObservation]

extension AuditAccount {
    /// Opens the stream and sends `hello`.
    func connect() async throws -> StreamClient {
        let stream = try await StreamClient.connect(to: authenticatedClient)
        stream.send(["type": "hello", "v": 1, "offset": 0])
        return stream
    }
}
