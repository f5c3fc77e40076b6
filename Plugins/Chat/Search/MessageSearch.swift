import SparkCore
import SparkStorage

/// Finds messages by words. Reads all messages of the searching user, newest first.
///
/// There is no index, so no copy of a text outlives its message, and a search costs as much as the user's own messages. The
/// search reads in slices, so that other readers run in between, and within a budget: a page may end before it is full, and its
/// cursor continues from there.
struct MessageSearch: Sendable {
    /// What one search may read; more than most users have.
    static let budget = SearchScan.Amount(messages: 100_000, bytes: 16 << 20)
    /// What one slice reads before another reader may run.
    static let slice = SearchScan.Amount(messages: 2_000, bytes: 512 << 10)

    let storage: any Storage
    let metrics: ChatMetrics
    var budget = Self.budget

    /// Messages that contain all words, newest first, from conversations of the user that are not gone.
    /// - Parameter position: only messages with a smaller identifier are searched.
    /// - Returns: at most `limit` messages, and the position to continue from; nil at the end.
    func find(
        _ query: SearchQuery, of user: UserID, before position: Int64, limit: Int
    ) async throws -> (found: [Message], next: Int64?) {
        var scan = try await storage.read { try SearchScan(of: user, before: position, limit: limit, in: $0) }
        while !scan.isComplete, scan.read.isWithin(budget) {
            try Task.checkCancellation()
            scan = try await storage.read { [scan] database in
                var scan = scan
                try scan.advance(query, by: Self.slice, in: database)
                return scan
            }
        }
        metrics.searched(scan.read.messages)
        let page = scan.page
        // Messages may have been edited or deleted between slices, so they are checked again.
        return (try await storage.read { try SearchRows.messages(page.ids, of: user, matching: query, in: $0) }, page.next)
    }
}
