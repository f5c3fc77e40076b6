import Dispatch
import SparkCore
import Synchronization
import Testing

@testable import SparkDecks

/// Worlds to try; `SPARK_WORLDS` raises it for a long run.
private let worlds = Environment.number("SPARK_WORLDS") ?? 300

@Suite("The hot index")
struct DeckIndexTests {
    static func scoring(_ dice: Int) -> any CandidateScoring {
        switch dice {
        case 0: NearestFirst()
        case 1: WeightedScorer(.init(distance: 0, recency: 1, age: 0, interests: 1), activeDays: 30)
        default:
            WeightedScorer(
                .init(distance: 0.4, recency: 0.2, age: 0.15, interests: 0.1, likelihood: 0.1, exposure: 0.05), activeDays: 30)
        }
    }

    @Test("gives the same members in the same order as asking everybody, through any changes")
    func equalsBruteForce() throws {
        for seed in 1...UInt64(worlds) {
            var world = SmallWorld(seed: seed)
            let index = DeckIndex()
            var batch = PersonBatch()
            for _ in 0..<world.draw(seed % 20 == 0 ? 900 : 60) {
                let person = world.newcomer()
                world.put(person)
                batch.append(person.row, interests: person.interests)
            }
            index.build(batch)
            for _ in 0..<6 {
                for _ in 0..<world.draw(seed % 20 == 0 ? 300 : 30) { Self.change(&world, index) }
                let known = world.identifiers
                guard let viewer = known.isEmpty ? nil : known[world.draw(known.count)] else { continue }
                let scoring = Self.scoring(world.draw(3))
                guard let query = world.query(viewer, scoring: scoring) else { continue }
                let found = index.best(query)
                let expected = world.bruteForce(query)
                try #require(found.ranks == expected.ranks, "seed \(seed)")
                if !found.ranks.isEmpty { try #require(found.stage == expected.stage, "seed \(seed)") }
            }
            try #require(index.count == world.people.count, "seed \(seed)")
            var held: [Int64: IndexedPerson] = [:]
            index.forEach { held[$0.row.id] = $0 }
            try #require(held == world.people, "seed \(seed)")
        }
    }

    @Test("a search that gives back the lock gives the answer of the moment at which it ends")
    func turns() throws {
        var (pauses, changed) = (0, 0)
        for seed in 1...UInt64(worlds) {
            var world = SmallWorld(seed: seed)
            let index = DeckIndex()
            var batch = PersonBatch()
            for _ in 0..<(20 + world.draw(seed % 20 == 0 ? 900 : 100)) {
                let person = world.newcomer()
                world.put(person)
                batch.append(person.row, interests: person.interests)
            }
            index.build(batch)
            for _ in 0..<4 {
                let known = world.identifiers
                guard let viewer = known.isEmpty ? nil : known[world.draw(known.count)] else { continue }
                let scoring = Self.scoring(world.draw(3))
                guard let query = world.query(viewer, scoring: scoring) else { continue }
                let least = world.people.count * 2 / 3
                // Once in a while, more people change than the index remembers.
                var burst = seed % 50 == 0 ? ChangeJournal.capacity + 1 : 0
                let found = index.best(query, nodesPerTurn: 1 + world.draw(2)) {
                    pauses += 1
                    for _ in 0..<(burst + world.draw(3)) {
                        changed += 1
                        Self.change(&world, index)
                    }
                    burst = 0
                    // The people among the best change, too.
                    guard pauses % 16 == 0, let one = world.bruteForce(query).ranks.first?.id else { return }
                    if world.draw(3) == 0, world.people.count > least {
                        world.remove(one.rawValue)
                        index.apply([.remove(one)])
                    } else {
                        let person = world.person(one.rawValue)
                        world.put(person)
                        index.apply([.set(person)])
                    }
                }
                let expected = world.bruteForce(query)
                try #require(found.ranks == expected.ranks, "seed \(seed)")
                if !found.ranks.isEmpty { try #require(found.stage == expected.stage, "seed \(seed)") }
            }
        }
        #expect(pauses > worlds && changed > worlds)
    }

    @Test("while people come, move and leave, nobody who stays is missed, nobody is found twice, and nobody excluded is found")
    func changesMeanwhile() throws {
        var world = SmallWorld(seed: 5)
        let index = DeckIndex()
        for _ in 0..<1_500 { world.put(world.newcomer()) }
        index.apply(world.people.values.map { .set($0) })
        let still = world.people.filter { ($0.key / 7_919_000_003) % 3 != 0 }
        let group = DispatchGroup()
        let isDone = Atomic(false)
        var mover = world
        let moving = mover.identifiers.filter { still[$0] == nil }
        let changes = (0..<5_000).map { _ -> DeckIndex.Change in
            let id = moving[mover.draw(moving.count)]
            return mover.draw(3) == 0 ? .remove(UserID(rawValue: id)) : .set(mover.person(id))
        }
        DispatchQueue.global().async(group: group) {
            var next = 0
            while !isDone.load(ordering: .acquiring) {
                index.apply([changes[next]])
                next = (next + 1) % changes.count
            }
        }
        defer {
            isDone.store(true, ordering: .releasing)
            group.wait()
        }
        var asking = world
        for id in moving { world.remove(id) }
        for round in 0..<100 {
            let viewer = world.identifiers[asking.draw(world.people.count)]
            guard var query = asking.query(viewer, scoring: Self.scoring(round % 3)) else { continue }
            // Of several stages, the movers would decide which one answers.
            query.stages = [.anywhere]
            let found = index.best(query, nodesPerTurn: 2) {}.ranks
            #expect(Set(found.map(\.id)).count == found.count)
            #expect(found.allSatisfy { !query.excluded.contains($0.id.rawValue) })
            #expect(found == found.sorted())
            for rank in world.bruteForce(query).ranks {
                guard found.count == query.limit, let last = found.last, last < rank else {
                    #expect(found.contains(rank))
                    continue
                }
            }
        }
    }

    @Test("the estimate of a tile turns away most people who score too little, and nobody who scores enough")
    func estimates() throws {
        var (turnedAway, tooLow) = (0, 0)
        for seed in 1...UInt64(100) {
            var world = SmallWorld(seed: seed)
            var tile = Tile(node: -1, set: 0)
            defer { tile.free() }
            let matches = TileMatches()
            defer { matches.free() }
            for _ in 0..<100 {
                let person = world.newcomer()
                world.put(person)
                person.interests.withUnsafeBufferPointer { tile.insert(person.row, interests: $0) }
            }
            let calendar = AgeCalendar(today: SmallWorld.now.date)
            let first = try #require(world.people.values.max { $0.id < $1.id })
            let viewer = first.row.candidate(on: calendar, interests: first.interests)
            var limits = StageLimits()
            (limits.oldestForSoft, limits.youngestForSoft) = (.max, 0)
            let scorer = WeightedScorer(
                .init(distance: 0.4, recency: 0.2, age: 0.3, interests: 0.3), activeDays: 1 + world.draw(40))
            let scale = scorer.scale(for: viewer, at: SmallWorld.now)
            let metres = Double(world.draw(20_000))
            let scores = (0..<tile.count).map { position in
                let person = PersonRow(tile, at: position, set: 0).candidate(on: calendar, interests: [])
                let shared = viewer.interests.withUnsafeBufferPointer { InterestCode.shared($0, tile.interests(at: position)) }
                return scale.score(
                    CandidateTraits(person, metres: metres, sharedInterests: shared, likesViewer: false, at: SmallWorld.now))
            }
            for threshold in scores {
                matches.filter(tile.columns, tile.count, limits, kilometres: 0)
                let filtered = (0..<tile.count).map { matches.word($0 / 8) >> ($0 % 8 * 8) & 1 }
                let estimate = try #require(
                    scale.estimate(TraitLimits(metres: metres, sharedInterests: 12), threshold: threshold))
                if estimate.needed > 0 { matches.reject(tile.columns, tile.count, estimate, InterestMask(viewer.interests)) }
                for position in 0..<tile.count where filtered[position] == 1 {
                    let isMarked = matches.word(position / 8) >> (position % 8 * 8) & 1 == 1
                    try #require(isMarked || scores[position] < threshold, "seed \(seed)")
                    if scores[position] < threshold { (tooLow, turnedAway) = (tooLow + 1, turnedAway + (isMarked ? 0 : 1)) }
                }
            }
        }
        #expect(turnedAway > tooLow / 2)
    }

    @Test("a distance from the viewer's place is that of the coordinates, bit for bit")
    func distances() throws {
        var chance = SplitMix64(seed: 8)
        func place() -> Coordinate? {
            let (latitude, longitude) = (Double(chance.next() % 180_001) / 1_000, Double(chance.next() % 360_000) / 1_000)
            return Coordinate(latitude: latitude - 90, longitude: longitude - 180)
        }
        for _ in 0..<10_000 {
            let (here, there) = (try #require(place()), try #require(place()))
            let metres = PlaceOfView(here).metres(latitude: there.latitude, longitude: there.longitude)
            #expect(metres == here.distance(to: there).metres)
        }
    }

    static func change(_ world: inout SmallWorld, _ index: DeckIndex) {
        let known = world.identifiers
        let id = known.isEmpty ? 0 : known[world.draw(known.count)]
        switch world.draw(7) {
        case 0, 1:
            let person = world.newcomer()
            world.put(person)
            index.apply([.set(person)])
        case 2 where id != 0:
            world.remove(id)
            index.apply([.remove(UserID(rawValue: id))])
        case 3 where id != 0:
            let person = world.person(id)
            world.put(person)
            index.apply([.set(person)])
        case 4 where id != 0:
            guard var person = world.people[id] else { return }
            person.row.lastActive = EpochSecond(SmallWorld.now - .seconds(world.draw(40 * 86_400)))
            world.put(person)
            index.apply([.touch(person.id, person.row.lastActive)])
        case 5,
            6 where id != 0:
            guard var person = world.people[id] else { return }
            person.row.counts = world.counts()
            world.put(person)
            index.apply([.count(person.id, person.row.counts)])
        default: break
        }
    }

    @Test("a thousand people at one place, of one age, are found and removed again")
    func onePlace() throws {
        var world = SmallWorld(seed: 3)
        let index = DeckIndex()
        let model = world.newcomer()
        for number in 1...1_000 {
            let row = PersonRow(
                id: UserID(rawValue: Int64(number)), birth: model.row.birth, gender: .woman,
                preferences: Preferences(
                    interestedIn: .everyone, minAge: 18, maxAge: 120, maxDistanceKilometres: 10, isAgeHard: false,
                    isDistanceHard: false),
                isIncognito: false, hidesDistance: false, lastActive: EpochSecond(SmallWorld.now),
                place: try #require(Coordinate(latitude: model.row.latitude, longitude: model.row.longitude)), version: 1)
            let person = IndexedPerson(row: row, interests: [])
            world.put(person)
            index.apply([.set(person)])
        }
        world.remove(model.row.id)
        let asked = world.query(1, scoring: NearestFirst())
        let query = try #require(asked)
        #expect(index.best(query).ranks == world.bruteForce(query).ranks)
        for number in 1...1_000 { index.apply([.remove(UserID(rawValue: Int64(number)))]) }
        #expect(index.count == 0)
        #expect(index.best(query).ranks.isEmpty)
    }

    @Test("an age follows the calendar, at every birthday and around it")
    func ages() {
        for today in [
            CivilDate(year: 2026, month: 3, day: 1)!, CivilDate(year: 2024, month: 2, day: 29)!,
            CivilDate(year: 2025, month: 2, day: 28)!,
        ] {
            let calendar = AgeCalendar(today: today)
            for days in stride(from: today.daysSinceEpoch - 45_000, to: today.daysSinceEpoch, by: 1) {
                let birth = CivilDate(daysSinceEpoch: days)
                #expect(calendar.age(BirthDay(birth)) == birth.age(on: today))
            }
            for age in 0...119 {
                let births = calendar.births(from: age, through: age)!
                #expect(births.lowerBound.date.age(on: today) == age && births.upperBound.date.age(on: today) == age)
                #expect(BirthDay(rawValue: births.lowerBound.rawValue - 1).date.age(on: today) == age + 1)
                if births.upperBound < BirthDay(today) {
                    #expect(BirthDay(rawValue: births.upperBound.rawValue + 1).date.age(on: today) == age - 1)
                }
            }
        }
    }
}
