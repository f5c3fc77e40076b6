import SparkCore
import SparkStorage

/// A search under way: the conversations of one person, merged by the age of their messages. Plain data between its slices.
struct SearchScan: Sendable {
    /// Messages, and bytes of their texts.
    struct Amount: Hashable, Sendable {
        var messages = 0
        var bytes = 0

        func isWithin(_ bound: Amount) -> Bool { messages < bound.messages && bytes < bound.bytes }
    }

    /// Messages that are read of a conversation in one go.
    private static let chunk = 64

    private let limit: Int
    private var heads = SearchHeads()
    /// Identifiers of messages that were found, newest first; one more than a page has, at most.
    private var found: [Int64] = []
    private(set) var read = Amount()

    /// - Parameter position: only messages with smaller identifiers.
    init(of user: UserID, before position: Int64, limit: Int, in session: SQLSession) throws {
        self.limit = limit
        for (conversation, last) in try SearchRows.conversations(of: user, in: session) {
            guard let head = try SearchRows.head(of: conversation, last: last, before: position, in: session) else { continue }
            heads.insert(head)
        }
    }

    /// Whether the page is known.
    var isComplete: Bool {
        guard let newest = heads.newest else { return true }
        return found.count > limit && found[limit] > newest.id
    }

    /// Identifiers of the page's messages, newest first, and where the next page begins.
    var page: (ids: [Int64], next: Int64?) {
        // What is older than a message that was not looked at is not the next one yet.
        let known = heads.newest.map { newest in found.prefix { $0 > newest.id } } ?? found[...]
        let shown = known.prefix(limit)
        if known.count > limit { return (Array(shown), shown.last) }
        return (Array(shown), heads.newest.map { $0.id + 1 })
    }

    /// Looks at further messages.
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
            // A row costs something even if it has no text.
            read.messages += max(1, count)
            if count == Self.chunk {
                heads.insert(SearchHead(id: last.id - 1, conversation: head.conversation, seq: last.seq - 1))
            }
            found.sort(by: >)
            if found.count > limit + 1 { found.removeLast(found.count - limit - 1) }
        }
    }
}

/// Up to where a conversation is not looked at yet: no message there has a greater identifier or place.
struct SearchHead: Sendable {
    let id: Int64
    let conversation: Int64
    let seq: Int64
}

/// A heap of heads, the one with the newest message on top.
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
