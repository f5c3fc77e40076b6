import SparkCore

/// Why a batch is refused, or a request in it.
enum BatchError: ClientError {
    /// 400: the batch is not as described, and nothing of it was carried out.
    case invalid([Violation])
    /// 400: the route reads or answers something that has no place in a batch.
    case unavailable
    /// 413: with this answer, the batch's would be too long. Only for requests that change nothing.
    case answersTooLong

    var code: String {
        switch self {
        case .invalid: "batch.invalid"
        case .unavailable: "batch.unavailable"
        case .answersTooLong: "batch.answers_too_long"
        }
    }

    var status: Int {
        switch self {
        case .invalid, .unavailable: 400
        case .answersTooLong: 413
        }
    }

    var detail: String {
        switch self {
        case .invalid: "The batch is not as described, and nothing of it was carried out; see errors."
        case .unavailable: "Uploads, exports, streams and batches cannot be in a batch; send this request alone."
        case .answersTooLong: "The answers of the batch are too long together; send this request alone."
        }
    }

    var violations: [Violation] { if case .invalid(let violations) = self { violations } else { [] } }
}
