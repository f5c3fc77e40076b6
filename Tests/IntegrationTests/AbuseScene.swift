import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

/// A server on which Ada and Ben are matched and Ada has blocked three others; the abuse comes from Ada.
struct AbuseScene: Sendable {
    /// Is in every refused text; must be in no answer and no log.
    static let marker = "Zq7Marker"

    let spark: SparkProcess
    let ada: Person
    let ben: Person
    let match: String

    static func start() async throws -> AbuseScene {
        let spark = try await SparkProcess.serve(["--ephemeral"])
        let pair = try await spark.client.matchedPair("Ada", "Ben", at: Coordinate(latitude: 48.8566, longitude: 2.3522))
        let (ada, ben) = (pair.first, pair.second)
        let matches = try await ada.client.call("GET", "/api/v1/matches")
        let match = try #require(matches["items"]?[0]?["id"]?.string)
        for name in ["Cleo", "Dora", "Eve"] {
            try await spark.client.block(spark.client.person(name), by: ada)
        }
        return AbuseScene(spark: spark, ada: ada, ben: ben, match: match)
    }

    var token: String { ada.client.token ?? "" }

    /// A request of Ada's.
    func request(_ method: String, _ target: String, json: String? = nil) -> RawRequest {
        .plain(method, target, token: token, json: json)
    }

    /// Sends bytes on a new connection and returns the answers, up to a number or until the server closes.
    func exchange(_ bytes: [UInt8], answers: Int = 1, isFinished: Bool = false) async throws -> [RawAnswer] {
        let url = spark.url
        return try await onOwnThread {
            let connection = try RawConnection(url)
            connection.send(bytes)
            if isFinished { connection.finishSending() }
            var all: [RawAnswer] = []
            while all.count < answers, let answer = try connection.answer() { all.append(answer) }
            return all
        }
    }

    func answer(to request: RawRequest) async throws -> RawAnswer {
        try #require(try await exchange(request.bytes).first, "the server closed without a word")
    }

    /// The state that must be unchanged, on both sides.
    func state() async throws -> [String] {
        var all: [String] = []
        for person in [ada, ben] {
            for path in ["/me", "/me/preferences", "/matches", "/likes", "/blocks", "/matches/suggestions"] {
                let answer = try await person.client.send("GET", "/api/v1\(path)", body: nil)
                #expect(answer.status == 200)
                all.append(String(decoding: answer.body, as: UTF8.self))
            }
        }
        return all
    }

    /// Runs `abuse`; nothing changes, the server lives, its log is silent and it stops as usual.
    func unharmed(_ abuse: () async throws -> Void) async throws {
        let before = try await state()
        try await abuse()
        #expect(try await state() == before)
        #expect(kill(spark.pid, 0) == 0)
        #expect(try await spark.client.call("GET", "/readyz")["status"] == "ok")
        #expect(await spark.end(SIGTERM) == 0)
        #expect(spark.complaints == [])
    }
}

/// The answer is a problem document with this status and code, and repeats nothing of the request.
func expectProblem(
    _ answer: RawAnswer, _ status: Int, _ code: String? = nil, _ what: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let json = answer.json
    #expect(answer.status == status, "\(what): \(answer.text)", sourceLocation: sourceLocation)
    #expect(answer.headers["content-type"] == "application/problem+json", "\(what)", sourceLocation: sourceLocation)
    #expect(json["status"]?.integer == Int64(status), "\(what)", sourceLocation: sourceLocation)
    if let code { #expect(answer.code == code, "\(what)", sourceLocation: sourceLocation) }
    for member in ["type", "title", "code", "detail", "request_id"] {
        #expect(json[member]?.string?.isEmpty == false, "\(what): \(member)", sourceLocation: sourceLocation)
    }
    #expect(json["temporary"]?.bool != nil, "\(what)", sourceLocation: sourceLocation)
    let whole = answer.headers.map { "\($0.key): \($0.value)" }.joined(separator: "\n") + answer.text
    #expect(!whole.contains(AbuseScene.marker), "\(what)", sourceLocation: sourceLocation)
}
