import ArgumentParser
import Spark

struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print an access token for a user, without a password.",
        discussion: "Works beside a running server. The token ends like any other.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "A user's id or e-mail address.")
    var user: String

    func run() async throws {
        try await reporting {
            let server = try common.openServer(try common.load())
            let result = await issue(on: server)
            await server.close()
            switch result {
            case .success(let (token, expiresAt)):
                if common.json {
                    Terminal.say(
                        json: ["access_token": .string(token), "expires_at": .string("\(expiresAt)")] as JSONValue)
                } else {
                    Terminal.say(token)
                }
            case .failure:
                Terminal.fail("there is no such user, or the account is closed")
                throw ExitCodes.noUser
            }
        }
    }

    private func issue(on server: Server) async -> Result<(token: String, expiresAt: Timestamp), any Error> {
        do {
            guard let issuer = server.port((any TokenIssuing).self) else { throw EdgeError.notFound }
            let named = try await issuer.user(withEmail: user)
            guard let id = UserID(wire: user) ?? named else { throw EdgeError.notFound }
            return .success(try await issuer.issueToken(for: id))
        } catch {
            return .failure(error)
        }
    }
}
