import Foundation
import HTTPTypes
import Logging
import Spark
import SparkBench
import SparkDemo
import SparkServer

/// Makes a data directory with people who are matched in pairs and logged in, through the server's own API.
struct ChatPairs {
    let directory: String
    let count: Int

    private struct Refused: Error { let status: Int }

    /// - Returns: the accounts, two consecutive ones per pair.
    func make(_ progress: @escaping @Sendable (String, Int) -> Void) async throws -> [SparkDialect.Account] {
        let settings = ["http.writes_per_minute=0", "http.reads_per_minute=0", "matching.likes_per_day=100000"]
        let server = try Server(
            Server.Options(
                modules: sparkModules,
                configuration: try LoadedConfiguration(schema: ConfigurationSchema(modules: sparkModules), flags: settings),
                directory: try DataDirectory(path: directory),
                logger: Logger(label: "spark.bench") { _ in SwiftLogNoOpLogHandler() }))
        do {
            let accounts = try await makePairs(on: server, progress)
            await server.close()
            return accounts
        } catch {
            await server.close()
            throw error
        }
    }

    private func makePairs(
        on server: Server, _ progress: @escaping @Sendable (String, Int) -> Void
    ) async throws -> [SparkDialect.Account] {
        // A surplus of people: some pairs cannot match, because one of them passed before or was unmatched.
        let town = GeneratedTown(count: count * 2 + 200, seed: 1, now: SystemWallClock().now())
        try server.load(town) { progress($0, $1) }
        try await server.prepare()
        guard let issuer = server.port((any TokenIssuing).self) else { return [] }
        var accounts: [SparkDialect.Account] = []
        for pair in 0..<(town.count / 2) where accounts.count < count {
            let (a, b) = (town.id(pair * 2), town.id(pair * 2 + 1))
            let tokens = (try await issuer.issueToken(for: a).token, try await issuer.issueToken(for: b).token)
            _ = try await like(b, token: tokens.0, on: server)
            guard let conversation = try await like(a, token: tokens.1, on: server) else { continue }
            accounts.append(SparkDialect.Account(token: tokens.0, conversation: conversation))
            accounts.append(SparkDialect.Account(token: tokens.1, conversation: conversation))
            progress("pairs", accounts.count)
        }
        return accounts
    }

    /// - Returns: the conversation, if the like made a match.
    private func like(_ target: UserID, token: String, on server: Server) async throws -> String? {
        var request = HTTPRequest(method: .post, scheme: "http", authority: "bench", path: "/api/v1/swipes")
        request.headerFields[.authorization] = "Bearer \(token)"
        request.headerFields[.contentType] = "application/json"
        let body = #"{"target_id":"\#(target.wire)","action":"like"}"#
        let (head, answer) = try await server.answer(request, body: Array(body.utf8), peerAddress: "127.0.0.1")
        guard head.status.code < 500 else { throw Refused(status: head.status.code) }
        return (try? JSONParser.parse(answer))?["match"]?["conversation_id"]?.string
    }
}
