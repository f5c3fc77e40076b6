/// S3-FIFO (Yang et al., SOSP 2023), weighted by bytes: a small queue of a tenth for new keys, a main queue, and the keys
/// that left the small queue unused, for as many bytes as the main queue holds.
final class S3FIFOPolicy: SimulatedPolicy {
    private enum Place: UInt8 { case nowhere, small, main, ghost }

    /// Uses in the small queue that lead to the main queue.
    private static let promotion: UInt8 = 2
    private static let mostUses: UInt8 = 3

    let name = "S3-FIFO"
    private let capacity: Int
    private let smallCapacity: Int
    private var links: KeyLinks
    private var small = KeyLinks.List()
    private var main = KeyLinks.List()
    private var ghosts = KeyLinks.List()
    private var places: [Place]
    private var uses: [UInt8]
    private var hasEvicted = false

    init(capacity: Int, objectCount: Int) {
        self.capacity = capacity
        self.smallCapacity = capacity / 10
        self.links = KeyLinks(objectCount: objectCount)
        self.places = [Place](repeating: .nowhere, count: objectCount)
        self.uses = [UInt8](repeating: 0, count: objectCount)
    }

    var bytes: Int { small.bytes + main.bytes }
    func isResident(_ key: Int) -> Bool { places[key] == .small || places[key] == .main }

    func touch(_ key: Int) -> Bool {
        guard isResident(key) else { return false }
        if uses[key] < Self.mostUses { uses[key] += 1 }
        return true
    }

    func insert(_ key: Int, size: Int, evicting: (Int) -> Void) {
        guard size <= capacity else { return evicting(key) }
        let wasGhost = places[key] == .ghost
        if wasGhost { links.take(key, from: &ghosts) }
        // Removed from every list before making room, so that eviction cannot find it.
        places[key] = .nowhere
        while bytes + size > capacity { evict(evicting) }
        uses[key] = 0
        // Before the first eviction, keys that exceed the small queue fill the main queue.
        if wasGhost || !hasEvicted && small.bytes >= smallCapacity {
            links.push(key, size: size, to: &main)
            places[key] = .main
        } else {
            links.push(key, size: size, to: &small)
            places[key] = .small
        }
    }

    func remove(_ key: Int) {
        switch places[key] {
        case .small: links.take(key, from: &small)
        case .main: links.take(key, from: &main)
        case .nowhere, .ghost: return
        }
        places[key] = .nowhere
    }

    private func evict(_ evicting: (Int) -> Void) {
        hasEvicted = true
        // The main queue first while it is over its share, so that the small one is never starved by it.
        if small.last == nil || main.bytes > capacity - smallCapacity {
            evictFromMain(evicting)
        } else {
            evictFromSmall(evicting)
        }
    }

    private func evictFromSmall(_ evicting: (Int) -> Void) {
        while let key = small.last {
            let size = links.size(of: key)
            links.take(key, from: &small)
            if uses[key] >= Self.promotion {
                uses[key] = 0
                links.push(key, size: size, to: &main)
                places[key] = .main
                // The main queue may now be the one that is too large.
                if small.bytes <= smallCapacity, main.last != nil { return }
            } else {
                links.push(key, size: size, to: &ghosts)
                places[key] = .ghost
                trimGhosts()
                return evicting(key)
            }
        }
    }

    private func evictFromMain(_ evicting: (Int) -> Void) {
        while let key = main.last {
            if uses[key] > 0 {
                uses[key] -= 1
                links.renew(key, in: &main)
            } else {
                links.take(key, from: &main)
                places[key] = .nowhere
                return evicting(key)
            }
        }
    }

    private func trimGhosts() {
        while ghosts.bytes > capacity - smallCapacity, let oldest = ghosts.last {
            links.take(oldest, from: &ghosts)
            places[oldest] = .nowhere
        }
    }
}
