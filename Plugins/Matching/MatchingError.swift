import SparkCore

/// The errors of Matching.
enum MatchingError: ClientError {
    /// The viewer has no place, so there is no deck.
    case locationRequired
    /// The user tried to swipe on, block or report themselves.
    case selfTarget
    /// The two are matched. Another swipe has no effect; the match can only be ended.
    case alreadyMatched
    /// The likes or superlikes of this UTC day are used up; carries the time to midnight.
    case dailyLimit(Duration)
    /// No swipe is recent enough to be undone.
    case nothingToUndo
    /// The last swipe made a match and cannot be undone.
    case undoMatched
    /// The server has just started and its index is not filled.
    case notReady
    /// No report has that identifier. For moderators only, like `reportClosed`.
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
        case .dailyLimit: "No more likes of this kind today; the count restarts at midnight UTC."
        case .nothingToUndo: "There is no swipe recent enough to be undone."
        case .undoMatched: "The last swipe made a match, which can be ended but not undone."
        case .notReady: "The server has just started; try again in a moment."
        case .unknownReport: "There is no such report."
        case .reportClosed: "The report was already decided."
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
