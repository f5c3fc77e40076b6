import SparkCore

/// What a person decides about a candidate. The raw values stand in the store.
enum SwipeAction: Int64, CaseIterable, Sendable {
    case pass = 0
    case like = 1
    case superlike = 2
    /// Not now: the candidate comes back after a while.
    case skip = 3

    var wire: String {
        switch self {
        case .pass: "pass"
        case .like: "like"
        case .superlike: "superlike"
        case .skip: "skip"
        }
    }

    init?(wire: String) {
        guard let action = Self.allCases.first(where: { $0.wire == wire }) else { return nil }
        self = action
    }

    static let wireWords = allCases.map(\.wire)

    /// Half a match.
    var isLike: Bool { self == .like || self == .superlike }
}

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
