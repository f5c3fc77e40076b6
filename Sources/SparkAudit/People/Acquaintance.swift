import SparkCore

/// What a victim does to an attacker's account.
package enum VictimAct: Sendable {
    case like(String)
    case block(String)
    /// Likes back and unmatches. The attacker must have liked before.
    case matchAndUnmatch(String)
}

extension Victim {
    func act(_ act: VictimAct) async throws {
        switch act {
        case .like(let spy): try await account.swipe(spy, "like")
        case .block(let spy): try await account.block(spy)
        case .matchAndUnmatch(let spy):
            let answer = try await account.swipe(spy, "like")
            guard let match = answer["match"]?["id"]?.string else { throw AuditError.blind(attack: "matching the victim") }
            try await account.unmatch(match)
        }
    }
}
