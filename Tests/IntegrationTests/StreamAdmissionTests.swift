import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Synchronization
import Testing

/// Sockets, event streams and polls take places by person and by network, and release them however they end.
@Suite("Places of the stream")
struct StreamAdmissionTests {
    private enum Kind: CaseIterable { case socket, events, poll }

    /// Connections that are kept open; used from one thread at a time.
    private final class Crowd: @unchecked Sendable {
        // Guarded by use from one `onOwnThread` at a time.
        var members: [RawConnection] = []
    }

    private static func request(_ kind: Kind, _ token: String, from address: String? = nil) -> RawRequest {
        let plain: RawRequest
        switch kind {
        case .socket:
            plain = RawRequest.plain("GET", "/api/v1/ws", token: token).with("Upgrade", "websocket").with("Connection", "Upgrade")
                .with("Sec-WebSocket-Version", "13").with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        case .events: plain = RawRequest.plain("GET", "/api/v1/stream", token: token)
        case .poll: plain = RawRequest.plain("GET", "/api/v1/poll?offset=0&wait=60", token: token)
        }
        return address.map { plain.with("X-Forwarded-For", $0) } ?? plain
    }

    /// Opens a connection, and waits until it counts.
    private func open(
        _ crowd: Crowd, _ spark: SparkProcess, _ kind: Kind, _ person: Person, from address: String? = nil, used count: Int
    ) async throws {
        let (url, token) = (spark.url, person.client.token ?? "")
        try await onOwnThread {
            let connection = try RawConnection(url)
            connection.send(Self.request(kind, token, from: address).bytes)
            if kind != .poll { _ = try connection.bytes(12) }
            crowd.members.append(connection)
        }
        try await until("\(kind) of \(count)", every: .milliseconds(20)) { try await spark.usedStreams == count }
    }

    private func refusal(
        _ spark: SparkProcess, _ kind: Kind, _ person: Person, from address: String
    ) async throws -> RawAnswer? {
        let (url, token) = (spark.url, person.client.token ?? "")
        return try await onOwnThread {
            let connection = try RawConnection(url)
            connection.send(Self.request(kind, token, from: address).bytes)
            return try connection.answer()
        }
    }

    @Test(
        "sockets, event streams and polls of a network count together, by the address that a trusted proxy forwards",
        .timeLimit(.minutes(20)))
    func network() async throws {
        try await withSpark([
            "--ephemeral", "--set", "http.trusted_proxies=127.0.0.1", "--set", "limits.connections_per_network=4",
        ]) { spark in
            let (anna, ben) = (
                try await spark.client.person("anna"), try await spark.client.person("ben")
            )
            let crowd = Crowd()
            for (index, kind) in [Kind.socket, .events, .poll, .events].enumerated() {
                let person = index % 2 == 0 ? anna : ben
                try await open(crowd, spark, kind, person, from: "2001:db8::\(index + 1)", used: index + 1)
            }
            for kind in Kind.allCases {
                let answer = try await refusal(spark, kind, anna, from: "2001:db8::99")
                #expect(answer?.status == 429 && answer?.code == "admission.streams", "\(kind): \(answer?.text ?? "")")
                #expect(answer?.headers["retry-after"] != nil)
            }
            #expect(try await spark.usedStreams == 4)
            try await open(crowd, spark, .socket, ben, from: "2001:db8:0:1::1", used: 5)
            crowd.members.removeFirst(2)
            try await until("streams == 3", every: .milliseconds(20)) { try await spark.usedStreams == 3 }
            try await open(crowd, spark, .events, anna, from: "2001:db8::99", used: 4)
            crowd.members = []
            try await until("streams == 0", every: .milliseconds(20)) { try await spark.usedStreams == 0 }
        }
    }

