import ArgumentParser
import Spark

struct Why: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Explain why one person is or is not in another's deck, filter by filter.",
        discussion: "Exact, from the database; works beside a running server. Exit code 0 when in the deck, 1 when not.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The viewer: an id or an e-mail address.")
    var viewer: String

    @Argument(help: "The candidate: an id or an e-mail address.")
    var candidate: String

    func run() async throws {
        let explanation = try await reporting {
            let server = try common.openServer(try common.load())
            let result = await explain(on: server)
            await server.close()
            do {
                return try result.get()
            } catch let error as UnknownPerson {
                Terminal.fail(error.text)
                throw ExitCodes.noUser
            }
        }
        if common.json {
            Terminal.say(json: explanation)
        } else {
            for check in explanation.checks { Terminal.say("\(check.holds ? "yes" : "NO ")  \(check.name): \(check.detail)") }
            Terminal.say(summary(explanation))
        }
        if explanation.position == nil { throw ExitCodes.faultsFound }
    }

    private func explain(on server: Server) async -> Result<PairExplanation, any Error> {
        do {
            guard let issuer = server.port((any TokenIssuing).self), let explainer = server.port((any PairExplaining).self) else {
                throw ConfigurationError(faults: ["modules.disabled: without accounts and matching there is no deck"])
            }
            var ids: [UserID] = []
            for name in [viewer, candidate] {
                let named = try await issuer.user(withEmail: name)
                guard let id = UserID(wire: name) ?? named else { throw UnknownPerson(name: name) }
                ids.append(id)
            }
            guard let found = try await explainer.explain(ids[1], for: ids[0]) else {
                // A found address has an account, so the unknown one is an identifier.
                let ids = [viewer, candidate].filter { UserID(wire: $0) != nil }
                throw UnknownPerson(name: ids.joined(separator: " or "))
            }
            return .success(found)
        } catch {
            return .failure(error)
        }
    }

    private func summary(_ explanation: PairExplanation) -> String {
        let score = explanation.score.map { ", score \(Double($0) / 1_000_000)" } ?? ""
        if let position = explanation.position {
            return "In the deck (\(explanation.deckStage)) at position \(position)\(score)."
        }
        guard let stage = explanation.stage else { return "Not in the deck\(score)." }
        return stage == explanation.deckStage
            ? "A candidate (\(stage)), but behind the first 128\(score)."
            : "A candidate only at the stage \(stage); the deck is answered at the stage \(explanation.deckStage)\(score)."
    }
}
