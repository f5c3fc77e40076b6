/// Doubly linked lists over small integers. Each element is in at most one list. Every operation takes constant time.
struct IndexLists: Sendable {
    private struct Links {
        var previous = -1
        var next = -1
        /// The list that contains the element; -1 for none.
        var list = -1
    }

    private var links: [Links] = []
    private var heads: [Int] = []
    private var tails: [Int] = []

    /// Appends an element to a list, after removing it from its current list.
    mutating func append(_ element: Int, to list: Int) {
        remove(element)
        while links.count <= element { links.append(Links()) }
        while heads.count <= list {
            heads.append(-1)
            tails.append(-1)
        }
        let tail = tails[list]
        links[element] = Links(previous: tail, next: -1, list: list)
        if tail >= 0 { links[tail].next = element } else { heads[list] = element }
        tails[list] = element
    }

    /// Removes an element from its list, if it is in one.
    mutating func remove(_ element: Int) {
        guard element < links.count, links[element].list >= 0 else { return }
        let link = links[element]
        if link.previous >= 0 { links[link.previous].next = link.next } else { heads[link.list] = link.next }
        if link.next >= 0 { links[link.next].previous = link.previous } else { tails[link.list] = link.previous }
        links[element] = Links()
    }

    /// The element that was appended first.
    func first(of list: Int) -> Int? { list < heads.count && heads[list] >= 0 ? heads[list] : nil }

    func next(after element: Int) -> Int? {
        guard element < links.count, links[element].next >= 0 else { return nil }
        return links[element].next
    }

    /// The list that contains an element.
    func list(of element: Int) -> Int? {
        guard element < links.count, links[element].list >= 0 else { return nil }
        return links[element].list
    }
}

/// Elements by weight. Finds one of the heaviest in constant time, amortized.
struct WeightIndex: Sendable {
    private var lists = IndexLists()
    private var heaviest = 0

    mutating func set(_ element: Int, weight: Int) {
        guard lists.list(of: element) != weight else { return }
        lists.append(element, to: weight)
        heaviest = max(heaviest, weight)
        sink()
    }

    mutating func remove(_ element: Int) {
        lists.remove(element)
        sink()
    }

    /// The highest weight, and the element that has had it longest.
    var top: (weight: Int, element: Int)? { lists.first(of: heaviest).map { (heaviest, $0) } }

    /// The next element of the same weight.
    func next(after element: Int) -> Int? { lists.next(after: element) }

    private mutating func sink() {
        while heaviest > 0, lists.first(of: heaviest) == nil { heaviest -= 1 }
    }
}
