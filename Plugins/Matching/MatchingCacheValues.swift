import SparkCache
import SparkCore
import SparkDecks
import SparkKit

// How the cache weighs and encodes the values of Matching.

extension ViewerRelations: CacheValue, CompactRecord {
    var cacheCost: Int { 128 + 10 * (excluded.count + uncounted.count + likers.count) }

    static let compact = CompactFields<ViewerRelations>(
        { ViewerRelations(excluded: $1, uncounted: $2, likers: $3, validUntil: $0) },
        \.validUntil, \.excluded, \.uncounted, \.likers)
}

extension IdentifierSet: CompactValue {
    func write(to writer: inout CompactWriter) { writer.write(rising: sorted) }
    static func read(from reader: inout CompactReader) -> IdentifierSet? { reader.rising().map { IdentifierSet($0) } }
}

extension Ranking: CacheValue, CompactRecord {
    var cacheCost: Int { 160 + ranks.count * 32 }

    static let compact = CompactFields<Ranking>(
        { stage, isComplete, place, interestedIn, day, validUntil, reach, ranks in
            Ranking(
                stage: stage, ranks: ranks, isComplete: isComplete, place: place, interestedIn: interestedIn, reach: reach,
                day: day, validUntil: validUntil)
        },
        \.stage, \.isComplete, \.place, \.interestedIn, \.day, \.validUntil, \.reach, \.ranks)
}

extension DeckStage: CompactValue {}

extension DeckRank: CompactRecord {
    static let compact = CompactFields<DeckRank>(
        { DeckRank(score: $2, tie: $1, id: $0, version: $3) }, \.id, \.tie, \.score, \.version)
}

extension SearchReach: CompactValue {
    func write(to writer: inout CompactWriter) {
        switch self {
        case .nowhere: writer.write(unsigned: 0)
        case .everywhere: writer.write(unsigned: 1)
        case .within(let radius):
            writer.write(unsigned: 2)
            writer.write(radius.metres)
        }
    }

    static func read(from reader: inout CompactReader) -> SearchReach? {
        switch reader.unsigned() {
        case 0: .nowhere
        case 1: .everywhere
        case 2: reader.double().map { .within(Distance(metres: $0)) }
        default: nil
        }
    }
}

extension LiveMatches: CacheValue, CompactRecord {
    var cacheCost: Int { 64 + matches.count * 32 }

    static let compact = CompactFields<LiveMatches>(
        { LiveMatches(matches: $1, isComplete: $0) }, \.isComplete, \.matches)
}

extension Match: CompactRecord {
    static let compact = CompactFields<Match>(
        Match.init(id:conversation:other:createdAt:), \.id, \.conversation, \.other, \.createdAt)
}
