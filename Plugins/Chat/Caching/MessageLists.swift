import SparkCache
import SparkCore
import SparkKit

/// Reads messages of conversations by place. The newest messages of each conversation come from the cache.
struct MessageLists: Sendable {
    /// How many messages from the end of a conversation are cached. Older ones are read from the store.
    private static let depth: Int64 = 1_000

    static var policy: NamespacePolicy {
        var policy = NamespacePolicy("chat:messages", lifetime: .hours(24))
        policy.maximumValueBytes = 1 << 20
        // Spilled bytes stay in the file until they are overwritten, which may be long after a message is deleted.
        policy.isSpilled = false
        return policy
    }

    let store: any ChatStore
    private let namespace: CacheNamespace<MessageChunk.Key, MessageChunk>

    init(store: any ChatStore, context: ModuleContext) throws {
        self.store = store
        self.namespace = try context.namespace(Self.policy)
    }

    /// The messages of a range that still exist, in order.
    /// - Parameter seqs: within 1…`conversation.lastSeq`.
    func messages(of conversation: Conversation, in seqs: ClosedRange<Int64>) async throws -> [ShownMessage] {
        guard seqs.lowerBound > conversation.lastSeq - Self.depth else {
            return try await store.messages(of: conversation.id, in: [seqs]).flatMap { $0 }
        }
        let numbers = MessageChunk.number(of: seqs.lowerBound)...MessageChunk.number(of: seqs.upperBound)
        let keys = numbers.map { MessageChunk.Key(conversation: conversation.id, number: $0) }
        let users = conversation.users.map { CacheTag.conversations(of: $0) }
        let chunks = try await namespace.values(
            keys, tags: { users + [.messages(of: $0.conversation, chunk: $0.number)] },
            load: { [store] keys in
                let ranges = keys.map { MessageChunk.seqs(of: $0.number) }
                return try await store.messages(of: conversation.id, in: ranges).map { MessageChunk(messages: $0) }
            })
        return chunks.flatMap { $0?.messages ?? [] }.filter { seqs.contains($0.message.seq) }
    }
}
