/// W-TinyLFU (Einziger, Friedman, Manes, 2017), weighted by bytes: an LRU window for new keys; a key that leaves it enters the
/// main part only in place of a key that was seen less often. The main part is a segmented LRU, four fifths protected.
final class TinyLFUPolicy: SimulatedPolicy {
    private enum Place: UInt8 { case nowhere, window, probation, protected }

    let name: String
    private let windowCapacity: Int
    private let mainCapacity: Int
    private let protectedCapacity: Int
    private var links: KeyLinks
    private var window = KeyLinks.List()
    private var probation = KeyLinks.List()
    private var protected = KeyLinks.List()
    private var places: [Place]
    private var sketch: FrequencySketch

    /// - Parameter windowShare: of the capacity, 0.01 as in the paper or more for recent keys.
    init(capacity: Int, objectCount: Int, windowShare: Double) {
        self.name = "W-TinyLFU \(Int((windowShare * 100).rounded()))%"
        self.windowCapacity = Int(Double(capacity) * windowShare)
        self.mainCapacity = capacity - windowCapacity
        self.protectedCapacity = mainCapacity * 4 / 5
        self.links = KeyLinks(objectCount: objectCount)
        self.places = [Place](repeating: .nowhere, count: objectCount)
        self.sketch = FrequencySketch(expected: min(objectCount, max(64, capacity / 1_024)))
    }

    var bytes: Int { window.bytes + probation.bytes + protected.bytes }
    func isResident(_ key: Int) -> Bool { places[key] != .nowhere }

    func touch(_ key: Int) -> Bool {
        switch places[key] {
        case .nowhere: return false
        case .window: links.renew(key, in: &window)
        case .protected: links.renew(key, in: &protected)
        case .probation:
            let size = links.size(of: key)
            links.take(key, from: &probation)
            links.push(key, size: size, to: &protected)
            places[key] = .protected
            demoteFromProtected()
        }
        sketch.add(key)
        return true
    }

    func insert(_ key: Int, size: Int, evicting: (Int) -> Void) {
        sketch.add(key)
        guard size <= mainCapacity else { return evicting(key) }
        links.push(key, size: size, to: &window)
        places[key] = .window
        while window.bytes > windowCapacity, let candidate = window.last {
            let size = links.size(of: candidate)
            links.take(candidate, from: &window)
            places[candidate] = .nowhere
            admit(candidate, size: size, evicting)
        }
    }

    func remove(_ key: Int) {
        switch places[key] {
        case .nowhere: return
        case .window: links.take(key, from: &window)
        case .probation: links.take(key, from: &probation)
        case .protected: links.take(key, from: &protected)
        }
        places[key] = .nowhere
    }

    /// Moves a key from the window into the main part if it is worth more than the keys to evict for it.
    private func admit(_ candidate: Int, size: Int, _ evicting: (Int) -> Void) {
        let frequency = sketch.estimate(candidate)
        while probation.bytes + protected.bytes + size > mainCapacity {
            guard let victim = probation.last ?? protected.last, frequency > sketch.estimate(victim) else {
                return evicting(candidate)
            }
            remove(victim)
            evicting(victim)
        }
        links.push(candidate, size: size, to: &probation)
        places[candidate] = .probation
    }

    private func demoteFromProtected() {
        while protected.bytes > protectedCapacity, let key = protected.last {
            let size = links.size(of: key)
            links.take(key, from: &protected)
            links.push(key, size: size, to: &probation)
            places[key] = .probation
        }
    }
}
