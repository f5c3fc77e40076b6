package import SparkCore

/// A candidate's place in a deck: by score, then by a hash that differs between viewers, so that the order of equal scores
/// reveals nothing.
package struct DeckRank: Hashable, Comparable, Sendable {
    /// The score on the scale of the viewer; higher is better.
    package let score: Int
    /// The hash that orders equal scores; lower comes first.
    package let tie: UInt64
    /// The candidate.
    package let id: UserID
    /// The version of the candidate's profile when this rank was made.
    package let version: Int64

    /// The rank of a scored candidate.
    package init(score: Int, candidate: UserID, version: Int64, viewer: UserID) {
        self.score = score
        self.tie = Self.tie(candidate.rawValue, viewer: viewer)
        self.id = candidate
        self.version = version
    }

    /// The hash that orders candidates with equal scores.
    @inline(__always)
    package static func tie(_ candidate: Int64, viewer: UserID) -> UInt64 {
        let bits = UInt64(bitPattern: candidate)
        return SplitMix64.mix(UInt64(bitPattern: viewer.rawValue) ^ (bits << 32 | bits >> 32))
    }

    /// A rank that was made before, as stored in a cache.
    package init(score: Int, tie: UInt64, id: UserID, version: Int64) {
        self.score = score
        self.tie = tie
        self.id = id
        self.version = version
    }

    /// Whether the left rank comes first.
    package static func < (left: Self, right: Self) -> Bool {
        if left.score != right.score { return left.score > right.score }
        return left.tie != right.tie ? left.tie < right.tie : left.id < right.id
    }
}
