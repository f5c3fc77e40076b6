/// The stamps of one entry: two without any allocation, and a list for the rare ones that have more.
struct StampSet: Sendable {
    private(set) var count = 0
    private(set) var first = Stamp(slot: 0, version: 0)
    private(set) var second = Stamp(slot: 0, version: 0)
    private(set) var further: [Stamp] = []

    init() {}

    init(_ stamps: some Sequence<Stamp>) {
        for stamp in stamps { append(stamp) }
    }

    init(_ tag: CacheTag, _ table: StampView) {
        first = table.stamp(of: tag)
        count = 1
    }

    init(_ tags: [CacheTag], _ table: StampView) {
        for tag in tags { append(table.stamp(of: tag)) }
    }

    mutating func append(_ stamp: Stamp) {
        switch count {
        case 0: first = stamp
        case 1: second = stamp
        default: further.append(stamp)
        }
        count += 1
    }

    func areCurrent(_ table: StampView) -> Bool {
        (count < 1 || table.isCurrent(first)) && (count < 2 || table.isCurrent(second)) && further.allSatisfy(table.isCurrent)
    }
}
