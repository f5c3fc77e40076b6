import SparkCore
import SparkKit
import Testing

@testable import SparkDemo

@Suite("The people of the town")
struct PeopleTests {
    static let town = GeneratedTown.small()
    static let people = (0..<town.count).map(town.person)
    let people = PeopleTests.people
    let now = GeneratedTown.noon

    @Test("towns of 0, 1 and 7 people are towns, and a negative count is none", arguments: [(-5, 0), (0, 0), (1, 1), (7, 7)])
    func tiny(asked: Int, count: Int) {
        let town = GeneratedTown.small(asked)
        #expect(town.count == count)
        #expect(Set((0..<count).map { town.person($0).email }).count == count)
    }

    @Test("everyone is 18 to 75 years old, and half are under 30")
    func ages() {
        let ages = people.map { $0.birthDate.age(on: now.date) }
        #expect(ages.allSatisfy { (18...75).contains($0) })
        #expect((27...31).contains(ages.sorted()[ages.count / 2]))
        #expect(share(of: ages) { $0 >= 60 } > 0.02)
        #expect(Set(people.map { $0.birthDate.month * 100 + $0.birthDate.day }).count > 360)
    }

    @Test("the youngest turn 18 today, also on 29 February", arguments: ["2026-03-01", "2028-02-29", "2028-03-01", "2027-12-31"])
    func youngest(day: String) throws {
        let today = try #require(CivilDate(day))
        let history = History(now: today.startOfDay)
        #expect(CivilDate(daysSinceEpoch: history.latestBirthDay).age(on: today) == 18)
        #expect(CivilDate(daysSinceEpoch: history.latestBirthDay + 1).age(on: today) == 17)
    }

    @Test("genders and sought genders have their shares")
    func orientations() {
        #expect(abs(share(of: people) { $0.gender == .woman } - 0.48) < 0.02)
        #expect(abs(share(of: people) { $0.gender == .nonbinary } - 0.04) < 0.01)
        for (gender, other) in [(Gender.woman, Gender.man), (.man, .woman)] {
            let some = people.filter { $0.gender == gender }
            #expect(abs(share(of: some) { $0.preferences.interestedIn.genders == [other] } - 0.88) < 0.02)
            #expect(abs(share(of: some) { $0.preferences.interestedIn.genders == [gender] } - 0.06) < 0.015)
        }
        #expect(share(of: people.filter { $0.gender == .nonbinary }) { $0.preferences.interestedIn == .everyone } > 0.65)
        #expect(people.allSatisfy { !$0.preferences.interestedIn.isEmpty })
    }

    @Test("preferences stay in their ranges and hold the own age")
    func preferences() {
        for person in people {
            let (preferences, age) = (person.preferences, person.birthDate.age(on: now.date))
            #expect(preferences.minAge >= 18 && preferences.maxAge <= 120)
            #expect(preferences.minAge <= age && age <= preferences.maxAge)
            #expect([5, 10, 25, 50, 100, 200].contains(preferences.maxDistanceKilometres))
        }
        #expect(abs(share(of: people) { $0.preferences.isAgeHard } - 0.6) < 0.02)
        #expect(abs(share(of: people) { $0.preferences.isDistanceHard } - 0.5) < 0.02)
        #expect(share(of: people) { (25...50).contains($0.preferences.maxDistanceKilometres) } > 0.5)
    }

    @Test("some pause, some are incognito, some hide their distance")
    func visibility() {
        #expect(abs(share(of: people, where: \.visibility.isPaused) - 0.02) < 0.006)
        #expect(abs(share(of: people, where: \.visibility.isIncognito) - 0.015) < 0.005)
        #expect(abs(share(of: people, where: \.visibility.hidesDistance) - 0.08) < 0.01)
    }

    @Test("people came within 400 days, were last seen after that and before now, half of them within a day or so")
    func times() {
        let day = 86_400_000.0
        let absences = people.map { Double(now.milliseconds - $0.lastActiveAt.milliseconds) / day }
        #expect(people.allSatisfy { $0.createdAt <= $0.lastActiveAt && $0.lastActiveAt <= now })
        #expect(people.allSatisfy { now - $0.createdAt < .days(400) })
        #expect(abs(share(of: people) { now - $0.createdAt < .days(100) } - 0.25) < 0.02)
        #expect((0.8...1.4).contains(absences.sorted()[absences.count / 2]))
        #expect(abs(share(of: absences) { $0 > 30 } - 0.08) < 0.01)
    }

    @Test("everyone has two to eight different interests and a text without gaps")
    func descriptions() {
        let interests = Set(DemoVocabulary.embedded.interests)
        for person in people {
            #expect((2...8).contains(person.interests.count) && Set(person.interests).count == person.interests.count)
            #expect(interests.isSuperset(of: person.interests))
            #expect(!person.about.isEmpty && person.about.utf8.count < 500 && !person.about.contains("{"))
        }
        #expect(Set(people.flatMap(\.interests)).count == interests.count)
        #expect(Set(people.map(\.about)).count > 7_000)
    }

    @Test("e-mail addresses count from one, names fit the gender")
    func names() throws {
        #expect(people.first?.email == "person1@demo.invalid" && people.last?.email == "person10000@demo.invalid")
        let names = DemoVocabulary.embedded.names
        #expect(people.allSatisfy { names[Int($0.gender.rawValue)].contains($0.name) })
        #expect(Set(people.map(\.name)).count > 400)
    }
}
