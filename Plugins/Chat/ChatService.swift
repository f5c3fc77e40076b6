import SparkCore
import SparkKit
import SparkStorage

/// Decides what Chat does.
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

    /// Stores a message and has both told; the same sender and client identifier again give the first answer again.
    /// - Parameter session: on whose behalf; nil for the server itself.
    func send(
        _ draft: NewMessage, to conversation: ConversationID, by user: UserID, in session: Principal? = nil
    ) async throws -> SendReceipt {
        let result = Answer<SendReceipt>()
        func pending(_ answer: @escaping @Sendable (Result<SendReceipt, any Error>) -> Void) -> PendingSend {
            PendingSend(
                sender: user, conversation: conversation, clientID: draft.clientID, content: draft.content, text: draft.text,
                principal: session, receivedAt: .now, reply: .call(answer))
        }
        guard WriteAttachment.current == nil else {
            // What must be in the message's own transaction does not ride in the lane.
            let message = pending { result.set($0) }
            try await storage.write { [writer] in try writer.write([message], in: $0) }
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

    func conversations(
        of user: UserID, after position: ActivityPosition, limit: Int
    ) async throws -> (page: ConversationPage, views: [ConversationView]) {
        let page = try await store.conversations(of: user, after: position, limit: limit)
        let cards = try await cards(of: page.entries.map(\.other), for: user)
        return (page, page.entries.compactMap { entry in cards[entry.other].map { ConversationView(entry, card: $0) } })
    }

    func conversation(_ id: ConversationID, of user: UserID) async throws -> ConversationView {
        guard let entry = try await store.entry(id, of: user),
            let card = try await cards(of: [entry.other], for: user)[entry.other]
        else { throw ChatError.gone }
        return ConversationView(entry, card: card)
    }

    /// Messages in either direction from a place.
    /// - Throws: `ChatError.gone`.
    func messages(of id: ConversationID, for user: UserID, from place: HistoryPlace, limit: Int) async throws -> HistoryPage {
        let conversation = try store.live(id, of: user)
        var place = place
        // What retention took leaves no empty pages.
        if case .after(let seq) = place { place = .after(max(seq, try store.firstSeq(of: id) - 1)) }
        guard let seqs = place.seqs(limit: limit, last: conversation.lastSeq) else { return HistoryPage(messages: [], next: nil) }
        var found = try await lists.messages(of: conversation, in: seqs)
        if !place.isRising { found.reverse() }
        let shown = found.prefix(limit)
        return HistoryPage(messages: Array(shown), next: found.count > limit ? shown.last?.message.seq : nil)
    }

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

    /// The cards of those who are there, by person.
    private func cards(of users: [UserID], for viewer: UserID) async throws -> [UserID: ProfileCard] {
        guard !users.isEmpty else { return [:] }
        let (place, today) = (try await profiles.profile(of: viewer)?.place, clock.now().date)
        let found = try await profiles.profiles(of: users)
        return Dictionary(
            found.map { ($0.id, ProfileCard($0, viewerPlace: place, today: today)) }, uniquingKeysWith: { $1 })
    }
}

extension ChatService: UnreadCounting {
    func unreadTotal(of user: UserID) async throws -> Int { try await store.unread(of: user, in: nil).total }
}
