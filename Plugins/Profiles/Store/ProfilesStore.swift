import SparkCore

/// What this module keeps, in the words of its domain.
protocol ProfilesStore: Sendable {
    /// The whole record; nil when there is no such person. A few microseconds, on the caller's thread.
    func own(_ user: UserID) throws -> OwnProfile?
    /// The whole record as a transaction that another module began sees it.
    func own(_ user: UserID, in work: any UnitOfWork) throws -> OwnProfile?
    /// People whose name begins with a text, whatever its case, at most so many. Reads everybody.
    func users(withNamePrefix prefix: String, limit: Int) async throws -> [UserID]
    /// The records of several people in the order given; nil for whom there is none.
    func records(of users: [UserID]) async throws -> [OwnProfile?]
    /// Those who were active last and are not closed, at most so many. Reads everybody.
    func lastActive(_ limit: Int) async throws -> [UserID]
    /// How many were active within each window. Reads everybody.
    func activeCounts(at now: Timestamp) async throws -> [ActivityWindow: Int]
    /// Adds a record in a transaction that another module began.
    func insert(_ own: OwnProfile, in work: any UnitOfWork) throws
    /// Alters a record in one transaction: nobody else alters it between the reading and the writing.
    ///
    /// What `alter` names is written with the next version and told as an event; nothing is written when it names nothing.
    /// - Returns: the record as it is now and what was altered; nil when there is no such person.
    func change(
        _ user: UserID, _ alter: @escaping @Sendable (inout OwnProfile, Timestamp) throws -> ProfileAspects
    ) async throws -> (own: OwnProfile, altered: ProfileAspects)?
    /// Hides or shows a person in a transaction that another module began.
    func setClosed(_ isClosed: Bool, user: UserID, in work: any UnitOfWork) throws
    /// Writes when people were last active; skips whoever has a time that is less than `distance` older.
    func record(_ activity: [(user: UserID, at: Timestamp)], apart distance: Duration) async throws
    /// Compares the configured grid with the one that made the cells in the store; the first start decides.
    /// - Throws: `ModuleFault` when there are cells of another grid.
    func adoptGrid() async throws
    /// The same without writing.
    func checkGrid() async throws
}
