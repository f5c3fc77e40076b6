import SparkCore
import Testing

@testable import SparkDecks

/// Memory for a saved index, aligned like a page.
private final class Page: Sendable {
    let address: UInt
    let count: Int

    init(_ bytes: [UInt8]) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: SavedForm.page)
        buffer.copyBytes(from: bytes)
        (address, count) = (UInt(bitPattern: buffer.baseAddress), bytes.count)
    }

    deinit { bytes.deallocate() }

    var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: UnsafeMutableRawPointer(bitPattern: address), count: count)
    }
}

@Suite("A saved index")
struct SavedIndexTests {
    private static let token = [UInt8](1...16)

    private func saved(_ index: DeckIndex, under token: [UInt8] = Self.token) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try index.save(under: token) { bytes += $0 }
        return bytes
    }

    private func loaded(_ bytes: [UInt8], under token: [UInt8] = Self.token) -> DeckIndex? {
        let page = Page(bytes)
        return DeckIndex(savedUnder: token, page.bytes, memory: page)
    }

    private func people(_ index: DeckIndex) -> [Int64: IndexedPerson] {
        var people: [Int64: IndexedPerson] = [:]
        index.forEach { people[$0.row.id] = $0 }
        return people
    }

    private func world(_ seed: UInt64, _ count: Int) -> (SmallWorld, DeckIndex) {
        var world = SmallWorld(seed: seed)
        let index = DeckIndex()
        var batch = PersonBatch()
        for _ in 0..<count {
            let person = world.newcomer()
            world.put(person)
            batch.append(person.row, interests: person.interests)
        }
        index.build(batch)
        return (world, index)
    }

    @Test("holds everybody, gives the same decks, and can be changed and saved again")
    func equal() throws {
        for seed in 1...UInt64(60) {
            var (world, index) = world(seed, seed % 10 == 0 ? 900 : Int(seed % 7) * 20)
            for round in 0..<3 {
                for _ in 0..<world.draw(200) { DeckIndexTests.change(&world, index) }
                index = try #require(loaded(try saved(index)), "seed \(seed), round \(round)")
                try #require(people(index) == world.people && index.count == world.people.count, "seed \(seed), round \(round)")
                for _ in 0..<world.draw(200) { DeckIndexTests.change(&world, index) }
                try #require(people(index) == world.people && index.count == world.people.count, "seed \(seed), round \(round)")
                for (id, person) in world.people { try #require(index.person(UserID(rawValue: id)) == person, "seed \(seed)") }
                let known = world.identifiers
                guard let viewer = known.isEmpty ? nil : known[world.draw(known.count)],
                    let query = world.query(viewer, scoring: DeckIndexTests.scoring(world.draw(3)))
                else { continue }
                let (found, expected) = (index.best(query), world.bruteForce(query))
                try #require(found.ranks == expected.ranks, "seed \(seed), round \(round)")
            }
        }
    }

    @Test("is refused when a bit differs, when it is not whole, and under another token")
    func damaged() throws {
        var (world, index) = world(5, 700)
        let bytes = try saved(index)
        #expect(loaded(bytes) != nil)
        for number in 0..<400 {
            // The first page, the end, and anywhere.
            let place = [world.draw(4_096), bytes.count - 1 - world.draw(8), world.draw(bytes.count)][number % 3]
            var changed = bytes
            changed[place] ^= 1 << UInt8(world.draw(8))
            #expect(loaded(changed) == nil, "byte \(place)")
        }
        for _ in 0..<40 { #expect(loaded(Array(bytes.prefix(world.draw(bytes.count)))) == nil) }
        for length in [0, 1, 8, 4_095, 4_096, 4_097, 4_104, bytes.count - 4_096, bytes.count - 1] {
            #expect(loaded(Array(bytes.prefix(length))) == nil, "\(length) bytes")
        }
        #expect(loaded(bytes + [0]) == nil)
        #expect(loaded(bytes, under: [UInt8](2...17)) == nil)
        // Two pages of people in each other's place.
        var swapped = bytes
        for offset in 0..<4_096 { swapped.swapAt(4_096 + offset, 8_192 + offset) }
        #expect(loaded(swapped) == nil)
    }

    @Test("of another layout is refused, also when it is whole")
    func otherLayout() throws {
        var forest = TileForest()
        var bytes: [UInt8] = []
        let (world, _) = world(3, 40)
        for person in world.people.values { forest.set(person) }
        for layout in [SavedForm.layout, SavedForm.layout + 1] {
            bytes = []
            try SavedForestWriter.write(forest, SavedHeader(of: forest, layout: layout, token: Self.token)) { bytes += $0 }
            #expect((loaded(bytes) != nil) == (layout == SavedForm.layout))
        }
    }

    @Test("holds nothing of people who left")
    func forgets() throws {
        var (world, index) = world(8, 600)
        let everybody = world.identifiers
        var gone: Set<Int64> = []
        for id in everybody where world.draw(3) == 0 {
            index.apply([.remove(UserID(rawValue: id))])
            gone.insert(id)
        }
        let bytes = try saved(index)
        // Words, because each identifier is one.
        let words = bytes.withUnsafeBytes { bytes in
            Set(stride(from: 0, to: bytes.count - 7, by: 8).map { bytes.loadUnaligned(fromByteOffset: $0, as: Int64.self) })
        }
        #expect(words.isDisjoint(with: gone) && words.isSuperset(of: Set(everybody).subtracting(gone)) && gone.count > 100)
        // An index that was loaded is saved as one that was built.
        #expect(try saved(try #require(loaded(bytes))) == bytes)
    }
}
