import SparkCore

// The members of the moderators' actions on reports.

/// The members of `report.list`.
struct ReportQuery: RequestBody {
    /// Which reports are listed.
    enum State: String, WireWord {
        case open, closed, all

        static let schemaName = "ReportState"
        static let summary = "Which reports are listed."

        /// Nil for both.
        var isOpen: Bool? {
            switch self {
            case .open: true
            case .closed: false
            case .all: nil
            }
        }
    }

    let state: State
    let target: UserID?
    let before: ReportID?
    let limit: Int

    static let body = BodyFields<ReportQuery>(
        "ReportQuery", "Which reports are listed.", ReportQuery.init(state:target:before:limit:)
    ) {
        Field("state", \.state, .word, default: .open)
        Field(optional: "target", \.target, "Only reports about this user.")
        Field(optional: "before", \.before, "Only older reports.")
        Field("limit", \.limit, .integer(1...200), default: 50)
    }
}

/// The members of `report.show`.
struct ReportChoice: RequestBody {
    let report: ReportID

    static let body = BodyFields<ReportChoice>("ReportChoice", "One report.", ReportChoice.init(report:)) {
        Field("report", \.report)
    }
}

/// The members of `report.close`.
struct ReportClosing: RequestBody {
    let report: ReportID
    let decision: ReportDecision
    let note: CodeWord?

    static let body = BodyFields<ReportClosing>(
        "ReportClosing", "A decision on a report.", ReportClosing.init(report:decision:note:)
    ) {
        Field("report", \.report)
        Field("decision", \.decision)
        Field(optional: "note", \.note, word)
    }

    private static let word = FieldType<CodeWord>(
        .string(1...32), format: CodeWord.format, parse: { CodeWord($0) }, text: \.text)
}
