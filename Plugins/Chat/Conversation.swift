import SparkCore
import SparkStorage

/// A row of `chat_conversations`: the two members, the last message, and the members' read and received marks.
struct Conversation: Hashable, Sendable {
    let id: ConversationID
    let match: MatchID
    /// The member with the lower identifier.
    let userA: UserID
    let userB: UserID
    let lastSeq: Int64
    /// When the last message was sent; the match's time before the first message.
    let lastAt: Timestamp
    let openedBy: UserID?
    let isOver: Bool
    private let marksOfA: Marks
    private let marksOfB: Marks

    /// The last message that a member has read, and the last one that reached a device of theirs.
    struct Marks: Hashable, Sendable {
        let read: Int64
        let received: Int64
    }

    /// The columns that `init` reads, in its order.
    static let columns = """
        id, match_id, user_a, user_b, last_seq, last_at, opened_by, ended_at IS NOT NULL, a_read, b_read, a_received, b_received
        """

    init(_ row: borrowing SQLRow) {
        id = ConversationID(rawValue: row.integer(0))
        match = MatchID(rawValue: row.integer(1))
        userA = UserID(rawValue: row.integer(2))
        userB = UserID(rawValue: row.integer(3))
        lastSeq = row.integer(4)
        lastAt = row.time(5)
        openedBy = row.optional(6).map { UserID(rawValue: $0) }
        isOver = row.flag(7)
        marksOfA = Marks(read: row.integer(8), received: row.integer(10))
        marksOfB = Marks(read: row.integer(9), received: row.integer(11))
    }

    var users: [UserID] { [userA, userB] }

    /// The other member; nil if the user is not a member.
    func other(than user: UserID) -> UserID? {
        switch user {
        case userA: userB
        case userB: userA
        default: nil
        }
    }

    /// - Parameter user: one of the two members.
    func marks(of user: UserID) -> Marks { user == userA ? marksOfA : marksOfB }
}
