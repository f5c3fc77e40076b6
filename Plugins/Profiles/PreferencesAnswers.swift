import SparkCache
import SparkCore
import SparkKit

/// The encoded answers to `GET /me/preferences`.
struct PreferencesAnswers: Sendable {
    /// Every change invalidates the entry, so a lifetime of a day is safe.
    static var policy: NamespacePolicy {
        var policy = NamespacePolicy("user:preferences", lifetime: .hours(24))
        policy.isPrefetched = true
        // The answer is smaller than the index entry, header and nonce of a spilled value. Rebuilding it from the record is
        // faster than reading the disk.
        policy.isSpilled = false
        return policy
    }

    let records: ProfileRecords
    let namespace: CacheNamespace<UserID, [UInt8]>

    init(records: ProfileRecords, context: ModuleContext) throws {
        self.records = records
        self.namespace = try context.namespace(Self.policy)
    }

    /// The encoded preferences; nil if the user does not exist.
    func answer(for user: UserID) async throws -> [UInt8]? {
        try await namespace.value(user, tags: [.user(user)]) { [records] _ in
            try await records.recordNow(of: user).map {
                JSONWriter.bytes(of: PreferencesView(preferences: $0.profile.preferences))
            }
        }
    }
}
