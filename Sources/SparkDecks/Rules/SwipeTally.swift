/// How often a person likes and is liked, in eight levels. Each level is the share of likes among likes and passes, drawn towards
/// the average while there are few of them.
///
/// The levels are wide on purpose, so that no single swipe can be read from a score.
package struct SwipeTally: Hashable, Sendable, BitwiseCopyable {
    /// The number of levels.
    package static let levels: UInt8 = 8
    /// The highest tally.
    package static let best = SwipeTally(giving: levels - 1, receiving: levels - 1)
    /// The share assumed for an unknown person.
    private static let average = 0.3
    /// The number of assumed swipes at `average` that are added to the real ones.
    private static let weight = 20.0

    /// `giving` in the upper four bits, `receiving` in the lower four.
    package let rawValue: UInt8

    /// The tally of an unknown person.
    package init() { self.init(likesGiven: 0, passesGiven: 0, likesReceived: 0, passesReceived: 0) }

    @inline(__always)
    package init(rawValue: UInt8) { self.rawValue = rawValue & 0x77 }

    /// - Parameters:
    ///   - giving: a level, below `levels`.
    ///   - receiving: a level, below `levels`.
    package init(giving: UInt8, receiving: UInt8) {
        self.init(rawValue: min(giving, Self.levels - 1) << 4 | min(receiving, Self.levels - 1))
    }

    /// The tally of a person's numbers of likes and passes; negative numbers count as 0.
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

/// A person's counts by UTC day. A score reads each count as it was at the beginning of the day, so nothing that anybody does
/// today changes a score today.
package struct DailyCounts: Hashable, Sendable, BitwiseCopyable {
    /// The day of the last change, in days since 1970.
    package var day: UInt16 = 0
    /// The tally at the beginning of that day.
    package var tallyBefore = SwipeTally()
    /// The tally after all swipes so far.
    package var tally = SwipeTally()
    /// How many decks showed the person on the day before `day`; saturates.
    package var shownBefore: UInt8 = 0
    /// How many decks have shown the person on `day`; saturates.
    package var shown: UInt8 = 0

    /// The counts of an unknown person.
    package init() {}

    package init(day: UInt16, tallyBefore: SwipeTally, tally: SwipeTally, shownBefore: UInt8, shown: UInt8) {
        self.day = day
        self.tallyBefore = tallyBefore
        self.tally = tally
        self.shownBefore = shownBefore
        self.shown = shown
    }

    /// Everything but the day, in 32 bits.
    @inline(__always)
    package var packed: UInt32 {
        UInt32(tally.rawValue) | UInt32(tallyBefore.rawValue) << 8 | UInt32(shown) << 16 | UInt32(shownBefore) << 24
    }

    /// The counts from a day and the form of `packed`.
    @inline(__always)
    package init(day: UInt16, packed: UInt32) {
        self.day = day
        self.tally = SwipeTally(rawValue: UInt8(truncatingIfNeeded: packed))
        self.tallyBefore = SwipeTally(rawValue: UInt8(truncatingIfNeeded: packed >> 8))
        self.shown = UInt8(truncatingIfNeeded: packed >> 16)
        self.shownBefore = UInt8(truncatingIfNeeded: packed >> 24)
    }

    /// The tally at the beginning of a day.
    @inline(__always)
    package func tally(on today: UInt16) -> SwipeTally { day < today ? tally : tallyBefore }

    /// How many decks showed the person on the previous day.
    @inline(__always)
    package func shownYesterday(on today: UInt16) -> Int {
        if day >= today { return Int(shownBefore) }
        return day + 1 == today ? Int(shown) : 0
    }
}
