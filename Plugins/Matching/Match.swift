import SparkCore
import SparkKit

/// A match of two people, from the side of one of them.
struct Match: Hashable, Sendable {
    let id: MatchID
    let conversation: ConversationID
    /// The other person.
    let other: UserID
    let createdAt: Timestamp
}

/// A like that the user has not answered.
struct ReceivedLike: Hashable, Sendable {
    let from: UserID
    let isSuperlike: Bool
    let likedAt: Timestamp
}

/// A block: neither person sees the other.
struct Block: Hashable, Sendable {
    let target: UserID
    let blockedAt: Timestamp
}

/// The person that a block or report is about, named directly or by a conversation with the user. After an unmatch, a client
/// knows only the conversation.
enum Counterpart: Hashable, Sendable {
    case person(UserID)
    case conversation(ConversationID)
}

/// A report about a person, for the moderators.
struct Report: Sendable {
    /// The reason. Raw values are part of the wire format and the store.
    enum Category: String, WireWord {
        case spam, harassment, fake, underage, inappropriate, other

        static let schemaName = "ReportCategory"
        static let summary = "The reason of a report."
    }

    let reporter: UserID
    let target: UserID
    let category: Category
    let text: String
}

/// A position in a list from new to old: after the row with this time and identifier.
struct PagePosition: Hashable, Sendable {
    let time: Timestamp
    let id: Int64

    /// Before the first row.
    static let newest = PagePosition(time: Timestamp(milliseconds: .max), id: .max)
}

/// A page of a list, newest first.
struct Page<Element: Sendable>: Sendable {
    let items: [Element]
    /// The position of the next page; nil at the end.
    let next: PagePosition?
}

/// Records when a person closes the account or is suspended. For the other person, the match is then over; it is restored when
/// the account reopens. Until then it must look like a match that was ended.
struct MatchDepartures: ClosureParticipant {
    let store: any MatchingStore

    func setClosed(_ isClosed: Bool, user: UserID, in work: any UnitOfWork) throws {
        try store.setGone(isClosed, user: user, in: work)
    }
}
