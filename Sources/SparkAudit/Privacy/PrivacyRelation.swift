import SparkCore

/// What two people are to each other when one of them looks. A new relation is one more case, its class and its arrangement.
package enum PrivacyRelation: String, CaseIterable, Sendable {
    case stranger
    case passedMe = "passed me"
    case neverExisted = "never existed"
    case blockedMe = "blocked me"
    case iBlocked = "I blocked"
    case incognito
    case paused
    case closed
    /// Only where the audit is given the power to suspend.
    case suspended
    case unmatchedMe = "unmatched me"
    case iUnmatched = "I unmatched"
    case matchedThenBlockedMe = "matched, then blocked me"
    case matched
    case matchedAndPaused = "matched and paused"
    case matchedAndIncognito = "matched and incognito"

    /// Relations that must look alike.
    package enum Class: String, CaseIterable, Sendable {
        /// Whoever has made no decision that I may know of.
        case present
        /// Whoever I may not see: there is nobody.
        case absent
        /// Whoever I met.
        case met
    }

    package var privacyClass: Class {
        switch self {
        case .stranger, .passedMe: .present
        case .neverExisted, .blockedMe, .iBlocked, .incognito, .paused, .closed, .suspended, .unmatchedMe, .iUnmatched,
            .matchedThenBlockedMe:
            .absent
        case .matched, .matchedAndPaused, .matchedAndIncognito: .met
        }
    }

    /// My own acts are in my own lists: there I differ from whoever did nothing, and learn nothing.
    var leavesTraces: Bool { [.iBlocked, .unmatchedMe, .iUnmatched, .matchedThenBlockedMe].contains(self) }

    /// Brings the relation about.
    /// - Parameters:
    ///   - subject: nil for who never existed.
    ///   - suspend: what an operator can do to an account.
    func arrange(
        _ subject: AuditAccount?, with viewer: AuditAccount, suspend: (@Sendable (String) async throws -> Void)?
    ) async throws {
        guard let subject else { return }
        switch self {
        case .stranger, .neverExisted: break
        case .passedMe: try await subject.swipe(viewer.id, "pass")
        case .blockedMe: try await subject.block(viewer.id)
        case .iBlocked: try await viewer.block(subject.id)
        case .incognito: try await subject.hide(["incognito": true])
        case .paused: try await subject.hide(["paused": true])
        case .closed: _ = try await subject.call("DELETE", "/api/v1/me")
        case .suspended: try await suspend?(subject.id)
        case .unmatchedMe: try await subject.unmatch(try await match(subject, viewer))
        case .iUnmatched: try await viewer.unmatch(try await match(subject, viewer))
        case .matchedThenBlockedMe:
            _ = try await match(subject, viewer)
            try await subject.block(viewer.id)
        case .matched: _ = try await match(subject, viewer)
        case .matchedAndPaused:
            _ = try await match(subject, viewer)
            try await subject.hide(["paused": true])
        case .matchedAndIncognito:
            _ = try await match(subject, viewer)
            try await subject.hide(["incognito": true])
        }
    }

    private func match(_ subject: AuditAccount, _ viewer: AuditAccount) async throws -> String {
        try await subject.swipe(viewer.id, "like")
        let answer = try await viewer.swipe(subject.id, "like")
        guard let match = answer["match"]?["id"]?.string else { throw AuditError.blind(attack: "matching two people") }
        return match
    }
}

extension AuditAccount {
    @discardableResult
    func swipe(_ target: String, _ action: String) async throws -> JSONValue {
        try await call("POST", "/api/v1/swipes", ["target_id": .string(target), "action": .string(action)])
    }

    func block(_ target: String) async throws { _ = try await call("POST", "/api/v1/blocks", ["target_id": .string(target)]) }

    func unmatch(_ match: String) async throws { _ = try await call("DELETE", "/api/v1/matches/\(match)") }

    func hide(_ visibility: JSONValue) async throws { _ = try await call("PATCH", "/api/v1/me", ["visibility": visibility]) }
}
