import NIOCore
import SparkKit

/// What one connection may still send: a token bucket for each kind of frame, and one over all.
///
/// The kinds' buckets refuse single frames; the one over all ends the connection, as no honest client comes near it.
struct FrameBudget {
    struct Rates: Sendable {
        let messages: Double
        let queries: Double
        let signals: Double
        let frames: Double

        init(messagesPerSecond: Int, framesPerSecond: Int) {
            self.messages = Double(messagesPerSecond)
            // A message is read, and a device that comes back reads many at once.
            self.queries = Double(messagesPerSecond) * 2
            self.signals = Double(messagesPerSecond)
            self.frames = Double(framesPerSecond)
        }
    }

    enum Verdict: Equatable {
        case admitted
        /// Too many of this kind; seconds until the next one.
        case refused(retryAfter: Int)
        /// Too many of all kinds.
        case flood
    }

    /// Buckets hold so many seconds' worth.
    private static let burst = 4.0
    /// A frame counts once, and once more for each so many bytes.
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

    /// Counts a frame or a control frame of any kind; long ones count for more, as they cost more to read.
    mutating func admitAny(at now: NIODeadline, bytes: Int = 0) -> Bool {
        all.take(1 + Float(bytes / Self.bytesPerToken), rate: rates.frames, at: now)
    }

    /// Counts a frame of a kind.
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
