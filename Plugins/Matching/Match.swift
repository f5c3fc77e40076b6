import SparkCore

/// Two people who like each other, as one of them sees it.
struct Match: Hashable, Sendable {
    let id: MatchID
    let conversation: ConversationID
    /// The other one.
    let other: UserID
    let createdAt: Timestamp
}

/// Somebody's like that awaits an answer.
struct ReceivedLike: Hashable, Sendable {
    let from: UserID
    let isSuperlike: Bool
    let likedAt: Timestamp
}

/// Somebody I want to see nothing of, and who shall see nothing of me.
struct Block: Hashable, Sendable {
    let target: UserID
    let blockedAt: Timestamp
}

/// Whom somebody means who blocks or reports: a person, or the other one of a conversation that they are or were in. After an unmatch
/// the conversation is what a client still knows.
enum Counterpart: Hashable, Sendable {
    case person(UserID)
    case conversation(ConversationID)
}

/// What one person says about another to those who moderate.
struct Report: Sendable {
    /// Why; the raw values are on the wire and in the store.
    enum Category: String, CaseIterable, Sendable {
        case spam, harassment, fake, underage, inappropriate, other
    }

    let reporter: UserID
    let target: UserID
    let category: Category
    let text: String
}

/// Where a page of a list that runs from new to old begins: after the row of this time and identifier.
struct PagePosition: Hashable, Sendable {
    let time: Timestamp
    let id: Int64

    /// Before everything: where the first page begins.
    static let newest = PagePosition(time: Timestamp(milliseconds: .max), id: .max)
}

/// A part of a list, newest first.
struct Page<Element: Sendable>: Sendable {
    let items: [Element]
    /// Where the next page begins; nil at the end.
    let next: PagePosition?
}
