/// How often a person likes, and is liked: each the share of likes among their decided swipes, drawn towards the average while these are
/// few, in eight levels.
///
/// Levels are wide on purpose: no single swipe can be read off a score.
package struct SwipeTally: Hashable, Sendable, BitwiseCopyable {
    package static let levels: UInt8 = 8
    /// No tally has a higher level.
    package static let best = SwipeTally(giving: levels - 1, receiving: levels - 1)
    /// The share that is assumed of an unknown person.
    private static let average = 0.3
    /// So many swipes at `average` are counted beside the real ones.
    private static let weight = 20.0

    /// `giving` in the upper four bits, `receiving` in the lower four.
    package let rawValue: UInt8

    /// The tally of an unknown person.
    package init() { self.init(likesGiven: 0, passesGiven: 0, likesReceived: 0, passesReceived: 0) }

    @inline(__always)
    package init(rawValue: UInt8) { self.rawValue = rawValue & 0x77 }

    /// - Parameters:
    ///   - giving: a level, below `levels`.
    ///   - receiving: likewise.
    package init(giving: UInt8, receiving: UInt8) {
        self.init(rawValue: min(giving, Self.levels - 1) << 4 | min(receiving, Self.levels - 1))
    }

    package init(likesGiven: Int, passesGiven: Int, likesReceived: Int, passesReceived: Int) {
        self.init(giving: Self.level(likesGiven, passesGiven), receiving: Self.level(likesReceived, passesReceived))
    }

    /// How often the person likes.
    @inline(__always)
    package var giving: UInt8 { rawValue >> 4 }
    /// How often the person is liked.
    @inline(__always)
    package var receiving: UInt8 { rawValue & 7 }

    private static func level(_ likes: Int, _ passes: Int) -> UInt8 {
        let (likes, passes) = (Double(max(0, likes)), Double(max(0, passes)))
        let share = (likes + weight * average) / (likes + passes + weight)
        return UInt8(min(max(share * Double(levels), 0), Double(levels - 1)))
    }

    /// The share in the middle of a level.
    static func share(_ level: UInt8) -> Double { (Double(level) + 0.5) / Double(levels) }
}

/// What is counted of a person by UTC days. A score sees each count as it was when its day began, so nothing that anybody does today
/// moves a score today.
package struct DailyCounts: Hashable, Sendable, BitwiseCopyable {
    /// The day of the last change, in days since 1970.
    package var day: UInt16 = 0
    /// When that day began.
    package var tallyBefore = SwipeTally()
    package var tally = SwipeTally()
    /// Decks of the day before that one; saturates.
    package var shownBefore: UInt8 = 0
    /// Decks of that day so far; saturates.
    package var shown: UInt8 = 0

    package init() {}

    package init(day: UInt16, tallyBefore: SwipeTally, tally: SwipeTally, shownBefore: UInt8, shown: UInt8) {
        self.day = day
        self.tallyBefore = tallyBefore
        self.tally = tally
        self.shownBefore = shownBefore
        self.shown = shown
    }

    /// All but the day, in 32 bits.
    @inline(__always)
    package var packed: UInt32 {
        UInt32(tally.rawValue) | UInt32(tallyBefore.rawValue) << 8 | UInt32(shown) << 16 | UInt32(shownBefore) << 24
    }

    @inline(__always)
    package init(day: UInt16, packed: UInt32) {
        self.day = day
        self.tally = SwipeTally(rawValue: UInt8(truncatingIfNeeded: packed))
        self.tallyBefore = SwipeTally(rawValue: UInt8(truncatingIfNeeded: packed >> 8))
        self.shown = UInt8(truncatingIfNeeded: packed >> 16)
        self.shownBefore = UInt8(truncatingIfNeeded: packed >> 24)
    }

    /// As the tally was when a day began.
    @inline(__always)
    package func tally(on today: UInt16) -> SwipeTally { day < today ? tally : tallyBefore }

    /// How often the person was dealt to others on the day before.
    @inline(__always)
    package func shownYesterday(on today: UInt16) -> Int {
        if day >= today { return Int(shownBefore) }
        return day + 1 == today ? Int(shown) : 0
    }
}
