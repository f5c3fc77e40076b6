import ArgumentParser
import Spark

struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print access tokens for users, without a password.",
        discussion: "Works beside a running server. A token ends like any other.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "Ids or e-mail addresses of users; a line each is printed.")
    var users: [String]

    func run() async throws {
        try await reporting {
            let server = try common.openServer(try common.load())
            let result = await issueAll(on: server)
            await server.close()
            switch result {
            case .success(let tokens):
                for (token, expiresAt) in tokens {
                    if common.json {
                        Terminal.say(
                            json: ["access_token": .string(token), "expires_at": .string("\(expiresAt)")] as JSONValue)
                    } else {
                        Terminal.say(token)
                    }
                }
            case .failure:
                Terminal.fail("there is no such user, or the account is closed")
                throw ExitCodes.noUser
            }
        }
    }

    private func issueAll(on server: Server) async -> Result<[(token: String, expiresAt: Timestamp)], any Error> {
        do {
            guard let issuer = server.port((any TokenIssuing).self) else { throw EdgeError.notFound }
            var tokens: [(token: String, expiresAt: Timestamp)] = []
            for user in users {
                let named = try await issuer.user(withEmail: user)
                guard let id = UserID(wire: user) ?? named else { throw EdgeError.notFound }
                tokens.append(try await issuer.issueToken(for: id))
            }
            return .success(tokens)
        } catch {
            return .failure(error)
        }
    }
}
