import SparkCache
import SparkCore
import SparkDecks
import SparkKit
import Testing

@testable import SparkMatching

@Suite("What Matching writes to the cache's disk") struct CacheValueTests {
    private func bytes(_ value: some CacheValue) -> [UInt8] {
        var bytes: [UInt8] = []
        value.encode(into: &bytes)
        return bytes
    }

    /// Every part of an encoding, and every encoding with one byte changed, is nothing or a value; none traps.
    private func damage<Value: CacheValue>(_ value: Value) {
        let whole = bytes(value)
        for length in 0..<whole.count { #expect(Value.decode(Array(whole[..<length])) == nil) }
        for index in whole.indices {
            for change: UInt8 in [1, 0x80, 0xFF] {
                var changed = whole
                changed[index] ^= change
                _ = Value.decode(changed)
            }
        }
    }

    @Test("relations come back unchanged, and take few bytes per person")
    func standing() throws {
        var chance = SplitMix64(seed: 8)
        let ids = (0..<400).map { _ in Int64(chance.next() >> 1) } + [0, 1, .max, .min]
        let standing = ViewerRelations(
            excluded: IdentifierSet(ids), uncounted: IdentifierSet(Array(ids.suffix(7))),
            likers: IdentifierSet(Array(ids.prefix(9))),
            validUntil: Timestamp(milliseconds: .max))
        let back = try #require(ViewerRelations.decode(bytes(standing)))
        #expect(
            back.excluded == standing.excluded && back.uncounted == standing.uncounted && back.likers == standing.likers
                && back.validUntil == standing.validUntil)
        for id in ids { #expect(back.excludes(id)) }
        #expect(bytes(standing).count < ids.count * 9)
        damage(
            ViewerRelations(
                excluded: IdentifierSet([1, 2, 900]), uncounted: IdentifierSet([900]), likers: IdentifierSet([5]),
                validUntil: Timestamp(milliseconds: 7)))
    }

    @Test("matches and rankings come back unchanged")
    func lists() throws {
        let match = Match(
            id: MatchID(rawValue: 1), conversation: ConversationID(rawValue: -2), other: UserID(rawValue: .max),
            createdAt: Timestamp(milliseconds: 5))
        let list = LiveMatches(matches: [match, match], isComplete: true)
        #expect(LiveMatches.decode(bytes(list)) == list)
        damage(list)
        for reach in [SearchReach.nowhere, .everywhere, .within(.kilometres(4))] {
            let ranking = Ranking(
                stage: .wider,
                ranks: [DeckRank(score: 999, candidate: UserID(rawValue: 4), version: 3, viewer: UserID(rawValue: 1))],
                isComplete: false, place: try #require(Coordinate(latitude: 1, longitude: 2)), interestedIn: .everyone,
                reach: reach, day: CivilDate(daysSinceEpoch: 20_000), validUntil: Timestamp(milliseconds: 9))
            let back = try #require(Ranking.decode(bytes(ranking)))
            #expect(back.ranks == ranking.ranks && back.stage == .wider && !back.isComplete && back.reach == reach)
            #expect(back.day == ranking.day && back.validUntil == ranking.validUntil && back.place == ranking.place)
            damage(ranking)
        }
    }
}
