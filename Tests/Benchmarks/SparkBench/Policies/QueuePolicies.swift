/// First in, first out.
final class FIFOPolicy: SimulatedPolicy {
    let name = "FIFO"
    private let order: RecencyOrder
    init(capacity: Int, objectCount: Int) { order = RecencyOrder(capacity: capacity, objectCount: objectCount) }

    func touch(_ key: Int) -> Bool { order.isResident[key] }
    func insert(_ key: Int, size: Int, evicting: (Int) -> Void) { order.insert(key, size: size, evicting: evicting) }
    func remove(_ key: Int) { order.remove(key) }
    func isResident(_ key: Int) -> Bool { order.isResident[key] }
    var bytes: Int { order.list.bytes }
}

/// Least recently used.
final class LRUPolicy: SimulatedPolicy {
    let name = "LRU"
    private let order: RecencyOrder
    init(capacity: Int, objectCount: Int) { order = RecencyOrder(capacity: capacity, objectCount: objectCount) }

    func touch(_ key: Int) -> Bool {
        guard order.isResident[key] else { return false }
        order.links.renew(key, in: &order.list)
        return true
    }

    func insert(_ key: Int, size: Int, evicting: (Int) -> Void) { order.insert(key, size: size, evicting: evicting) }
    func remove(_ key: Int) { order.remove(key) }
    func isResident(_ key: Int) -> Bool { order.isResident[key] }
    var bytes: Int { order.list.bytes }
}

/// One list from whose end keys leave.
private final class RecencyOrder {
    let capacity: Int
    var links: KeyLinks
    var list = KeyLinks.List()
    var isResident: [Bool]

    init(capacity: Int, objectCount: Int) {
        self.capacity = capacity
        self.links = KeyLinks(objectCount: objectCount)
        self.isResident = [Bool](repeating: false, count: objectCount)
    }

    func insert(_ key: Int, size: Int, evicting: (Int) -> Void) {
        guard size <= capacity else { return evicting(key) }
        while list.bytes + size > capacity, let victim = list.last {
            remove(victim)
            evicting(victim)
        }
        links.push(key, size: size, to: &list)
        isResident[key] = true
    }

    func remove(_ key: Int) {
        guard isResident[key] else { return }
        links.take(key, from: &list)
        isResident[key] = false
    }
}
