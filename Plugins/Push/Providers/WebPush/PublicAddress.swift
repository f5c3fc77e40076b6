import Glibc
import NIOCore

/// Decides which addresses are in the public internet, by the registries of special-purpose addresses (IANA; RFC 6890). An
/// unknown address is not public.
enum PublicAddress {
    static func isPublic(_ address: SocketAddress) -> Bool {
        guard let bytes = packed(address) else { return false }
        return bytes.count == 4 ? isPublic4(bytes) : isPublic6(bytes)
    }

    private static func packed(_ address: SocketAddress) -> [UInt8]? {
        guard let text = address.ipAddress else { return nil }
        var bytes = [UInt8](repeating: 0, count: address.protocol == .inet ? 4 : 16)
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        // Only link-local addresses have a zone after a percent sign, and they are not public.
        return inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }

    /// Prefixes and their length in bits.
    private static let special4: [(prefix: [UInt8], bits: Int)] = [
        ([0, 0, 0, 0], 8), ([10, 0, 0, 0], 8), ([100, 64, 0, 0], 10), ([127, 0, 0, 0], 8), ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12), ([192, 0, 0, 0], 24), ([192, 0, 2, 0], 24), ([192, 31, 196, 0], 24), ([192, 52, 193, 0], 24),
        ([192, 88, 99, 0], 24), ([192, 168, 0, 0], 16), ([192, 175, 48, 0], 24), ([198, 18, 0, 0], 15), ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24), ([224, 0, 0, 0], 3),
    ]

    /// Special prefixes within 2000::/3, the global unicast range: tunnels with an embedded IPv4 address, documentation,
    /// benchmarks.
    private static let special6: [(prefix: [UInt8], bits: Int)] = [
        ([0x20, 0x01, 0x00, 0x00], 23), ([0x20, 0x01, 0x0D, 0xB8], 32), ([0x20, 0x02, 0, 0], 16), ([0x26, 0x20, 0x00, 0x4F], 32),
        ([0x3F, 0xFF, 0x00, 0x00], 20), ([0x5F, 0, 0, 0], 16),
    ]

    private static func isPublic4(_ bytes: [UInt8]) -> Bool { !special4.contains { begins(bytes, $0.prefix, $0.bits) } }

    private static func isPublic6(_ bytes: [UInt8]) -> Bool {
        // IPv4 addresses embedded in IPv6: mapped (::ffff:0:0/96) or translated (64:ff9b::/96, RFC 6052).
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        let translated: [UInt8] = [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]
        if begins(bytes, mapped, 96) { return false }
        if begins(bytes, translated, 96) { return isPublic4(Array(bytes.suffix(4))) }
        return begins(bytes, [0x20], 3) && !special6.contains { begins(bytes, $0.prefix, $0.bits) }
    }

    private static func begins(_ bytes: [UInt8], _ prefix: [UInt8], _ bits: Int) -> Bool {
        for (index, pair) in zip(bytes, prefix).enumerated() {
            let left = bits - index * 8
            if left <= 0 { return true }
            let mask: UInt8 = left >= 8 ? 0xFF : ~(0xFF >> UInt8(left))
            if pair.0 & mask != pair.1 & mask { return false }
        }
        return true
    }
}
