import SparkCore
import SparkKit
import SparkStorage

/// Loads the swipes of one person of a scenario in one transaction: the rows, the counts of both sides and the index.
struct ScenarioSwipes: SwipeLoading {
    /// Thirty days, in milliseconds.
    private static let span: Int64 = 30 * 86_400_000

    let storage: any Storage
    let feed: DeckIndexSync
    let clock: any WallClock

    func load(swipesOf user: UserID, on targets: [UserID], isLike: @escaping @Sendable (Int) -> Bool) async throws {
        let now = clock.now()
        let step = Self.span / Int64(max(1, targets.count))
        let swipes = targets.enumerated().map { position, target in
            DemoSwipe(
                target: target.rawValue, action: isLike(position) ? .like : .pass,
                // The newest first, all before this day, so that they spend nothing of its likes.
                swipedAt: (now.date.startOfDay - .milliseconds(1 + Int64(position) * step)).milliseconds, hash: 0)
        }.sorted { $0.target < $1.target }
        try await storage.write { transaction in
            var sink = try DemoSwipeSink(transaction.session)
            try sink.inTransaction { sink in
                for swipe in swipes { try sink.insert(swipe, by: user.rawValue) }
            }
            try sink.finish()
            try feed.fill(from: transaction.session)
        }
    }
}
