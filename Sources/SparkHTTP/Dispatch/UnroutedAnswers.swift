import SparkCore

/// Counts and logs the answers that no router gives: to what is no request, to requests that do not arrive in time, and to
/// connections that are refused.
struct UnroutedAnswers: Sendable {
    private let row: EdgeMetrics.Row
    private let random: any RandomSource
    /// The `Date` field of answers.
    let dates: HTTPDate

    init(metrics: EdgeMetrics, random: any RandomSource, dates: HTTPDate) {
        self.row = metrics.row(EdgeMetrics.unmatched)
        self.random = random
        self.dates = dates
    }

    /// An id for a request that has none.
    func nextRequestID() -> String { RequestID.fresh(random) }

    /// Notes an answer.
    /// - Parameters:
    ///   - method: empty if no head arrived.
    ///   - bytes: the length of the answer's body.
    func note(method: String, status: Int, bytes: Int, requestID: String, after time: Duration = .zero) {
        row.note(method, status, bytes: bytes, requestID: requestID, after: time)
    }
}