    @Test(
        "sockets, event streams and polls of a person count together; the oldest gives way, of whatever kind",
        .timeLimit(.minutes(20)))
    func person() async throws {
        try await withSpark(["--ephemeral", "--set", "stream.connections_per_user=3"]) { spark in
            let anna = try await spark.client.person("anna")
            let crowd = Crowd()
            for (index, kind) in [Kind.socket, .events, .poll, .socket, .events, .poll, .socket].enumerated() {
                try await open(crowd, spark, kind, anna, used: min(3, index + 1))
            }
            // The first four have ended: the sockets with a close frame, the event stream with a time to come back, the poll with 429.
            let answer = try await onOwnThread {
                for index in [0, 3] {
                    while try crowd.members[index].bytes(1) != [0x88] {}
                    _ = try crowd.members[index].bytes(1)
                    #expect(try crowd.members[index].bytes(2) == [0x0F, 0xA9], "4009")
                }
                _ = try crowd.members[1].text(until: "retry: 15000")
                return try crowd.members[2].answer()
            }
            #expect(answer?.status == 429 && answer?.code == "stream.too_many_connections")
            #expect(try await spark.usedStreams == 3)
            crowd.members = []
            try await until("streams == 0", every: .milliseconds(20)) { try await spark.usedStreams == 0 }
        }
    }

    @Test("after a thousand connections that began and ended in every way no place is missing", .timeLimit(.minutes(20)))
    func leaks() async throws {
        let spark = try await SparkProcess.serve(["--ephemeral", "--set", "stream.connections_per_user=5"])
        var people: [Person] = []
        for name in ["anna", "ben", "carl"] { people.append(try await spark.client.person(name)) }
        let (url, tokens) = (spark.url, people.map { $0.client.token ?? "" })
        let seed = UInt64.random(in: .min ... .max)
        let crowd = Crowd()
        try await onOwnThread {
            var random = SeededGenerator(seed)
            for _ in 0..<1_000 {
                let kind = Kind.allCases.randomElement(using: &random) ?? .poll
                let token = tokens.randomElement(using: &random) ?? ""
                let connection = try RawConnection(url)
                let request = Self.request(kind, token)
                switch Int.random(in: 0..<8, using: &random) {
                case 0:  // A handshake, or a query, that is refused.
                    connection.send((kind == .socket ? request.without("Sec-WebSocket-Key") : request.without("Host")).bytes)
                    _ = try connection.answer()
                case 1:  // Nobody's token.
                    connection.send(Self.request(kind, "nobody").bytes)
                    _ = try connection.answer()
                case 2:  // Gone before anything is answered.
                    connection.send(request.bytes)
                    if Bool.random(using: &random) { connection.reset() }
                case 3:  // The sending side is closed, and no answer is read.
                    connection.send(request.bytes)
                    connection.finishSending()
                case 4 where kind == .poll:  // It ends by itself.
                    connection.send(RawRequest.plain("GET", "/api/v1/poll?offset=0&wait=0", token: token).bytes)
                    _ = try connection.answer()
                case 5 where kind != .poll:  // Open, then cut.
                    connection.send(request.bytes)
                    _ = try connection.bytes(12)
                    connection.reset()
                default:  // Stays for a while; later ones of the same person take its place.
                    connection.send(request.bytes)
                    if kind != .poll { _ = try connection.bytes(12) }
                    crowd.members.append(connection)
                    if crowd.members.count > 12 { crowd.members.remove(at: Int.random(in: 0..<12, using: &random)) }
                }
            }
        }
        try await until("seed \(seed): streams <= 15", every: .milliseconds(20)) {
            try await spark.usedStreams <= 15
        }
        crowd.members = []
        try await until("seed \(seed): streams == 0", every: .milliseconds(20)) {
            try await spark.usedStreams == 0
        }
        // All five places are free.
        for index in 0..<5 { try await open(crowd, spark, .events, people[0], used: index + 1) }
        #expect(await spark.end(SIGTERM) == 0)
        #expect(spark.complaints == [])
    }
}

/// SplitMix64.
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
