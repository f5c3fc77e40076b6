import SparkCore
import SparkStorage

/// Finds messages by their words, by reading the messages of the person who searches, newest first.
///
/// There is no index, so nothing outlives a message, and a search costs what the person's own messages cost. It reads in slices, so
/// that other readers come in between, and not without end: a page may end before it is full, and its cursor goes on from there.
struct MessageSearch: Sendable {
    /// What one search may look at; more than people have, mostly.
    static let budget = SearchScan.Amount(messages: 100_000, bytes: 16 << 20)
    /// What it looks at before another reader may come in.
    static let slice = SearchScan.Amount(messages: 2_000, bytes: 512 << 10)

    let storage: any Storage
    let metrics: ChatMetrics
    var budget = Self.budget

    /// Messages that hold all words, newest first, of conversations of the user that are not gone.
    /// - Parameter position: an identifier before which to look.
    /// - Returns: at most `limit`, and the position to go on from; nil at the end.
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
        // Between two slices a message may have been changed or taken away.
        return (try await storage.read { try SearchRows.messages(page.ids, of: user, matching: query, in: $0) }, page.next)
    }
}
