/// The nodes still to be visited, as a binary heap with the highest ceiling on top.
struct Frontier {
    private struct Entry {
        let ceiling: Int
        let node: Int32
    }

    private var heap: [Entry] = []

    init() { heap.reserveCapacity(256) }

    mutating func removeAll() { heap.removeAll(keepingCapacity: true) }

    /// The node with the highest ceiling.
    @inline(__always)
    var best: Int32? { heap.first?.node }

    mutating func push(_ ceiling: Int, _ node: Int32) {
        heap.append(Entry(ceiling: ceiling, node: node))
        heap.withUnsafeMutableBufferPointer { heap in
            var child = heap.count - 1
            let entry = heap[child]
            while child > 0 {
                let parent = (child - 1) / 2
                guard heap[parent].ceiling < entry.ceiling else { break }
                heap[child] = heap[parent]
                child = parent
            }
            heap[child] = entry
        }
    }

    mutating func popBest() -> (ceiling: Int, node: Int32)? {
        guard let best = heap.first, let last = heap.popLast() else { return nil }
        heap.withUnsafeMutableBufferPointer { heap in
            guard !heap.isEmpty else { return }
            var parent = 0
            while true {
                var child = 2 * parent + 1
                guard child < heap.count else { break }
                if child + 1 < heap.count, heap[child + 1].ceiling > heap[child].ceiling { child += 1 }
                guard heap[child].ceiling > last.ceiling else { break }
                heap[parent] = heap[child]
                parent = child
            }
            heap[parent] = last
        }
        return (best.ceiling, best.node)
    }
}
