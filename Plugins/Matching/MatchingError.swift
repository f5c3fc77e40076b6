import SparkCore

/// What Matching refuses.
enum MatchingError: ClientError {
    /// No deck without a place.
    case locationRequired
    /// Nobody swipes on, blocks or reports themselves.
    case selfTarget
    /// Whoever is matched unmatches; another swipe says nothing.
    case alreadyMatched
    /// Likes or superlikes of this UTC day are used up; carries the time to midnight.
    case dailyLimit(Duration)
    /// There is no swipe young enough.
    case nothingToUndo
    /// The last swipe made a match.
    case undoMatched

    var code: String {
        switch self {
        case .locationRequired: "matching.location_required"
        case .selfTarget: "matching.self"
        case .alreadyMatched: "matching.already_matched"
        case .dailyLimit: "matching.daily_limit"
        case .nothingToUndo: "matching.nothing_to_undo"
        case .undoMatched: "matching.undo_matched"
        }
    }

    var status: Int {
        switch self {
        case .locationRequired, .alreadyMatched, .nothingToUndo, .undoMatched: 409
        case .selfTarget: 422
        case .dailyLimit: 429
        }
    }

    var detail: String {
        switch self {
        case .locationRequired: "Set your location first; without one there is no deck."
        case .selfTarget: "You cannot do this to yourself."
        case .alreadyMatched: "You are matched with this person; unmatch instead."
        case .dailyLimit: "No more likes of this kind today; the count begins anew at midnight UTC."
        case .nothingToUndo: "There is no swipe recent enough to be undone."
        case .undoMatched: "The last swipe made a match, which can be ended but not undone."
        }
    }

    var isTemporary: Bool {
        if case .dailyLimit = self { true } else { false }
    }

    var retryAfter: Duration? {
        if case .dailyLimit(let duration) = self { duration } else { nil }
    }
}
