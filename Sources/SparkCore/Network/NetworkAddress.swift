/// An IP address in canonical form. Equal addresses compare equal, however they were written.
///
/// An IPv4 address mapped into IPv6 (`::ffff:192.0.2.1`, RFC 4291, 2.5.5.2), as a dual-stack socket reports its IPv4 peers,
/// equals that IPv4 address. Zones (`fe80::1%eth0`) are dropped, because they have a meaning on this machine only.
public struct NetworkAddress: Hashable, Sendable {
    /// The 128 bits of the address. IPv4 addresses are in `::ffff:0:0/96`.
    let high: UInt64
    let low: UInt64

    private static let mapped: UInt64 = 0xFFFF << 32
    /// The longest accepted text: an IPv6 address with an embedded IPv4 address, a zone, brackets and a port.
    private static let longestText = 128

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An IPv4 address; the first octet is the most significant byte.
    public init(ipv4 bits: UInt32) { self.init(high: 0, low: Self.mapped | UInt64(bits)) }

    /// An address from 4 or 16 bytes in network order; nil for any other count.
    public init?(bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4: self.init(ipv4: bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16:
            self.init(
                high: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }, low: bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) })
        default: return nil
        }
    }

    /// An address without a port: `192.0.2.1`, `2001:db8::1`, `::ffff:192.0.2.1`, `fe80::1%eth0`. Nil for any other text.
    ///
    /// Octets with leading zeros are refused, because some parsers read them as octal.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count <= Self.longestText, let address = Self.parse(Array(text.utf8)[...]) else { return nil }
        self = address
    }

    /// An address as proxies write it in `X-Forwarded-For`: with or without brackets and port, with spaces around it. Nil for
    /// any other text.
    public init?(forwarded text: some StringProtocol) {
        guard text.utf8.count <= Self.longestText else { return nil }
        var bytes = Array(text.utf8)[...]
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")), Self.isPort(bytes[(end + 1)...]) else { return nil }
            bytes = bytes[(bytes.startIndex + 1)..<end]
        } else if let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon == bytes.lastIndex(of: UInt8(ascii: ":")) {
            guard Self.isPort(bytes[colon...]) else { return nil }
            bytes = bytes[..<colon]
        }
        guard let address = Self.parse(bytes) else { return nil }
        self = address
    }

    /// True for an IPv4 address, also if it was mapped into IPv6.
    public var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// True for 127.0.0.0/8 and ::1.
    public var isLoopback: Bool { isIPv4 ? low >> 24 & 0xFF == 127 : high == 0 && low == 1 }

    /// True for 0.0.0.0 and ::, which make a listener use all addresses of the machine.
    public var isUnspecified: Bool { high == 0 && (low == 0 || low == Self.mapped) }

    /// The client as limits count it: the IPv4 address itself, or the IPv6 /64, the block that one client usually owns.
    public var network: NetworkAddress { isIPv4 ? self : NetworkAddress(high: high, low: 0) }

    /// The text of `network`: `192.0.2.1`, `2001:db8:0:1::/64`.
    public var networkText: String {
        guard !isIPv4 else { return text }
        return groups[..<4].map { String($0, radix: 16) }.joined(separator: ":") + "::/64"
    }

    /// The canonical text: dotted decimal, or RFC 5952.
    public var text: String {
        if isIPv4 { return (0..<4).reversed().map { "\(low >> ($0 * 8) & 0xFF)" }.joined(separator: ".") }
        let groups = groups
        // The first of the longest runs of two or more zero groups becomes "::".
        var gap = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(gap.count, 1) { gap = start..<end }
            start = end + 1
        }
        func text(_ part: some Sequence<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        guard !gap.isEmpty else { return text(groups) }
        return "\(text(groups[..<gap.lowerBound]))::\(text(groups[gap.upperBound...]))"
    }

    private var groups: [UInt16] {
        (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> UInt64((3 - $0 % 4) * 16)) }
    }

    // MARK: Reading

    /// True for an empty text, and for a colon and a port.
    private static func isPort(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.first == UInt8(ascii: ":") else { return bytes.isEmpty }
        let digits = bytes.dropFirst()
        return (1...5).contains(digits.count) && digits.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func parse(_ bytes: ArraySlice<UInt8>) -> NetworkAddress? {
        guard bytes.contains(UInt8(ascii: ":")) else { return ipv4(bytes).map { NetworkAddress(ipv4: $0) } }
        let parts = bytes.split(separator: UInt8(ascii: "%"), maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, parts[1].isEmpty || !parts[1].allSatisfy({ (0x21...0x7E).contains($0) }) { return nil }
        return ipv6(parts[0])
    }

    private static func ipv4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        let octets = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard octets.count == 4 else { return nil }
        var bits: UInt32 = 0
        for octet in octets {
            guard (1...3).contains(octet.count), octet.count == 1 || octet.first != UInt8(ascii: "0") else { return nil }
            var value: UInt32 = 0
            for digit in octet {
                guard (0x30...0x39).contains(digit) else { return nil }
                value = value * 10 + UInt32(digit - 0x30)
            }
            guard value <= 255 else { return nil }
            bits = bits << 8 | value
        }
        return bits
    }

    private static func ipv6(_ bytes: ArraySlice<UInt8>) -> NetworkAddress? {
        var head: [UInt16] = []
        var tail: [UInt16] = []
        var hasGap = false
        let words = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard (3...9).contains(words.count) else { return nil }
        for (index, word) in words.enumerated() {
            if word.isEmpty {
                // At either end, an empty word belongs to an adjacent gap. Elsewhere it is the gap.
                if index == 0 {
                    guard words[1].isEmpty else { return nil }
                } else if index == words.count - 1 {
                    guard words[index - 1].isEmpty else { return nil }
                } else {
                    guard !hasGap else { return nil }
                    hasGap = true
                }
                continue
            }
            var groups: [UInt16] = []
            if index == words.count - 1, word.contains(UInt8(ascii: ".")) {
                guard let embedded = ipv4(word) else { return nil }
                groups = [UInt16(embedded >> 16), UInt16(embedded & 0xFFFF)]
            } else {
                guard word.count <= 4, let group = hexadecimal(word) else { return nil }
                groups = [group]
            }
            if hasGap { tail += groups } else { head += groups }
        }
        let count = head.count + tail.count
        guard hasGap ? count < 8 : count == 8 else { return nil }
        let all = head + [UInt16](repeating: 0, count: 8 - count) + tail
        return NetworkAddress(
            high: all[..<4].reduce(0) { $0 << 16 | UInt64($1) }, low: all[4...].reduce(0) { $0 << 16 | UInt64($1) })
    }

    private static func hexadecimal(_ word: ArraySlice<UInt8>) -> UInt16? {
        var value: UInt16 = 0
        for digit in word {
            let number: UInt8
            switch digit {
            case 0x30...0x39: number = digit - 0x30
            case 0x41...0x46: number = digit - 0x41 + 10
            case 0x61...0x66: number = digit - 0x61 + 10
            default: return nil
            }
            value = value << 4 | UInt16(number)
        }
        return value
    }
}

