import SparkCore
import Testing

@Suite("Identifiers")
struct IdentifierTests {
    @Test("one value has one wire form")
    func roundTrip() {
        withSeed("identifiers") { random, comment in
            for _ in 0..<50_000 {
                let value = max(1, Int64(bitPattern: random.next() >> UInt64.random(in: 1..<63, using: &random)))
                let identifier = UserID(rawValue: value)
                #expect(UserID(wire: identifier.wire) == identifier && identifier.wire.utf8.count == 17, comment)
            }
        }
        #expect(UserID(rawValue: .max).wire == "usr_7zzzzzzzzzzzz")
        #expect(UserID(wire: "usr_7zzzzzzzzzzzz")?.rawValue == .max)
    }

    @Test(
        "other texts are refused",
        arguments: [
            "", "usr", "usr_", "usr_0000000000000", "usr_8000000000000", "usr_zzzzzzzzzzzzz", "usr_000000000001",
            "usr_00000000000001", "USR_0000000000001", "usr_000000000000A", "usr_000000000000i", "usr_000000000000u",
            "mat_0000000000001", "usr-0000000000001", "usr_000000000000é", " usr_0000000000001", "usr_0000000000001 ",
            "usr_00000000000\u{0}1", "1", "-1",
        ])
    func refusals(text: String) {
        #expect(UserID(wire: text) == nil)
    }

    @Test("changed characters never make the same identifier")
    func changedCharacters() {
        withSeed("identifier changes") { random, comment in
            for _ in 0..<20_000 {
                let identifier = UserID(rawValue: Int64(random.next() >> 1) | 1)
                var bytes = Array(identifier.wire.utf8)
                bytes[Int.random(in: bytes.indices, using: &random)] ^= 1 << UInt8.random(in: 0..<7, using: &random)
                #expect(UserID(wire: String(decoding: bytes, as: UTF8.self)) != identifier, comment)
            }
        }
    }

    @Test("texts are ordered as the values are")
    func order() {
        withSeed("identifier order") { random, comment in
            for _ in 0..<10_000 {
                let (a, b) = (UserID(rawValue: Int64(random.next() >> 1)), UserID(rawValue: Int64(random.next() >> 1)))
                #expect((a < b) == (a.wire < b.wire), comment)
            }
        }
    }

    @Test("a generator rises strictly, also when its clock stops or goes back")
    func generator() {
        let clock = ManualClock(Timestamp(milliseconds: 1_772_000_000_000))
        let generator = IdentifierGenerator(clock: clock, random: SeededRandomSource(seed: 1))
        var last = UserID(rawValue: 0)
        for step in 0..<20_000 {
            if step % 1_000 == 999 { clock.advance(by: .milliseconds(step % 2_000 == 999 ? 5 : -50)) }
            let next: UserID = generator.next()
            guard next > last, UserID(wire: next.wire) == next else {
                Issue.record("\(next) after \(last)")
                return
            }
            last = next
        }
    }

    @Test("several servers with a common clock never generate the same identifier, and each rises strictly")
    func nodes() {
        let clock = ManualClock(Timestamp(milliseconds: 1_772_000_000_000))
        // The same random bits everywhere: only the number tells the servers apart.
        let generators = (0..<64).map { number in
            IdentifierGenerator(
                clock: clock, random: SeededRandomSource(seed: 3), node: NodeNumber(number))
        }
        var seen: Set<UserID> = []
        var last = Array(repeating: UserID(rawValue: 0), count: 64)
        for step in 0..<500 {
            if step % 100 == 99 { clock.advance(by: .milliseconds(1)) }
            for (number, generator) in generators.enumerated() {
                let next: UserID = generator.next()
                guard next > last[number], seen.insert(next).inserted, next.rawValue & 63 == number else {
                    Issue.record("\(next) after \(last[number]) of server \(number)")
                    return
                }
                last[number] = next
            }
        }
        #expect(NodeNumber(64) == nil && NodeNumber(-1) == nil)
    }

    @Test("a clock before 2020 still gives positive identifiers")
    func earlyClock() {
        let generator = IdentifierGenerator(clock: ManualClock(Timestamp(milliseconds: 0)), random: SeededRandomSource(seed: 2))
        let identifier: MatchID = generator.next()
        #expect(identifier.rawValue > 0)
    }
}

@Suite("Suggestions for mistyped names")
struct NearestNameTests {
    @Test("the nearest name is offered if it is near")
    func nearest() {
        #expect(NearestName.of("latitud", in: ["longitude", "latitude"]) == "latitude")
        #expect(NearestName.of("maxage", in: ["min_age", "max_age"]) == "max_age")
        #expect(NearestName.of("xyz", in: ["name", "about"]) == nil)
        #expect(NearestName.of("", in: ["a"]) == "a")
        #expect(NearestName.of("x", in: []) == nil)
        #expect(NearestName.of(String(repeating: "a", count: 100_000), in: ["b"]) == nil)
    }
}

@Suite("Genders")
struct GenderTests {
    @Test("a set survives the wire and the store")
    func sets() {
        for raw in UInt8.min...UInt8.max {
            let set = GenderSet(rawValue: raw)
            #expect(GenderSet(set.genders) == set)
            for gender in Gender.allCases { #expect(set.contains(gender) == set.genders.contains(gender)) }
        }
        for gender in Gender.allCases { #expect(Gender(wire: gender.wire) == gender) }
        #expect(Gender(wire: "Woman") == nil)
    }

    private func generator(_ clock: ManualClock, seed: UInt64 = 1) -> IdentifierGenerator {
        IdentifierGenerator(clock: clock, random: SeededRandomSource(seed: seed))
    }

    @Test("after a seed depend on the seed and on how many of their kind came before, and rise")
    func repeatable() {
        let clock = ManualClock(Timestamp(milliseconds: 1_772_000_000_000))
        let (first, second) = (generator(clock), generator(clock, seed: 2))
        let earlier: UserID = first.next()
        first.seed(9)
        second.seed(9)
        var users: [UserID] = []
        for _ in 0..<100 {
            users.append(first.next())
            clock.advance(by: .seconds(3))
            let _: MessageID = second.next()
            #expect(second.next() == users.last)
        }
        #expect(earlier < users[0] && users == users.sorted() && Set(users).count == 100)
        let other = generator(clock)
        other.seed(10)
        #expect(other.next() != users[0])
    }

    @Test("after a second seed are none that came before, but after a return to an earlier place are the same")
    func places() {
        let generator = generator(ManualClock(Timestamp(milliseconds: 1_772_000_000_000)))
        generator.seed(9)
        let position = generator.position
        let first: UserID = generator.next()
        generator.seed(9)
        #expect(generator.next() > first)
        generator.resume(at: position)
        #expect(generator.next() == first)
    }
}
