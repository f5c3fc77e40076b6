import SparkCache
import SparkCore
import SparkKit

/// Messages of conversations by their place, the newest of each from the cache.
struct MessageLists: Sendable {
    /// Messages of a conversation that are cached, from its end; who reads further back reads the store.
    static let depth: Int64 = 1_000

    static var policy: NamespacePolicy {
        var policy = NamespacePolicy("chat:messages", lifetime: .hours(24))
        policy.maximumValueBytes = 1 << 20
        // What was spilled stays in the file until it is written over: longer than a message that is deleted.
        policy.isSpilled = false
        return policy
    }

    let store: any ChatStore
    private let namespace: CacheNamespace<MessageChunk.Key, MessageChunk>

    init(store: any ChatStore, context: ModuleContext) throws {
        self.store = store
        self.namespace = try context.namespace(Self.policy)
    }

    /// Those of the messages of a range that are kept, in order.
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