extension NetworkAddress: CustomStringConvertible {
    /// The canonical text.
    public var description: String { text }
}

/// An address, or a network in CIDR notation (RFC 4632, RFC 4291).
public struct AddressNetwork: Hashable, Sendable {
    private let base: NetworkAddress
    /// How many of the 128 bits count. IPv4 prefixes start at 96.
    private let bits: Int

    /// `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`, `::ffff:10.0.0.0/104`. Bits after the prefix are ignored. Nil for any other
    /// text.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = NetworkAddress(parts[0]) else { return nil }
        var bits = 128
        if parts.count == 2 {
            let isShort = address.isIPv4 && !parts[0].contains(":")
            guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(parts[1]), number <= (isShort ? 32 : 128)
            else { return nil }
            bits = isShort ? 96 + number : number
        }
        self.bits = bits
        self.base = Self.masked(address, bits)
    }

    /// True if the network contains the address.
    public func contains(_ address: NetworkAddress) -> Bool { Self.masked(address, bits) == base }

    private static func masked(_ address: NetworkAddress, _ bits: Int) -> NetworkAddress {
        NetworkAddress(high: address.high & mask(min(bits, 64)), low: address.low & mask(max(0, bits - 64)))
    }

    private static func mask(_ bits: Int) -> UInt64 { bits == 0 ? 0 : ~0 << UInt64(64 - bits) }
}
