import SparkCore
import SparkKit

/// Notes since when a match is over for the one who is left when the other one closes the account or is suspended. It comes back with
/// that person; until then it must look like one that was ended.
struct MatchDepartures: ClosureParticipant {
    let store: any MatchingStore

    func setClosed(_ isClosed: Bool, user: UserID, in work: any UnitOfWork) throws {
        try store.setGone(isClosed, user: user, in: work)
    }
}
