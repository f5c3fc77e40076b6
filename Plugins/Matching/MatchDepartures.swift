import SparkCore
import SparkKit

/// Records when a person closes the account or is suspended. For the other person, the match is then over; it is restored when
/// the account reopens. Until then it must look like a match that was ended.
struct MatchDepartures: ClosureParticipant {
    let store: any MatchingStore

    func setClosed(_ isClosed: Bool, user: UserID, in work: any UnitOfWork) throws {
        try store.setGone(isClosed, user: user, in: work)
    }
}
