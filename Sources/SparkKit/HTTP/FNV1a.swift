/// The 64-bit FNV-1a hash (Fowler, Noll, Vo). Distinguishes answers; not for security.
public enum FNV1a {
    /// The hash of some bytes. Costs about a nanosecond a byte.
    @inlinable
    public static func hash(of bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// The hash as 16 hexadecimal digits, for an entity tag.
    @inlinable
    public static func hexadecimal(of bytes: some Sequence<UInt8>) -> String {
        let digits = String(hash(of: bytes), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
