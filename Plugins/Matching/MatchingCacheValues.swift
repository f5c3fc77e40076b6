import SparkCache
import SparkCore
import SparkDecks
import SparkKit

// How the cache weighs and encodes the values of Matching.

extension ViewerRelations: CacheValue {
    var cacheCost: Int { 128 + 10 * (excluded.count + uncounted.count + likers.count) }

    func encode(into bytes: inout [UInt8]) {
        var writer = CompactWriter(bytes)
        writer.write(validUntil)
        writer.write(rising: excluded.sorted)
        writer.write(rising: uncounted.sorted)
        writer.write(rising: likers.sorted)
        bytes = writer.bytes
    }

    static func decode(_ bytes: [UInt8]) -> ViewerRelations? {
        var reader = CompactReader(bytes)
        guard let validUntil = reader.time(), let excluded = reader.rising(), let uncounted = reader.rising(),
            let likers = reader.rising(), reader.isAtEnd
        else { return nil }
        return ViewerRelations(
            excluded: IdentifierSet(excluded), uncounted: IdentifierSet(uncounted), likers: IdentifierSet(likers),
            validUntil: validUntil)
    }
}

extension Ranking: CacheValue {
    var cacheCost: Int { 160 + ranks.count * 32 }

    func encode(into bytes: inout [UInt8]) {
        var writer = CompactWriter(bytes)
        writer.write(stage.rawValue)
        writer.write(unsigned: isComplete ? 1 : 0)
        writer.write(place.latitude)
        writer.write(place.longitude)
        writer.write(unsigned: UInt64(interestedIn.rawValue))
        writer.write(day.daysSinceEpoch)
        writer.write(validUntil)
        switch reach {
        case .nowhere: writer.write(unsigned: 0)
        case .everywhere: writer.write(unsigned: 1)
        case .within(let radius):
            writer.write(unsigned: 2)
            writer.write(radius.metres)
        }
        writer.write(unsigned: UInt64(ranks.count))
        for rank in ranks {
            writer.write(rank.id.rawValue)
            writer.write(unsigned: rank.tie)
            writer.write(rank.score)
            writer.write(rank.version)
        }
        bytes = writer.bytes
    }

    static func decode(_ bytes: [UInt8]) -> Ranking? {
        var reader = CompactReader(bytes)
        guard let stage = reader.text().flatMap({ DeckStage(rawValue: $0) }), let isComplete = reader.unsigned(),
            let latitude = reader.double(), let longitude = reader.double(),
            let place = Coordinate(latitude: latitude, longitude: longitude), let seeks = reader.unsigned(),
            let day = reader.integer(), let validUntil = reader.time(),
            let reach = reader.reach(), let ranks = reader.list({ $0.rank() }), reader.isAtEnd
        else { return nil }
        return Ranking(
            stage: stage, ranks: ranks, isComplete: isComplete == 1, place: place,
            interestedIn: GenderSet(rawValue: UInt8(truncatingIfNeeded: seeks)), reach: reach,
            day: CivilDate(daysSinceEpoch: day), validUntil: validUntil)
    }
}

extension LiveMatches: CacheValue {
    var cacheCost: Int { 64 + matches.count * 32 }

    func encode(into bytes: inout [UInt8]) {
        var writer = CompactWriter(bytes)
        writer.write(unsigned: isComplete ? 1 : 0)
        writer.write(unsigned: UInt64(matches.count))
        for match in matches {
            for number in [match.id.rawValue, match.conversation.rawValue, match.other.rawValue] { writer.write(number) }
            writer.write(match.createdAt)
        }
        bytes = writer.bytes
    }

    static func decode(_ bytes: [UInt8]) -> LiveMatches? {
        var reader = CompactReader(bytes)
        guard let isComplete = reader.unsigned(), let matches = reader.list({ $0.match() }), reader.isAtEnd else { return nil }
        return LiveMatches(matches: matches, isComplete: isComplete == 1)
    }
}

extension CompactReader {
    fileprivate mutating func reach() -> SearchReach? {
        switch unsigned() {
        case 0: .nowhere
        case 1: .everywhere
        case 2: double().map { .within(Distance(metres: $0)) }
        default: nil
        }
    }

    fileprivate mutating func rank() -> DeckRank? {
        guard let id = integer(), let tie = unsigned(), let score = integer().flatMap({ Int(exactly: $0) }),
            let version = integer()
        else { return nil }
        return DeckRank(score: score, tie: tie, id: UserID(rawValue: id), version: version)
    }

    fileprivate mutating func match() -> Match? {
        guard let id = integer(), let conversation = integer(), let other = integer(), let createdAt = time() else { return nil }
        return Match(
            id: MatchID(rawValue: id), conversation: ConversationID(rawValue: conversation),
            other: UserID(rawValue: other), createdAt: createdAt)
    }
}
