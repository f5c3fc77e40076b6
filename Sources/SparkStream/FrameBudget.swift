import NIOCore
import SparkKit

/// How much one connection may still send: one token bucket per kind of frame, and one over all kinds.
///
/// An empty bucket of a kind refuses single frames. An empty bucket over all kinds ends the connection; no honest client comes
/// near that limit.
struct FrameBudget {
    struct Rates: Sendable {
        let messages: Double
        let queries: Double
        let signals: Double
        let frames: Double

        init(messagesPerSecond: Int, framesPerSecond: Int) {
            self.messages = Double(messagesPerSecond)
            // Queries read messages and unread counts, and a returning device sends many of them at once.
            self.queries = Double(messagesPerSecond) * 2
            self.signals = Double(messagesPerSecond)
            self.frames = Double(framesPerSecond)
        }
    }

    /// The decision about one frame.
    enum Verdict: Equatable {
        case admitted
        /// Too many frames of this kind; `retryAfter` is the number of seconds until the next one is admitted.
        case refused(retryAfter: Int)
        /// Too many frames over all kinds.
        case flood
    }

    /// A full bucket holds this many seconds of its rate.
    private static let burst = 4.0
    /// A frame costs one token, plus one for each full 2,048 bytes.
    private static let bytesPerToken = 2_048

    private struct Bucket {
        var tokens: Float
        var filledAt: NIODeadline

        mutating func take(_ cost: Float = 1, rate: Double, at now: NIODeadline) -> Bool {
            let elapsed = Double((now - filledAt).nanoseconds) / 1e9
            tokens = Float(min(rate * FrameBudget.burst, Double(tokens) + max(0, elapsed) * rate))
            filledAt = now
            guard tokens >= cost else { return false }
            tokens -= cost
            return true
        }
    }

    private let rates: Rates
    private var all: Bucket
    private var messages: Bucket
    private var queries: Bucket
    private var signals: Bucket

    init(rates: Rates, at now: NIODeadline) {
        self.rates = rates
        func full(_ rate: Double) -> Bucket { Bucket(tokens: Float(rate * Self.burst), filledAt: now) }
        all = full(rates.frames)
        messages = full(rates.messages)
        queries = full(rates.queries)
        signals = full(rates.signals)
    }

    /// Charges a frame or control frame of any kind. Long frames cost more, because reading them costs more.
    mutating func admitAny(at now: NIODeadline, bytes: Int = 0) -> Bool {
        all.take(1 + Float(bytes / Self.bytesPerToken), rate: rates.frames, at: now)
    }

    /// Charges a frame to the bucket of its kind.
    mutating func admit(_ limit: ClientFrame.Limit, at now: NIODeadline) -> Verdict {
        let isAdmitted =
            switch limit {
            case .message: messages.take(rate: rates.messages, at: now)
            case .query: queries.take(rate: rates.queries, at: now)
            case .signal: signals.take(rate: rates.signals, at: now)
            }
        return isAdmitted ? .admitted : .refused(retryAfter: 1)
    }
}
