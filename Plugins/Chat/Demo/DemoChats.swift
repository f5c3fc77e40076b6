import SparkCore
import SparkKit
import SparkStorage

/// Loads the conversations of a demo town: one for every match, most of them with messages. A pure function of town and match.
struct DemoChats {
    private static let conversationsPerTransaction = 20_000
    /// How many of ten conversations have messages.
    private static let talking: UInt64 = 7
    private static let mostMessages: UInt64 = 12

    let town: any DemoTown

    func load(into session: SQLSession, progress: DemoProgress) throws {
        let before = try MessageRows.highestID(in: session)
        let matches = try matchesWithoutConversation(in: session)
        try session.script(ChatMigrations.adoptMatches)
        var ids = DemoMessageIDs(after: before)
        for start in stride(from: 0, to: matches.count, by: Self.conversationsPerTransaction) {
            let part = matches[start..<min(start + Self.conversationsPerTransaction, matches.count)]
            try Self.inTransaction(session) {
                for match in part { try talk(match, &ids, into: session) }
            }
        }
        progress.report(town.count)
    }

    private struct TownMatch {
        let conversation: Int64
        let userA: Int64
        let userB: Int64
        let at: Int64
    }

    private func matchesWithoutConversation(in session: SQLSession) throws -> [TownMatch] {
        var found: [TownMatch] = []
        try session.statement(
            """
            SELECT conversation_id, user_a, user_b, created_at FROM matching_matches
            WHERE conversation_id NOT IN (SELECT id FROM chat_conversations) AND ended_at IS NULL ORDER BY id
            """
        ).forEach { row in
            found.append(
                TownMatch(conversation: row.integer(0), userA: row.integer(1), userB: row.integer(2), at: row.integer(3)))
            return true
        }
        return found
    }

    private func talk(_ match: TownMatch, _ ids: inout DemoMessageIDs, into session: SQLSession) throws {
        var chance = SplitMix64(seed: town.seed ^ UInt64(bitPattern: match.conversation))
        guard chance.next() % 10 < Self.talking else { return }
        let count = Int64(1 + chance.next() % Self.mostMessages)
        var (at, isByA) = (match.at, chance.next() & 1 == 0)
        var (opener, openedAt, last) = (Int64(0), match.at, Int64(0))
        var script = DemoScript(chance: chance)
        for seq in 1...count {
            at = min(town.now.milliseconds, at + Int64(30_000 + script.chance.next() % 5_400_000))
            let sender = isByA ? match.userA : match.userB
            if seq == 1 { (opener, openedAt) = (sender, at) }
            last = sender
            try MessageRows.insert(
                Message(
                    id: ids.next(), conversation: ConversationID(rawValue: match.conversation), seq: seq,
                    from: UserID(rawValue: sender), clientID: "demo-\(match.conversation)-\(seq)", content: .text,
                    text: script.line(seq), sentAt: Timestamp(milliseconds: at)), in: session)
            // One time in five, the same person writes again.
            if script.chance.next() % 5 > 0 { isByA.toggle() }
        }
        // The last sender has read everything; the other member may have up to three unread messages.
        let left = Int64(script.chance.next() % 4)
        let (readA, readB) = last == match.userA ? (count, max(0, count - left)) : (max(0, count - left), count)
        try session.statement(
            """
            UPDATE chat_conversations SET last_seq = ?1, last_at = ?2, opened_by = ?3, opened_at = ?4, a_read = ?5, b_read = ?6,
                a_received = ?1, b_received = ?1 WHERE id = ?7
            """
        ).run(integers: [count, at, opener, openedAt, readA, readB, match.conversation][...])
    }

    private static func inTransaction(_ session: SQLSession, _ body: () throws -> Void) throws {
        guard !session.isInTransaction else { return try body() }
        try session.transaction {
            try body()
        }
    }
}

/// Gives out identifiers above all existing ones, so that those of a conversation rise.
struct DemoMessageIDs {
    private(set) var last: Int64

    init(after last: Int64) { self.last = last }

    mutating func next() -> MessageID {
        last += 1
        return MessageID(rawValue: last)
    }
}
