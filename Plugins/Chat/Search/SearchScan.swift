import SparkCore
import SparkStorage

/// A search in progress: the conversations of one user, merged by the age of their messages. Plain data between slices.
struct SearchScan: Sendable {
    /// A number of messages, and of bytes of their texts.
    struct Amount: Hashable, Sendable {
        var messages = 0
        var bytes = 0

        func isWithin(_ bound: Amount) -> Bool { messages < bound.messages && bytes < bound.bytes }
    }

    /// How many messages of a conversation are read at once.
    private static let chunk = 64

    private let limit: Int
    private var heads = SearchHeads()
    /// Identifiers of the found messages, newest first; at most one more than a page holds.
    private var found: [Int64] = []
    private(set) var read = Amount()

    /// - Parameter position: only messages with smaller identifiers are searched.
    init(of user: UserID, before position: Int64, limit: Int, in session: SQLSession) throws {
        self.limit = limit
        for (conversation, last) in try SearchRows.conversations(of: user, in: session) {
            guard let head = try SearchRows.head(of: conversation, last: last, before: position, in: session) else { continue }
            heads.insert(head)
        }
    }

    /// Whether the page is complete.
    var isComplete: Bool {
        guard let newest = heads.newest else { return true }
        return found.count > limit && found[limit] > newest.id
    }

    /// The identifiers of the page's messages, newest first, and the position of the next page.
    var page: (ids: [Int64], next: Int64?) {
        // A found message counts only if it is newer than every message that was not read yet.
        let known = heads.newest.map { newest in found.prefix { $0 > newest.id } } ?? found[...]
        let shown = known.prefix(limit)
        if known.count > limit { return (Array(shown), shown.last) }
        return (Array(shown), heads.newest.map { $0.id + 1 })
    }

    /// Reads the next slice of messages.
    mutating func advance(_ query: SearchQuery, by slice: Amount, in session: SQLSession) throws {
        let before = read
        var text = FoldedText()
        while !isComplete, Amount(messages: read.messages - before.messages, bytes: read.bytes - before.bytes).isWithin(slice),
            let head = heads.popNewest()
        {
            var (count, last) = (0, head)
            try SearchRows.forEach(from: head, limit: Self.chunk, in: session) { row in
                count += 1
                last = SearchHead(id: row.integer(0), conversation: head.conversation, seq: row.integer(1))
                guard row.flag(2) else { return }
                row.withBytes(3) { bytes in
                    read.bytes += bytes.count
                    text.fold(bytes)
                }
                if query.matches(text) { found.append(last.id) }
            }
            // A row has a cost even without a text.
            read.messages += max(1, count)
            if count == Self.chunk {
                heads.insert(SearchHead(id: last.id - 1, conversation: head.conversation, seq: last.seq - 1))
            }
            found.sort(by: >)
            if found.count > limit + 1 { found.removeLast(found.count - limit - 1) }
        }
    }
}

/// The newest message of a conversation that was not read yet. No unread message has a greater identifier or place.
struct SearchHead: Sendable {
    let id: Int64
    let conversation: Int64
    let seq: Int64
}

/// A heap of heads, with the newest message on top.
struct SearchHeads: Sendable {
    private var heap: [SearchHead] = []

    var newest: SearchHead? { heap.first }

    mutating func insert(_ head: SearchHead) {
        heap.append(head)
        var index = heap.count - 1
        while index > 0, heap[index].id > heap[(index - 1) / 2].id {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func popNewest() -> SearchHead? {
        guard let newest = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return newest }
        heap[0] = last
        var index = 0
        while true {
            var greatest = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count && heap[child].id > heap[greatest].id {
                greatest = child
            }
            guard greatest != index else { return newest }
            heap.swapAt(index, greatest)
            index = greatest
        }
    }
}
