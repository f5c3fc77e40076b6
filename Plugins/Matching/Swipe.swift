import SparkCore

/// The record of one decision.
struct Swipe: Hashable, Sendable {
    let user: UserID
    let target: UserID
    let action: SwipeAction
}

/// How many and how long: what a swipe is measured by.
struct SwipeRules: Sendable {
    /// In one UTC day.
    let likesPerDay: Int
    /// In one UTC day.
    let superlikesPerDay: Int
    /// For so long a skip hides somebody.
    let skipLifetime: Duration
    /// For so long the last swipe can be undone.
    let undoLifetime: Duration

    /// Likes of one kind in a day; nil for actions without a limit.
    func limit(of action: SwipeAction) -> Int? {
        switch action {
        case .like: likesPerDay
        case .superlike: superlikesPerDay
        case .pass, .skip: nil
        }
    }
}

/// What became of a swipe.
struct SwipeOutcome: Sendable {
    /// The pair's live match.
    let match: Match?
    /// The match came into being by this swipe.
    let isNewMatch: Bool
    /// The same action stood there before; nothing was written.
    let isRepeated: Bool
}
