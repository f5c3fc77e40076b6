import SparkCore

/// Where a page of messages begins, and its direction.
enum HistoryPlace: Hashable, Sendable {
    /// Newest first, before a message; nil: from the end.
    case before(Int64?)
    /// Oldest first, after a message.
    case after(Int64)

    var isRising: Bool { if case .after = self { true } else { false } }

    /// The places of the page and one more, which shows whether another page follows; nil if there are none.
    func seqs(limit: Int, last: Int64) -> ClosedRange<Int64>? {
        let length = Int64(limit)
        switch self {
        case .before(let seq):
            let high = min(last, (seq ?? .max) - 1)
            return high < 1 ? nil : max(1, high - length)...high
        case .after(let seq):
            let seq = max(0, seq)
            return seq >= last ? nil : (seq + 1)...min(last, seq + 1 + length)
        }
    }
}

/// A page of messages in the requested order.
struct HistoryPage: Sendable {
    let messages: [ShownMessage]
    /// The place of the page's last message if another page follows.
    let next: Int64?
}
