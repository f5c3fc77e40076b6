import SparkCache
import SparkCore
import SparkKit

/// Whose conversation it is, and whether it is still theirs: what signals like typing are checked against.
struct Companions: Hashable, Sendable {
    let userA: UserID
    let userB: UserID
    let isOver: Bool

    /// The one whom a signal of a user goes to; nil when it goes to nobody.
    func other(than user: UserID) -> UserID? {
        guard !isOver, user == userA || user == userB else { return nil }
        return user == userA ? userB : userA
    }
}

extension Companions: CacheValue {
    var cacheCost: Int { 32 }

    func encode(into bytes: inout [UInt8]) {
        var writer = CompactWriter(bytes)
        writer.write(userA.rawValue)
        writer.write(userB.rawValue)
        writer.write(unsigned: isOver ? 1 : 0)
        bytes = writer.bytes
    }

    static func decode(_ bytes: [UInt8]) -> Companions? {
        var reader = CompactReader(bytes)
        guard let userA = reader.integer(), let userB = reader.integer(), let isOver = reader.unsigned(), reader.isAtEnd else {
            return nil
        }
        return Companions(userA: UserID(rawValue: userA), userB: UserID(rawValue: userB), isOver: isOver == 1)
    }
}

/// The cache of who talks to whom.
struct CompanionLists: Sendable {
    static let policy = NamespacePolicy("chat:conversation", lifetime: .hours(24))

    let store: any ChatStore
    private let namespace: CacheNamespace<ConversationID, Companions>

    init(store: any ChatStore, context: ModuleContext) throws {
        self.store = store
        self.namespace = try context.namespace(Self.policy)
    }

    /// What memory knows; never waits.
    func peek(_ conversation: ConversationID) -> Companions? { namespace.peek(conversation) }

    func companions(of conversation: ConversationID) async throws -> Companions? {
        try await namespace.value(conversation, tags: [.conversation(conversation)]) { [store] dependencies in
            guard let found = try store.conversation(conversation) else { return nil }
            // Whom it is of never changes, so these may be named once they are known, if the row is then read again.
            for user in found.users { dependencies.depend(on: .conversations(of: user)) }
            return try store.conversation(conversation).map {
                Companions(userA: $0.userA, userB: $0.userB, isOver: $0.isOver)
            }
        }
    }
}
