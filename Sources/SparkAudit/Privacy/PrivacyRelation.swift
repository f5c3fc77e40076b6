import SparkCore

/// The relation between two people when one of them queries. A new relation needs a case, its class and its arrangement.
package enum PrivacyRelation: String, CaseIterable, Sendable {
    case stranger
    case passedMe = "passed me"
    case neverExisted = "never existed"
    case blockedMe = "blocked me"
    case iBlocked = "I blocked"
    case incognito
    case paused
    case closed
    /// Only if the audit may suspend.
    case suspended
    /// Only if the audit may erase.
    case erased
    case closedThenErased = "closed, then erased"
    case unmatchedMe = "unmatched me"
    case iUnmatched = "I unmatched"
    case matchedThenBlockedMe = "matched, then blocked me"
    case matchedThenClosed = "matched, then closed"
    case matchedThenSuspended = "matched, then suspended"
    case matchedThenErased = "matched, then erased"
    case matchedThenClosedAndErased = "matched, then closed and erased"
    case matched
    case matchedAndPaused = "matched and paused"
    case matchedAndIncognito = "matched and incognito"

    /// Relations whose answers must be indistinguishable.
    package enum Class: String, CaseIterable, Sendable {
        /// People who have made no decision that the viewer may know of.
        case present
        /// People the viewer may not see; answers are as for an unknown identifier.
        case absent
        /// The viewer's matches.
        case met
        /// Former matches that the other person ended in any way: as absent as others, and alike in what the viewer keeps.
        case ended
    }

    package var privacyClass: Class {
        switch self {
        case .stranger, .passedMe: .present
        case .neverExisted, .blockedMe, .iBlocked, .incognito, .paused, .closed, .suspended, .erased, .closedThenErased,
            .unmatchedMe, .iUnmatched, .matchedThenBlockedMe, .matchedThenClosed, .matchedThenSuspended, .matchedThenErased,
            .matchedThenClosedAndErased:
            .absent
        case .matched, .matchedAndPaused, .matchedAndIncognito: .met
        }
    }

    /// Whether the other person ended the match.
    private var isEnded: Bool {
        [
            .unmatchedMe, .matchedThenBlockedMe, .matchedThenClosed, .matchedThenSuspended, .matchedThenErased,
            .matchedThenClosedAndErased,
        ].contains(self)
    }

    /// Whether answers to this kind of probe are compared within a class.
    func isCompared(in privacyClass: Class, _ kind: PrivacyProbe.Kind) -> Bool {
        switch (kind, privacyClass) {
        case (.former, _): privacyClass == .ended && isEnded
        case (.own, .ended): isEnded
        // The viewer's own acts appear in the viewer's lists; that difference reveals nothing.
        case (.own, _): self.privacyClass == privacyClass && !isEnded && self != .iBlocked && self != .iUnmatched
        case (.protective, _): self.privacyClass == privacyClass && self != .neverExisted
        case (.naming, _): self.privacyClass == privacyClass
        }
    }

    private var isSuspended: Bool { self == .suspended || self == .matchedThenSuspended }
    private var isErased: Bool {
        [.erased, .closedThenErased, .matchedThenErased, .matchedThenClosedAndErased].contains(self)
    }

    /// Whether an audit with these powers can arrange the relation.
    func isPossible(with powers: AuditPowers) -> Bool {
        (!isSuspended || powers.suspend != nil) && (!isErased || powers.erase != nil)
    }

    /// Arranges the relation.
    /// - Parameter subject: nil for a person who never existed.
    /// - Returns: the match and conversation of the two, if they were matched.
    func arrange(
        _ subject: AuditAccount?, with viewer: AuditAccount, powers: AuditPowers
    ) async throws -> PrivacyMeeting? {
        guard let subject else { return nil }
        var meeting: PrivacyMeeting?
        switch self {
        case .unmatchedMe, .iUnmatched, .matchedThenBlockedMe, .matchedThenClosed, .matchedThenSuspended, .matchedThenErased,
            .matchedThenClosedAndErased, .matched, .matchedAndPaused, .matchedAndIncognito:
            meeting = try await PrivacyMeeting(of: subject, with: viewer)
        default: break
        }
        switch self {
        case .stranger, .neverExisted, .matched: break
        case .passedMe: try await subject.swipe(viewer.id, "pass")
        case .blockedMe, .matchedThenBlockedMe: try await subject.block(viewer.id)
        case .iBlocked: try await viewer.block(subject.id)
        case .incognito, .matchedAndIncognito: try await subject.hide(["incognito": true])
        case .paused, .matchedAndPaused: try await subject.hide(["paused": true])
        case .closed, .matchedThenClosed: _ = try await subject.call("DELETE", "/api/v1/me")
        case .suspended, .matchedThenSuspended: try await powers.suspend?(subject.id)
        case .erased, .matchedThenErased: try await powers.erase?(subject.id)
        case .closedThenErased, .matchedThenClosedAndErased:
            _ = try await subject.call("DELETE", "/api/v1/me")
            try await powers.erase?(subject.id)
        case .unmatchedMe: if let meeting { try await subject.unmatch(meeting.match) }
        case .iUnmatched: if let meeting { try await viewer.unmatch(meeting.match) }
        }
        return meeting
    }
}

/// The operator actions available to the audit beyond what account owners can do. Relations that need a missing power are
/// skipped.
package struct AuditPowers: Sendable {
    /// Performs an operator action on the user with this identifier.
    package typealias Power = @Sendable (_ user: String) async throws -> Void

    let suspend: Power?
    let erase: Power?

    package init(suspend: Power? = nil, erase: Power? = nil) {
        self.suspend = suspend
        self.erase = erase
    }
}

/// A match of a subject and a viewer in which each sent one message.
struct PrivacyMeeting: Sendable {
    let match: String
    let conversation: String

    init(of subject: AuditAccount, with viewer: AuditAccount) async throws {
        try await subject.swipe(viewer.id, "like")
        let answer = try await viewer.swipe(subject.id, "like")
        guard let match = answer["match"]?["id"]?.string, let conversation = answer["match"]?["conversation_id"]?.string else {
            throw AuditError.blind(attack: "matching two people")
        }
        (self.match, self.conversation) = (match, conversation)
        for (writer, name) in [(viewer, "viewer"), (subject, "subject")] {
            _ = try await writer.call(
                "POST", "/api/v1/conversations/\(conversation)/messages",
                ["client_id": .string("audit-\(name)"), "text": .string("hello from the \(name)")])
        }
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
