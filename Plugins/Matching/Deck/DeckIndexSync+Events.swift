import SparkCore
import SparkDecks
import SparkKit

extension ModuleRegistrar {
    /// Fills the index at the start, and keeps it in step with what other modules commit. Matching's own writes tell it themselves.
    mutating func onCommit(_ feed: DeckIndexSync) {
        prepare { try await feed.fillIfSmall() }
        health("index") { if feed.index == nil { throw DeckIndexSync.NotFilled() } }
        onCommit(ProfileChanged.self) { feed.changed([$0.user]) }
        onCommit(LocationChanged.self) { feed.changed([$0.user]) }
        onCommit(AccountErased.self) { feed.changed([$0.user]) }
        onCommit(ActivityRecorded.self) { event in
            feed.apply(event.people.map { .touch($0.user, EpochSecond($0.at)) }, of: event.people.map(\.user))
        }
    }
}
