import SparkCore
import Testing

@testable import SparkCache

@Suite("Dictionaries of the spill")
struct SpillDictionaryTests {
    private func profiles(_ count: Int, seed: UInt64) -> [[UInt8]] {
        var sample = ProfileSample(seed: seed)
        return (0..<count).map { _ in sample.next() }
    }

    private func packedBytes(_ values: [[UInt8]], _ dictionary: SpillDictionary?) -> Int {
        let stream = CompressionStream()
        return values.reduce(0) { sum, value in
            sum + value.withUnsafeBytes { stream.compress($0, with: dictionary)?.count ?? value.count }
        }
    }

    @Test("a dictionary trained on some profiles halves others, and lz4 alone gains next to nothing")
    func ratio() throws {
        let text = try #require(DictionaryTrainer().train(profiles(520, seed: 1)))
        let others = profiles(500, seed: 2)
        let raw = others.reduce(0) { $0 + $1.count }
        let dictionary = SpillDictionary(version: 1, namespace: 1, text: text)
        #expect(Double(raw) / Double(packedBytes(others, dictionary)) > 2)
        #expect(Double(raw) / Double(packedBytes(others, nil)) < 1.3)
    }

    @Test("a dictionary contains nothing that only few of its samples contain")
    func sharedOnly() throws {
        var samples = profiles(300, seed: 4)
        let secret = Array("my telephone number is 0171 5550123, call me".utf8)
        for index in 0..<3 { samples[index * 90] += secret }
        let text = try #require(DictionaryTrainer().train(samples))
        for start in 0...(secret.count - 12) {
            let part = Array(secret[start..<(start + 12)])
            #expect(!text.indices.dropLast(11).contains { Array(text[$0..<($0 + 12)]) == part })
        }
    }

    @Test("samples without anything in common give no dictionary")
    func nothingShared() {
        var chance = SplitMix64(seed: 5)
        let samples = (0..<50).map { _ in (0..<400).map { _ in UInt8(truncatingIfNeeded: chance.next()) } }
        #expect(DictionaryTrainer().train(samples) == nil)
        #expect(DictionaryTrainer().train([]) == nil)
    }

    @Test("a dictionary is used once enough values went by, and earlier values are still read")
    func comesIntoUse() throws {
        let fixture = SpillFixture()
        fixture.segmentBytes = 1 << 20
        fixture.budget = 16 << 20
        let (spill, _) = fixture.start()
        let values = profiles(1_200, seed: 6)
        let entries = values.enumerated().map { fixture.entry($0, $1, in: spill) }
        let locations = spill.append(entries)
        #expect(spill.counters.dictionariesTrained == 1)
        #expect(fixture.names("dictionary-").count == 1)
        for (entry, location) in zip(entries, locations) {
            #expect(spill.value(try #require(location), entry.key) == entry.value)
        }
        let (first, last) = (try #require(locations.first ?? nil), try #require(locations.last ?? nil))
        #expect(last.length * 3 < first.length * 2)
    }

    @Test("a namespace without compression is not compressed")
    func uncompressed() throws {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        let value = [UInt8](repeating: 65, count: 1_000)
        let locations = spill.append([
            fixture.entry(1, namespace: 9, value, in: spill), fixture.entry(1, namespace: 1, value, in: spill),
        ])
        #expect(try #require(locations[0]).length > 1_000)
        #expect(try #require(locations[1]).length < 200)
    }

    @Test("a payload that lz4 did not write gives no value")
    func unsoundPayload() throws {
        var chance = SplitMix64(seed: 8)
        let values = profiles(300, seed: 9)
        let dictionary = SpillDictionary(version: 1, namespace: 1, text: try #require(DictionaryTrainer().train(values)))
        for _ in 0..<2_000 {
            let bytes = (0..<Int(chance.next() % 200)).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
            let count = Int(chance.next() % 20_000)
            let value = bytes.withUnsafeBytes { dictionary.decompress($0, count: count) }
            #expect(value == nil || value?.count == count)
            let plain = bytes.withUnsafeBytes { SpillDictionary.decompress($0, count: count) }
            #expect(plain == nil || plain?.count == count)
        }
    }
}
