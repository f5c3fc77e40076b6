package import SparkCore

/// The place of a candidate in the order of a deck: by score; among equals by a hash that differs from viewer to viewer, so that
/// the order of equals says nothing.
package struct DeckRank: Hashable, Comparable, Sendable {
    package let score: Int
    package let tie: UInt64
    package let id: UserID
    /// Of the candidate's profile, when this was made.
    package let version: Int64

    package init(score: Int, candidate: UserID, version: Int64, viewer: UserID) {
        self.score = score
        self.tie = Self.tie(candidate.rawValue, viewer: viewer)
        self.id = candidate
        self.version = version
    }

    /// What orders those who score the same.
    @inline(__always)
    package static func tie(_ candidate: Int64, viewer: UserID) -> UInt64 {
        let bits = UInt64(bitPattern: candidate)
        return SplitMix64.mix(UInt64(bitPattern: viewer.rawValue) ^ (bits << 32 | bits >> 32))
    }

    /// As it was made before.
    package init(score: Int, tie: UInt64, id: UserID, version: Int64) {
        self.score = score
        self.tie = tie
        self.id = id
        self.version = version
    }

    /// Whether it stands nearer to the front.
    package static func < (left: Self, right: Self) -> Bool {
        if left.score != right.score { return left.score > right.score }
        return left.tie != right.tie ? left.tie < right.tie : left.id < right.id
    }
}
