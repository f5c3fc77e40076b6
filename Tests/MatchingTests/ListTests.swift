import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkMatching
@testable import SparkProfiles

@Suite("Lists") struct ListTests {
    /// All pages of a list; fails on a page that is too long and on a list that does not end.
    private func all<Element>(limit: Int, _ page: (PagePosition) async throws -> Page<Element>) async throws -> [Element] {
        var (items, position): ([Element], PagePosition?) = ([], .newest)
        var pages = 0
        while let current = position {
            let page = try await page(current)
            #expect(page.items.count <= limit)
            items += page.items
            position = page.next
            pages += 1
            try #require(pages < 1_000)
        }
        return items
    }

    @Test("likes come newest first, without people I answered or blocked, and people who left or are paused")
    func likes() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(40) { person in
                person.isClosed = person.id == 10
                person.isPaused = person.id == 11
                person.isIncognito = person.id == 12
            }
            let me = UserID(rawValue: 1)
            var expected: [Int64] = []
            for liker in Int64(2)...40 where liker != 10 {
                try await fixture.swipe(liker, 1, liker == 20 ? .superlike : liker == 21 ? .pass : .like)
                if liker % 3 == 0 { fixture.server.clock.advance(by: .seconds(1)) }
                if liker != 21, liker != 11 { expected.append(liker) }
            }
            try await fixture.swipe(1, 30, .pass)
            try await fixture.swipe(1, 31, .skip)
            try await fixture.swipe(1, 32, .like)
            try await fixture.service.block(UserID(rawValue: 33), by: me)
            try await fixture.service.block(me, by: UserID(rawValue: 34))
            expected = expected.filter { !(30...34).contains($0) }.reversed()
            for limit in [1, 2, 7, 100] {
                let likes = try await all(limit: limit) { position in
                    try await fixture.service.likes(of: me, after: position, limit: limit)
                }
                // Equal times are ordered by identifier, which is the order of arrival here.
                #expect(likes.map(\.card.id.rawValue) == expected)
                #expect(likes.filter(\.like.isSuperlike).map(\.card.id.rawValue) == [20])
            }
            // 33 and 34 are hidden and come right after 35.
            let page = try await fixture.service.likes(of: me, after: .newest, limit: 6)
            #expect(page.items.last?.card.id.rawValue == 35)
            #expect(page.next?.id == 35, "a cursor names nobody who is hidden")
            fixture.server.clock.advance(by: .hours(24))
            let later = try await fixture.service.likes(of: me, after: .newest, limit: 100)
            #expect(later.items.map(\.card.id.rawValue).contains(31), "an expired skip is not an answer")
        }
    }

    @Test("likes show only people within the hard limits of both, and follow changes of them")
    func likesWithinLimits() async throws {
        try await withServer(Fixture.start()) { fixture in
            func place(_ kilometresNorth: Double) -> Coordinate? {
                Coordinate(latitude: 48.8566 + kilometresNorth / 111.195, longitude: 2.3522)
            }
            let old = CivilDate(daysSinceEpoch: -10_000)
            try await fixture.settle(14) { person in
                switch person.id {
                case 1:
                    (person.interestedIn, person.minAge, person.maxAge, person.maxDistanceKilometres) = (
                        GenderSet([.woman]), 25, 40, 50
                    )
                case 2: person.gender = .man
                case 3: person.birthDate = old
                case 4: person.place = place(60)
                case 5: person.interestedIn = GenderSet([.man])
                case 6: (person.minAge, person.maxAge) = (50, 60)
                case 7: (person.place, person.maxDistanceKilometres) = (place(20), 10)
                case 8: (person.place, person.maxDistanceKilometres, person.isDistanceHard) = (place(20), 10, false)
                case 9: (person.minAge, person.maxAge, person.isAgeHard) = (50, 60, false)
                case 10: person.place = nil
                case 11: person.lastActiveAt = person.lastActiveAt - .days(300)
                default: break
                }
            }
            let me = UserID(rawValue: 1)
            for liker in Int64(2)...14 { try await fixture.swipe(liker, 1, .superlike) }
            func shown() async throws -> [Int64] {
                try await fixture.service.likes(of: me, after: .newest, limit: 100).items.map(\.card.id.rawValue).sorted()
            }
            #expect(try await shown() == [8, 9, 10, 11, 12, 13, 14])
            await fixture.server.drainEvents()
            #expect(fixture.events.all(LikeReceived.self).map(\.from.rawValue) == [8, 9, 10, 11, 12, 13, 14])
            _ = try await fixture.people.change(me) { own, _ in
                own.profile.preferences.interestedIn = .everyone
                (own.profile.preferences.isAgeHard, own.profile.preferences.isDistanceHard) = (false, false)
                return .profile
            }
            #expect(try await shown() == [2, 3, 4, 8, 9, 10, 11, 12, 13, 14], "only the others' limits are left")
        }
    }

    @Test("matches come newest first from both sides, only live ones with people who are there")
    func matches() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(30)
            let me = UserID(rawValue: 15)
            var (expected, chance): ([Int64], SplitMix64) = ([], SplitMix64(seed: 11))
            for other in (Int64(1)...30).shuffled(using: &chance) where other != 15 {
                try await fixture.swipe(other, 15, .like)
                let match = try #require(try await fixture.swipe(15, other, .like))
                if other % 4 == 0 { fixture.server.clock.advance(by: .milliseconds(1)) }
                if other == 7 {
                    try await fixture.service.unmatch(match.match.id, by: UserID(rawValue: 7))
                } else if other == 8 {
                    try await fixture.service.block(me, by: UserID(rawValue: 8))
                } else if other != 9 {
                    expected.insert(other, at: 0)
                }
            }
            try await fixture.server.storage.write { transaction in
                try transaction.session.script("UPDATE profiles_users SET closed = 1 WHERE id = 9")
                transaction.publish(
                    ProfileChanged(user: UserID(rawValue: 9), gender: .woman, place: nil, mayEnterDecks: false))
            }
            for limit in [1, 4, 100] {
                let matches = try await all(limit: limit) { position in
                    try await fixture.service.matches(of: me, after: position, limit: limit)
                }
                #expect(matches.map(\.card.id.rawValue) == expected)
            }
            #expect(try fixture.faults() == [])
        }
    }

    @Test("a list whose rows are all hidden ends, with pages of nothing if it is long")
    func hiddenRows() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(5_003)
            try await fixture.server.storage.write { transaction in
                for liker in Int64(2)...5_002 {
                    try transaction.session.run(
                        "INSERT INTO matching_swipes (user_id, target_id, action, swiped_at) VALUES (?, 1, 1, ?)", liker, liker)
                    try transaction.session.run(
                        "INSERT INTO matching_swipes (user_id, target_id, action, swiped_at) VALUES (1, ?, 0, ?)", liker, liker)
                }
                try transaction.session.script(
                    "INSERT INTO matching_swipes (user_id, target_id, action, swiped_at) VALUES (5003, 1, 1, 1)")
            }
            let first = try await fixture.service.likes(of: UserID(rawValue: 1), after: .newest, limit: 20)
            #expect(first.items.isEmpty && first.next != nil, "no page reads without end")
            let likes = try await all(limit: 20) { position in
                try await fixture.service.likes(of: UserID(rawValue: 1), after: position, limit: 20)
            }
            #expect(likes.map(\.card.id.rawValue) == [5_003])
        }
    }

    @Test("blocks come newest first and go when lifted")
    func blocks() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(20)
            let me = UserID(rawValue: 1)
            for target in Int64(2)...20 { try await fixture.service.block(UserID(rawValue: target), by: me) }
            try await fixture.service.unblock(UserID(rawValue: 5), by: me)
            for limit in [3, 100] {
                let blocks = try await all(limit: limit) { position in
                    try await fixture.service.blocks(of: me, after: position, limit: limit)
                }
                #expect(blocks.map(\.target.rawValue) == (2...20).reversed().filter { $0 != 5 })
            }
        }
    }
}
