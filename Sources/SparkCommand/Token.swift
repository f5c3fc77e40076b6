import ArgumentParser
import Spark

/// The person that a verb refers to does not exist.
struct UnknownPerson: Error {
    let name: String
    var mayBeClosed = false

    var text: String {
        let subject = OperatorSubject.user(name)
        guard mayBeClosed else { return subject.isUnknown }
        return
            "there is no user \(Display.text(name)), or the account is closed or suspended; spark user show \(Display.text(name)) says which"
    }
}

struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Print access tokens for users, without a password.",
        discussion: "Works beside a running server. The tokens expire like any other.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "Ids or e-mail addresses of users; the answer has one line for each.")
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
            case .failure(let error as UnknownPerson):
                Terminal.fail(error.text)
                throw ExitCodes.noUser
            case .failure(let error): throw error
            }
        }
    }

    private func issueAll(on server: Server) async -> Result<[(token: String, expiresAt: Timestamp)], any Error> {
        do {
            guard let issuer = server.port((any TokenIssuing).self) else {
                throw ConfigurationError(faults: ["modules.disabled: without the module accounts there are no tokens"])
            }
            var tokens: [(token: String, expiresAt: Timestamp)] = []
            for user in users {
                let named = try await issuer.user(withEmail: user)
                guard let id = UserID(wire: user) ?? named else { throw UnknownPerson(name: user) }
                do {
                    tokens.append(try await issuer.issueToken(for: id))
                } catch let error as any ClientError where [401, 403, 404].contains(error.status) {
                    throw UnknownPerson(name: user, mayBeClosed: true)
                }
            }
            return .success(tokens)
        } catch {
            return .failure(error)
        }
    }
}
