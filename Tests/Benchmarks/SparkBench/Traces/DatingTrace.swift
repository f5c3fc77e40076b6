/// The requests to the caches of a dating backend during a day.
///
/// People come back after minutes or hours, more in the evening than at night. A session opens with the person's own
/// entries, then sweeps through other people's profiles with swipes between, chats, looks around on the map, and now and
/// then changes the profile or the preferences. Candidates are of the same town, active people more often. The values are
/// 200 B to 20 kB.
///
/// A write names the entry whose content changes; a `FreshnessRegime` decides which other entries it invalidates.
public struct DatingTrace: CacheTrace {
    public let name = "dating"
    public let layout: DatingLayout
    public let hours: Int
    let towns: DatingTowns
    let seed: UInt64

    /// - Parameters:
    ///   - people: 115,000 make a footprint of about 2.5 GB.
    ///   - hours: how long the trace lasts.
    public init(people: Int, hours: Int, seed: UInt64) {
        self.towns = DatingTowns(people: people)
        self.layout = DatingLayout(
            people: people, conversations: people * 2, cells: towns.cellCount, regions: towns.regionCount)
        self.hours = hours
        self.seed = seed
    }

    /// Full: about 20 million requests in 24 hours. Small: a tenth of the people.
    public init(size: TraceCatalogue.Size, seed: UInt64) {
        self.init(people: Self.fullPeople / size.datingScale, hours: 24, seed: seed)
    }

    public static let fullPeople = 115_000

    public var objectCount: Int { layout.keyCount }
    public func size(of key: Int) -> Int { layout.size(of: key) }

    public func requests() -> AnyIterator<TraceRequest> {
        AnyIterator(DatingDay(self))
    }
}
