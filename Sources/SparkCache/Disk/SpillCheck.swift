/// A keyed sum over bytes that stand in the plain: headers, footers, the stamp log. Folded multiplications (the mixing step of
/// wyhash), 16 bytes a step. It finds damage; what must withstand an adversary is sealed.
struct SpillCheck: Sendable {
    let first: UInt64
    let second: UInt64

    func sum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state = first ^ UInt64(truncatingIfNeeded: bytes.count) &* 0x9E37_79B9_7F4A_7C15
        var offset = 0
        let whole = bytes.count & ~15
        while offset < whole {
            let left = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let right = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
            state = Self.fold(left ^ second, right ^ state)
            offset += 16
        }
        var tail: (UInt64, UInt64) = (0, 0)
        while offset < bytes.count {
            let shift = UInt64(offset & 7) &* 8
            if offset & 8 == 0 { tail.0 |= UInt64(bytes[offset]) << shift } else { tail.1 |= UInt64(bytes[offset]) << shift }
            offset += 1
        }
        state = Self.fold(tail.0 ^ second, tail.1 ^ state)
        return Self.fold(state ^ 0xA076_1D64_78BD_642F, first ^ second)
    }

    func sum(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { sum($0) } }

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
