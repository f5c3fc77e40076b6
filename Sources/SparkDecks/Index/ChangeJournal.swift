/// The people who changed last, for searches that give back the lock before they end.
struct ChangeJournal {
    /// A state of the forest between two changes.
    struct Moment: Equatable {
        fileprivate var changes = 0
        fileprivate var breaks = 0
    }

    /// The number of people who are remembered.
    static let capacity = 1_024

    private(set) var now = Moment()
    /// Filled from the start again and again.
    private var people: [Int64] = []

    /// Notes that a person was added, changed or removed.
    mutating func note(_ person: Int64) {
        if people.count < Self.capacity {
            people.append(person)
        } else {
            people[now.changes % Self.capacity] = person
        }
        now.changes += 1
    }

    /// Notes that no search can go on from before: numbers of nodes were freed, or everybody is new.
    mutating func interrupt() { now.breaks += 1 }

    /// The people who changed since a moment, some of them repeatedly; nil if no search can go on from there.
    func people(since moment: Moment) -> [Int64]? {
        guard moment.breaks == now.breaks, now.changes - moment.changes <= Self.capacity else { return nil }
        return (moment.changes..<now.changes).map { people[$0 % Self.capacity] }
    }
}
