import SparkCore

/// A user's decision about a target.
struct Swipe: Hashable, Sendable {
    let user: UserID
    let target: UserID
    let action: SwipeAction
}

/// The limits and lifetimes of swipes.
struct SwipeRules: Sendable {
    /// Likes in one UTC day.
    let likesPerDay: Int
    /// Superlikes in one UTC day.
    let superlikesPerDay: Int
    /// How long a skip hides a person.
    let skipLifetime: Duration
    /// How long the last swipe can be undone.
    let undoLifetime: Duration

    /// The daily limit of an action; nil if it has none.
    func limit(of action: SwipeAction) -> Int? {
        switch action {
        case .like: likesPerDay
        case .superlike: superlikesPerDay
        case .pass, .skip: nil
        }
    }
}

/// The outcome of a swipe.
struct SwipeOutcome: Sendable {
    /// The pair's live match.
    let match: Match?
    /// This swipe made the match.
    let isNewMatch: Bool
    /// The same action was already recorded; nothing was written.
    let isRepeated: Bool
}
