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
