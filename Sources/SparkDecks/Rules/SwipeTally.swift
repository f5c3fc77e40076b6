/// How often a person likes, and is liked: each the share of likes among their decided swipes, drawn towards the middle while these are few.
/// In steps of 1/255.
package struct SwipeTally: Hashable, Sendable, BitwiseCopyable {
    /// What is assumed of somebody of whom nothing is known.
    package static let unknown: UInt8 = 77
    /// So many swipes at `unknown` stand beside the real ones.
    private static let weight = 20.0

    package var giving = unknown
    package var receiving = unknown

    package init() {}

    package init(giving: UInt8, receiving: UInt8) {
        self.giving = giving
        self.receiving = receiving
    }

    package init(likesGiven: Int, passesGiven: Int, likesReceived: Int, passesReceived: Int) {
        self.giving = Self.rate(likesGiven, passesGiven)
        self.receiving = Self.rate(likesReceived, passesReceived)
    }

    private static func rate(_ likes: Int, _ passes: Int) -> UInt8 {
        let (likes, passes) = (Double(max(0, likes)), Double(max(0, passes)))
        let share = (likes + weight * Double(unknown) / 255) / (likes + passes + weight)
        return UInt8(min(max((share * 255).rounded(), 1), 254))
    }
}

/// How often a person was dealt to others on one day.
package struct Exposure: Hashable, Sendable, BitwiseCopyable {
    /// Days since 1970; on any other day the count is 0.
    package var day: UInt16 = 0
    /// Saturates.
    package var shown: UInt8 = 0

    package init() {}

    package init(day: UInt16, shown: UInt8) {
        self.day = day
        self.shown = shown
    }

    @inline(__always)
    package func shown(on today: UInt16) -> Int { day == today ? Int(shown) : 0 }
}
