import SparkCore
import SparkKit
import SparkStorage
import Synchronization

/// The operations of Chat, shared by its routes and frames.
struct ChatService: Sendable {
    let configuration: ChatConfiguration
    let storage: any Storage
    let store: any ChatStore
    let profiles: any ProfileReading
    let lane: SendLane
    let writer: MessageWriter
    let lists: MessageLists
    let search: MessageSearch
    let admission: Admission
    let receipts: ReceiptLog
    let typing: TypingSignals
    let presence: Presence
    let clock: any WallClock

    /// Stores a message and delivers it to both members. A repeated client identifier of the same sender returns the first
    /// receipt.
    /// - Parameter session: the session that sends; nil if the server itself sends.
    /// - Throws: `ChatError`.
    func send(
        _ draft: NewMessage, to conversation: ConversationID, by user: UserID, in session: Principal? = nil
    ) async throws -> SendReceipt {
        let result = Mutex<Result<SendReceipt, any Error>?>(nil)
        func pending(_ answer: @escaping @Sendable (Result<SendReceipt, any Error>) -> Void) -> PendingSend {
            PendingSend(
                sender: user, conversation: conversation, clientID: draft.clientID, content: draft.content, text: draft.text,
                principal: session, receivedAt: .now, reply: .call(answer))
        }
        guard WriteAttachment.current == nil else {
            // An attached write must be in the same transaction as the message, so this message does not go through the lane.
            let message = pending { answer in result.withLock { $0 = answer } }
            try await storage.write { [writer] in try writer.write([message], in: $0) }
            guard let result = result.withLock({ $0 }) else { throw ChatError.busy }
            return try result.get()
        }
        return try await withCheckedThrowingContinuation { continuation in
            do {
                try lane.send(pending { continuation.resume(with: $0) })
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    /// One page of a user's conversations, those with the newest activity first. The views leave out members without an open
    /// account.
    func conversations(
        of user: UserID, after position: ActivityPosition, limit: Int
    ) async throws -> (page: ConversationPage, views: [ConversationView]) {
        let page = try await store.conversations(of: user, after: position, limit: limit)
        let cards = try await cards(of: page.entries.map(\.other), for: user)
        return (page, page.entries.compactMap { entry in cards[entry.other].map { ConversationView(entry, card: $0) } })
    }

    /// One conversation of a user.
    /// - Throws: `ChatError.gone`.
    func conversation(_ id: ConversationID, of user: UserID) async throws -> ConversationView {
        guard let entry = try await store.entry(id, of: user),
            let card = try await cards(of: [entry.other], for: user)[entry.other]
        else { throw ChatError.gone }
        return ConversationView(entry, card: card)
    }

    /// A page of messages before or after a place.
    /// - Throws: `ChatError.gone`.
    func messages(of id: ConversationID, for user: UserID, from place: HistoryPlace, limit: Int) async throws -> HistoryPage {
        let conversation = try await store.live(id, of: user)
        var place = place
        // Skips the messages that retention deleted, so that they make no empty pages.
        if case .after(let seq) = place { place = .after(max(seq, try await store.firstSeq(of: id) - 1)) }
        guard let seqs = place.seqs(limit: limit, last: conversation.lastSeq) else { return HistoryPage(messages: [], next: nil) }
        var found = try await lists.messages(of: conversation, in: seqs)
        if !place.isRising { found.reverse() }
        let shown = found.prefix(limit)
        return HistoryPage(messages: Array(shown), next: found.count > limit ? shown.last?.message.seq : nil)
    }

    /// The user's messages that contain all words of a text, newest first.
    /// - Throws: `InvalidInput` for a text without a word; a refusal of the admission control under load.
    func search(_ text: String, of user: UserID, before position: Int64, limit: Int) async throws -> (
        found: [Message], next: Int64?
    ) {
        guard let query = SearchQuery(text) else {
            throw InvalidInput.refused("q", "format", "There must be a word or a symbol to look for.")
        }
        let permit = try admission.permit(for: .searches, person: user)
        defer { permit.end() }
        return try await search.find(query, of: user, before: position, limit: limit)
    }

    /// The profile cards of the users with open accounts, by user.
    private func cards(of users: [UserID], for viewer: UserID) async throws -> [UserID: ProfileCard] {
        guard !users.isEmpty else { return [:] }
        let (place, today) = (try await profiles.writtenProfile(of: viewer)?.profile.place, clock.now().date)
        let found = try await profiles.profiles(of: users)
        return Dictionary(
            found.map { ($0.id, ProfileCard($0, viewerPlace: place, today: today)) }, uniquingKeysWith: { $1 })
    }
}

extension ChatService: UnreadCounting {
    func unreadTotal(of user: UserID) async throws -> Int { try await store.unread(of: user, in: nil).total }
}
