import SparkCore
import Testing

@testable import SparkDecks

/// Worlds to try; `SPARK_WORLDS` raises it for a long run.
private let worlds = Environment.number("SPARK_WORLDS") ?? 300

@Suite("The hot index")
struct DeckIndexTests {
    private static func scoring(_ dice: Int) -> any CandidateScoring {
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

    private static func change(_ world: inout SmallWorld, _ index: DeckIndex) {
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
