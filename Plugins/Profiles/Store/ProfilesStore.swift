import SparkCore

/// What Profiles stores, in terms of its domain.
protocol ProfilesStore: Sendable {
    /// The whole record; nil if the user does not exist. Takes a few microseconds.
    func own(_ user: UserID) async throws -> OwnProfile?
    /// The whole record in a transaction that another module began.
    func own(_ user: UserID, in work: any UnitOfWork) throws -> OwnProfile?
    /// At most `limit` people whose name begins with a text, ignoring case. Reads all people.
    func users(withNamePrefix prefix: String, limit: Int) async throws -> [UserID]
    /// The records of several users in the given order; nil for a user who does not exist.
    func records(of users: [UserID]) async throws -> [OwnProfile?]
    /// The `limit` most recently active people with open accounts. Reads all people.
    func lastActive(_ limit: Int) async throws -> [UserID]
    /// The number of people active within each window. Reads all people.
    func activeCounts(at now: Timestamp) async throws -> [ActivityWindow: Int]
    /// Adds a record in a transaction that another module began.
    func insert(_ own: OwnProfile, in work: any UnitOfWork) throws
    /// Alters a record in one transaction, so no other change comes between the read and the write.
    ///
    /// The parts that `alter` returns are written with the next version and published as events; nothing is written if it returns
    /// none.
    /// - Returns: the record afterwards, and the altered parts; nil if the user does not exist.
    func change(
        _ user: UserID, _ alter: @escaping @Sendable (inout OwnProfile, Timestamp) throws -> ProfileAspects
    ) async throws -> (own: OwnProfile, altered: ProfileAspects)?
    /// Hides or shows a person in a transaction that another module began.
    func setClosed(_ isClosed: Bool, user: UserID, in work: any UnitOfWork) throws
    /// Writes when people were last active. Skips a person whose stored time is less than `distance` older.
    func record(_ activity: [(user: UserID, at: Timestamp)], apart distance: Duration) async throws
    /// Compares the configured grid with the stored one, which the first start sets.
    /// - Throws: `ModuleFault` if there are cells of another grid.
    func adoptGrid() async throws
    /// Compares like `adoptGrid`, without writing.
    func checkGrid() async throws
}
