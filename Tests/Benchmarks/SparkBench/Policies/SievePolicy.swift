/// SIEVE (Zhang et al., NSDI 2024): one list in order of arrival; a hand walks from old to new, spares entries that were used
/// since its last visit once, and evicts the others.
final class SievePolicy: SimulatedPolicy {
    let name = "SIEVE"
    private let capacity: Int
    private var links: KeyLinks
    private var list = KeyLinks.List()
    private var isResident: [Bool]
    private var isVisited: [Bool]
    private var hand: Int?

    init(capacity: Int, objectCount: Int) {
        self.capacity = capacity
        self.links = KeyLinks(objectCount: objectCount)
        self.isResident = [Bool](repeating: false, count: objectCount)
        self.isVisited = isResident
    }

    var bytes: Int { list.bytes }
    func isResident(_ key: Int) -> Bool { isResident[key] }

    func touch(_ key: Int) -> Bool {
        guard isResident[key] else { return false }
        isVisited[key] = true
        return true
    }

    func insert(_ key: Int, size: Int, evicting: (Int) -> Void) {
        guard size <= capacity else { return evicting(key) }
        while list.bytes + size > capacity, let victim = nextVictim() {
            remove(victim)
            evicting(victim)
        }
        links.push(key, size: size, to: &list)
        isResident[key] = true
        isVisited[key] = false
    }

    func remove(_ key: Int) {
        guard isResident[key] else { return }
        if hand == key { hand = links.newer(than: key) }
        links.take(key, from: &list)
        isResident[key] = false
    }

    private func nextVictim() -> Int? {
        while let key = hand ?? list.last {
            guard isVisited[key] else { return key }
            isVisited[key] = false
            hand = links.newer(than: key)
        }
        return nil
    }
}
