import SparkCore
import SparkKit
import SparkStorage

/// What Matching keeps, in its own words.
protocol MatchingStore: Sendable {
    /// The best candidates of the first stage that has any, exactly: as if everybody had been asked. One snapshot.
    /// - Parameter standing: of the viewer; if nil, it is read in the same snapshot.
    /// - Throws: `MatchingError.locationRequired` for a viewer without a place, `EdgeError.notFound` for none at all.
    func ranking(for query: DeckQuery, standing: ViewerRelations?) async throws -> Ranking

    /// Who stands how to somebody.
    /// - Parameters:
    ///   - now: decides which skips have run out.
    func standing(of user: UserID, at now: Timestamp, skipLifetime: Duration) async throws -> ViewerRelations

    /// Records a swipe and makes the match if it is mutual: exactly once, whoever comes first.
    ///
    /// The same action again changes nothing and answers the same. Publishes `SwipeRecorded`, then `MatchCreated`, or `LikeReceived` for
    /// what was no like before, under the conditions of that event. A like is spent for the day, whatever becomes of it.
    /// - Throws: `EdgeError.notFound` for a target whom this user may not see, see `Relation`; `MatchingError.alreadyMatched`,
    ///   `.dailyLimit`.
    func swipe(_ swipe: Swipe, rules: SwipeRules) async throws -> SwipeOutcome

    /// Takes the last swipe back. Publishes `SwipeUndone`.
    /// - Throws: `MatchingError.nothingToUndo`, `.undoMatched`.
    func undoLastSwipe(of user: UserID, rules: SwipeRules) async throws -> Swipe

    /// Live matches with people who are there, newest first.
    func matches(of user: UserID, after position: PagePosition, limit: Int) async throws -> Page<Match>

    /// The newest live matches, with people who closed their accounts, too.
    func liveMatches(of user: UserID, limit: Int) async throws -> [Match]

    /// Ends a match for good. Publishes `MatchEnded`; nothing for one that is over, whoever ended it.
    /// - Throws: `EdgeError.notFound` unless it is or was a match of this user.
    func endMatch(_ match: MatchID, by user: UserID) async throws

    /// Likes that this user has not answered, newest first, of people who could be in the deck: each within the hard limits of the
    /// other, not paused, closed or blocked.
    /// - Parameters:
    ///   - now: decides ages, and which skips have run out.
    ///   - skipLifetime: older skips count as no answer.
    func likes(of user: UserID, after position: PagePosition, limit: Int, at now: Timestamp, skipLifetime: Duration)
        async throws -> Page<ReceivedLike>

    /// Blocks somebody, who may be blocked already; ends a live match. Publishes `UserBlocked`, `MatchEnded`.
    ///
    /// Works whatever became of the other one: closed, suspended, unmatched, erased.
    /// - Throws: `EdgeError.notFound` for targets who never had an account.
    func block(_ target: UserID, by user: UserID) async throws

    /// Lifts a block, if there is one. Publishes `UserUnblocked`.
    func unblock(_ target: UserID, by user: UserID) async throws

    /// Whom this user blocked, newest first.
    func blocks(of user: UserID, after position: PagePosition, limit: Int) async throws -> Page<Block>

    /// Records a report with what shows that it is so. Publishes `UserReported`.
    ///
    /// Works whatever became of the other one, as a block does.
    /// - Throws: `EdgeError.notFound` for targets who never had an account.
    func add(_ report: Report) async throws -> ReportID

    /// The other one of a conversation that a user is or was in; on the caller's thread.
    /// - Throws: `EdgeError.notFound` where there is none.
    func counterpart(of user: UserID, in conversation: ConversationID) throws -> UserID

    /// What filter and score know of two people, and how they stand to each other, in one snapshot; nil unless both exist.
    func pair(_ viewer: UserID, _ candidate: UserID, at now: Timestamp, skipLifetime: Duration) async throws -> Pair?

    /// Notes that a person has left their matches, or is back. Again changes nothing.
    func setGone(_ isGone: Bool, user: UserID, in work: any UnitOfWork) throws

    /// So many times more each of these people was shown on a day. A day that is over for somebody is not counted any more.
    func addShown(_ shown: [UserID: Int], on day: UInt16) async throws

    /// What is between two people; a few microseconds, on the caller's thread.
    func relation(of target: UserID, to viewer: UserID) throws -> Relation
}

/// Matching's tables in SQLite, the deck over SpatiaLite's R-tree of published places.
struct SpatiaLiteMatchingStore: MatchingStore {
    let storage: any Storage
    let identifiers: IdentifierGenerator
    /// Told of what changes for the hot index.
    let feed: DeckIndexSync
    /// Told of matches in their own transactions.
    let participants: Contributions<any MatchParticipant>
    /// Asked for evidence in the transactions of reports.
    let evidence: Contributions<any EvidenceProviding>
    /// The newest messages of a conversation that are kept with a report.
    let evidenceMessages: Int
}
