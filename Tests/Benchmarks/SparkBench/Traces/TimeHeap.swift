/// A queue of events: items by time, equal times by item, so that the order is the same on every machine.
struct TimeHeap {
    private var entries: [(time: Int64, item: UInt32)] = []

    var first: (time: Int64, item: UInt32)? { entries.first }

    mutating func push(_ time: Int64, _ item: UInt32) {
        var index = entries.count
        entries.append((time, item))
        while index > 0 {
            let parent = (index - 1) / 2
            guard isBefore(index, parent) else { break }
            entries.swapAt(index, parent)
            index = parent
        }
    }

    /// Removes the first entry.
    mutating func pop() {
        guard let last = entries.popLast(), !entries.isEmpty else { return }
        entries[0] = last
        sink()
    }

    /// Gives the first entry a later time.
    mutating func postpone(to time: Int64) {
        guard !entries.isEmpty else { return }
        entries[0].time = time
        sink()
    }

    private mutating func sink() {
        var index = 0
        while true {
            var least = index
            let child = 2 * index + 1
            if child < entries.count, isBefore(child, least) { least = child }
            if child + 1 < entries.count, isBefore(child + 1, least) { least = child + 1 }
            guard least != index else { return }
            entries.swapAt(index, least)
            index = least
        }
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        let (left, right) = (entries[left], entries[right])
        return left.time < right.time || left.time == right.time && left.item < right.item
    }
}
