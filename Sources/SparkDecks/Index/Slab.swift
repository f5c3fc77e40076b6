/// Values under stable numbers in one growing block. Freed numbers are reused.
struct Slab<Element: BitwiseCopyable> {
    private var base: UnsafeMutablePointer<Element>
    private var used: UnsafeMutablePointer<Bool>
    private var capacity: Int
    private var free: [Int32] = []
    /// All numbers that were ever in use are below this.
    private(set) var highest = 0

    init(capacity: Int = 32) {
        self.capacity = capacity
        self.base = .allocate(capacity: capacity)
        self.used = .allocate(capacity: capacity)
    }

    /// Elements under the numbers from 0; a number whose element is nil is free.
    init(_ elements: [Element?]) {
        self.init(capacity: max(32, elements.count))
        for (number, element) in elements.enumerated() {
            used[number] = element != nil
            if let element { base[number] = element } else { free.append(Int32(number)) }
        }
        highest = elements.count
    }

    func deallocate() {
        base.deallocate()
        used.deallocate()
    }

    var bytes: Int { capacity * (MemoryLayout<Element>.stride + 1) }

    func isUsed(_ number: Int) -> Bool { used[number] }

    @inline(__always)
    subscript(number: Int) -> Element {
        get { base[number] }
        nonmutating _modify { yield &base[number] }
    }

    /// A pointer for the hot path of a search; valid until the next change.
    @inline(__always)
    func pointer(to number: Int) -> UnsafeMutablePointer<Element> { base + number }

    /// Stores an element under a free number, and returns the number.
    mutating func take(_ element: Element) -> Int {
        if let number = free.popLast() {
            base[Int(number)] = element
            used[Int(number)] = true
            return Int(number)
        }
        if highest == capacity { grow() }
        base[highest] = element
        used[highest] = true
        highest += 1
        return highest - 1
    }

    /// Frees a number.
    mutating func give(_ number: Int) {
        used[number] = false
        free.append(Int32(number))
    }

    private mutating func grow() {
        let larger = capacity + capacity / 2
        let (moved, flags) = (
            UnsafeMutablePointer<Element>.allocate(capacity: larger), UnsafeMutablePointer<Bool>.allocate(capacity: larger)
        )
        moved.update(from: base, count: highest)
        flags.update(from: used, count: highest)
        deallocate()
        (base, used, capacity) = (moved, flags, larger)
    }
}
