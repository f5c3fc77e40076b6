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
    /// The server has just started, and does not know everybody yet.
    case notReady
    /// For those who moderate.
    case unknownReport
    case reportClosed

    var code: String {
        switch self {
        case .locationRequired: "matching.location_required"
        case .selfTarget: "matching.self"
        case .alreadyMatched: "matching.already_matched"
        case .dailyLimit: "matching.daily_limit"
        case .nothingToUndo: "matching.nothing_to_undo"
        case .undoMatched: "matching.undo_matched"
        case .notReady: "matching.not_ready"
        case .unknownReport: "matching.unknown_report"
        case .reportClosed: "matching.report_closed"
        }
    }

    var status: Int {
        switch self {
        case .locationRequired, .alreadyMatched, .nothingToUndo, .undoMatched, .reportClosed: 409
        case .unknownReport: 404
        case .selfTarget: 422
        case .dailyLimit: 429
        case .notReady: 503
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
        case .notReady: "The server has just started; try again in a moment."
        case .unknownReport: "There is no such report."
        case .reportClosed: "The report was decided before."
        }
    }

    var isTemporary: Bool {
        switch self {
        case .dailyLimit, .notReady: true
        default: false
        }
    }

    var retryAfter: Duration? {
        switch self {
        case .dailyLimit(let duration): duration
        case .notReady: .seconds(2)
        default: nil
        }
    }
}
