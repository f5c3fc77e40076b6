import SparkCore

/// Counts failures per key, each in its own window that begins with the key's first failure.
///
/// Bounded: beyond the capacity the oldest windows are dropped.
struct FailureWindows<Key: Hashable & Sendable>: Sendable {
    private struct Window: Sendable {
        let number: Int
        let end: Timestamp
        var count: Int
    }

    private let window: Duration
    private let capacity: Int
    private var windows: [Key: Window] = [:]
    /// The windows in the order of their begin, which is also that of their end. Some of them are already gone.
    private var order: [(key: Key, number: Int)] = []
    private var head = 0
    private var lastNumber = 0

    init(window: Duration, capacity: Int) {
        self.window = window
        self.capacity = capacity
    }

    /// The number of windows.
    var size: Int { windows.count }

    func count(of key: Key, at now: Timestamp) -> Int {
        guard let window = windows[key], window.end > now else { return 0 }
        return window.count
    }

    /// The time until the key's window ends.
    func rest(of key: Key, at now: Timestamp) -> Duration {
        guard let window = windows[key], window.end > now else { return .zero }
        return window.end - now
    }

    mutating func add(_ key: Key, at now: Timestamp) {
        if let open = windows[key], open.end > now {
            windows[key]?.count = open.count + 1
            return
        }
        lastNumber += 1
        windows[key] = Window(number: lastNumber, end: now + window, count: 1)
        order.append((key, lastNumber))
        makeRoom(at: now)
    }

    /// Withdraws one failure.
    mutating func withdraw(_ key: Key) {
        guard let window = windows[key] else { return }
        windows[key] = window.count > 1 ? Window(number: window.number, end: window.end, count: window.count - 1) : nil
    }

    mutating func forget(_ key: Key) { windows[key] = nil }

    private mutating func makeRoom(at now: Timestamp) {
        while head < order.count {
            let (key, number) = order[head]
            if let window = windows[key], window.number == number {
                guard window.end <= now || windows.count > capacity else { break }
                windows[key] = nil
            }
            head += 1
        }
        // Forgotten keys leave stale entries. Above twice the capacity at least half of the entries are stale.
        if order.count > capacity * 2 {
            order = order[head...].filter { windows[$0.key]?.number == $0.number }
            head = 0
        }
    }
}
