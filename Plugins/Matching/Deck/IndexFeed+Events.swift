import SparkCore
import SparkDecks
import SparkKit

extension ModuleRegistrar {
    /// Fills the index at the start, and keeps it in step with what other modules commit. Matching's own writes tell it themselves.
    mutating func follow(_ feed: IndexFeed) {
        prepare { try await feed.fillIfSmall() }
        health("index") { if feed.index == nil { throw IndexFeed.NotFilled() } }
        follow(ProfileChanged.self) { feed.changed([$0.user]) }
        follow(LocationChanged.self) { feed.changed([$0.user]) }
        follow(AccountErased.self) { feed.changed([$0.user]) }
        follow(ActivityRecorded.self) { event in
            feed.apply(event.people.map { .touch($0.user, EpochSecond($0.at)) }, of: event.people.map(\.user))
        }
    }
}
