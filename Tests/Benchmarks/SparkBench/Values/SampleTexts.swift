import SparkCore

/// Values like those of a dating backend: JSON of people, of any length, cheap to make.
///
/// A value begins with its key, its version and the number of its making, then comes a window of a long text in which words, names and figures repeat about as they
/// do among real profiles, so that compression finds what it would find there.
struct SampleTexts: Sendable {
    private let length: Int
    private let text: [UInt8]

    /// - Parameter bytes: the length of the values of `value(_:)`.
    init(bytes: Int = 1_024) {
        length = bytes
        text = Self.text
    }

    /// The value of a key.
    func value(_ key: Int) -> [UInt8] { value(key, version: 0, serial: 0, bytes: length) }

    /// The value of a key after a number of changes.
    /// - Parameter bytes: its length, at least `headBytes`.
    func value(_ key: Int, version: UInt32, serial: UInt32, bytes: Int) -> [UInt8] {
        let length = max(Self.headBytes, bytes)
        let place = SplitMix64.mix(UInt64(key) &* 0x1_0001 &+ UInt64(version))
        let start = Int(place % UInt64(text.count - length))
        return [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            count = length
            text.withUnsafeBufferPointer { text in
                for index in 0..<4 {
                    buffer[index] = UInt8(truncatingIfNeeded: key >> (index * 8))
                    buffer[index + 4] = UInt8(truncatingIfNeeded: version >> UInt32(index * 8))
                    buffer[index + 8] = UInt8(truncatingIfNeeded: serial >> UInt32(index * 8))
                }
                if let from = text.baseAddress, let to = buffer.baseAddress {
                    (to + Self.headBytes).update(from: from + start, count: length - Self.headBytes)
                }
            }
        }
    }

    /// The beginning of a value.
    static func head(of value: [UInt8]) -> (key: UInt32, version: UInt32, serial: UInt32)? {
        guard value.count >= headBytes else { return nil }
        var key: UInt32 = 0
        var version: UInt32 = 0
        var serial: UInt32 = 0
        for index in (0..<4).reversed() {
            key = key << 8 | UInt32(value[index])
            version = version << 8 | UInt32(value[index + 4])
            serial = serial << 8 | UInt32(value[index + 8])
        }
        return (key, version, serial)
    }

    static let headBytes = 12

    /// Some thousand people, 4 MB.
    private static let text: [UInt8] = {
        var dice = Dice(seed: 77)
        var writer = JSONWriter(capacity: 4 << 20)
        writer.array { writer in
            while writer.bytes.count < 4 << 20 { person(&writer, &dice) }
        }
        return writer.bytes
    }()

    private static func person(_ writer: inout JSONWriter, _ dice: inout Dice) {
        writer.object { writer in
            writer.field("id", String(1_000_000_000_000 + dice.below(1 << 40), radix: 36))
            writer.field("name", word(syllables: 2, &dice))
            writer.field("age", dice.within(18...70))
            writer.field("distance_km", dice.within(2...90))
            writer.field("photos", (0..<dice.below(4)).map { _ in "/media/\(String(dice.below(1 << 40), radix: 36)).avif" })
            let words = (0..<dice.within(8...40)).map { _ in vocabulary[dice.below(vocabulary.count) * dice.below(1_000) / 1_000]
            }
            writer.field("bio", words.joined(separator: " "))
            writer.field("interests", (0..<dice.within(2...6)).map { _ in vocabulary[dice.below(60)] })
            writer.field("last_active_at", 1_770_000_000_000 + dice.below(86_400_000))
            writer.field("version", dice.below(200))
        }
    }

    private static let vocabulary: [String] = {
        var dice = Dice(seed: 78)
        return (0..<2_000).map { _ in word(syllables: dice.within(1...3), &dice) }
    }()

    private static func word(syllables: Int, _ dice: inout Dice) -> String {
        let consonants = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "st", "br"]
        let vowels = ["a", "e", "i", "o", "u", "ei", "a", "e"]
        return (0..<syllables).map { _ in consonants[dice.below(consonants.count)] + vowels[dice.below(vowels.count)] }
            .joined() + (dice.happens(0.5) ? "n" : "")
    }
}
