import SparkCache
import SparkCore
import SparkKit

/// Answers to `GET /me/preferences`, ready to be sent.
struct PreferencesAnswers: Sendable {
    /// The seeds kept them for ten minutes; here each change makes them old at once, so they may stay for a day.
    static var policy: NamespacePolicy {
        var policy = NamespacePolicy("user:preferences", lifetime: .hours(24))
        policy.isPrefetched = true
        // Less than what an index entry, a header and a nonce take: made anew from the record faster than read from the disk.
        policy.isSpilled = false
        return policy
    }

    let records: ProfileRecords
    let namespace: CacheNamespace<UserID, [UInt8]>

    init(records: ProfileRecords, context: ModuleContext) throws {
        self.records = records
        self.namespace = try context.namespace(Self.policy)
    }

    /// Nil when there is no such person.
    func answer(for user: UserID) async throws -> [UInt8]? {
        try await namespace.value(user, tags: [.user(user)]) { [records] _ in
            try records.recordNow(of: user).map { JSONWriter.bytes(of: PreferencesView(preferences: $0.profile.preferences)) }
        }
    }
}
