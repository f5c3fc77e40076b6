import SparkCache
import SparkCore
import SparkKit

/// The two members of a conversation, and whether it is gone. Typing signals are checked against this.
struct ConversationMembers: Hashable, Sendable {
    let userA: UserID
    let userB: UserID
    /// The conversation is gone; see `LiveConversation`.
    let isGone: Bool

    /// The other member, who receives the user's signals. Nil if the conversation is gone or the user is not in it.
    func other(than user: UserID) -> UserID? {
        guard !isGone, user == userA || user == userB else { return nil }
        return user == userA ? userB : userA
    }
}

extension ConversationMembers: CacheValue, CompactRecord {
    var cacheCost: Int { 32 }

    static let compact = CompactFields<ConversationMembers>(
        ConversationMembers.init(userA:userB:isGone:), \.userA, \.userB, \.isGone)
}

/// Caches the members of conversations.
struct ConversationMembersCache: Sendable {
    static let policy = NamespacePolicy("chat:conversation", lifetime: .hours(24))

    let store: any ChatStore
    private let namespace: CacheNamespace<ConversationID, ConversationMembers>

    init(store: any ChatStore, context: ModuleContext) throws {
        self.store = store
        self.namespace = try context.namespace(Self.policy)
    }

    /// The value in memory; nil on a miss. Never suspends.
    func peek(_ conversation: ConversationID) -> ConversationMembers? { namespace.peek(conversation) }

    /// The members of a conversation, loaded on a miss; nil if there is no such conversation.
    func companions(of conversation: ConversationID) async throws -> ConversationMembers? {
        try await namespace.value(conversation, tags: [.conversation(conversation)]) { [store] dependencies in
            guard let found = try await store.conversation(conversation) else { return nil }
            // The members of a conversation never change, so their tags may be declared after this read. What can change is read
            // below.
            for user in found.users { dependencies.depend(on: .conversations(of: user)) }
            do {
                _ = try await store.live(conversation, of: found.userA)
                return ConversationMembers(userA: found.userA, userB: found.userB, isGone: false)
            } catch ChatError.gone {
                return ConversationMembers(userA: found.userA, userB: found.userB, isGone: true)
            }
        }
    }
}
