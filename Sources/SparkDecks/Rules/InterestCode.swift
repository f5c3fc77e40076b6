/// An interest as filter and score compare it: a 32-bit hash of its text (FNV-1a). Equal codes count as equal interests; among
/// 100,000 different texts, about one pair collides.
package struct InterestCode: Hashable, Sendable, BitwiseCopyable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// - Parameter text: in UTF-8.
    package init(_ text: Slice<UnsafeRawBufferPointer>) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        self.rawValue = UInt32(truncatingIfNeeded: hash >> 32 ^ hash)
    }

    package init(_ text: String) {
        var text = text
        self = text.withUTF8 { InterestCode(UnsafeRawBufferPointer($0)[...]) }
    }

    /// One of 32 bits, so that a mask of some interests tells most of those that are not among them.
    @inline(__always)
    var bit: UInt32 { 1 << ((rawValue &* 0x9E37_79B9) >> 27) }

    /// How many codes are in both lists. Neither list may contain duplicates.
    @inline(__always)
    package static func shared(_ left: UnsafeBufferPointer<InterestCode>, _ right: UnsafeBufferPointer<InterestCode>) -> Int {
        var count = 0
        for one in left { for other in right where one == other { count += 1 } }
        return count
    }

    package static func shared(_ left: [InterestCode], _ right: [InterestCode]) -> Int {
        left.withUnsafeBufferPointer { left in right.withUnsafeBufferPointer { shared(left, $0) } }
    }
}

/// The interests of a viewer, to be compared with the masks of many candidates.
struct InterestMask {
    /// The bits of the interests.
    private(set) var first: UInt32 = 0
    /// The bits of at least two of them.
    private(set) var second: UInt32 = 0
    /// How many more interests share a bit.
    private(set) var others: UInt16 = 0

    init(_ interests: some Sequence<InterestCode>) {
        for interest in interests {
            let bit = interest.bit
            if first & bit == 0 { first |= bit } else if second & bit == 0 { second |= bit } else { others += 1 }
        }
    }
}
