/// What changes about the people during the trace: their places and the people they talk with.
struct DatingPeople {
    private static let recentCount = 4
    private static let nobody = UInt32.max

    private(set) var cellOf: [UInt32]
    /// The last four conversations of each person, latest first.
    private var recent: [UInt32]
    /// Both sides of each conversation.
    private var sides: [(UInt32, UInt32)] = []
    private let capacity: Int

    /// Everybody has one conversation with a person of the town, who gets one more by it.
    init(_ trace: DatingTrace, _ dice: inout Dice) {
        let count = trace.layout.people
        capacity = trace.layout.conversations
        cellOf = []
        recent = [UInt32](repeating: Self.nobody, count: count * Self.recentCount)
        for person in 0..<count { cellOf.append(UInt32(trace.towns.anyCell(near: person, &dice))) }
        for person in 0..<count { match(person, trace.towns.candidate(for: person, &dice)) }
    }

    mutating func move(_ person: Int, to cell: Int) { cellOf[person] = UInt32(cell) }

    /// Opens a conversation between two people, while there is room for one more.
    mutating func match(_ one: Int, _ other: Int) {
        guard one != other, sides.count < capacity else { return }
        let conversation = UInt32(sides.count)
        sides.append((UInt32(one), UInt32(other)))
        noteUse(of: conversation, by: one)
        noteUse(of: conversation, by: other)
    }

    /// The conversations of the person, latest first.
    func conversations(of person: Int) -> [Int] {
        let start = person * Self.recentCount
        return recent[start..<start + Self.recentCount].filter { $0 != Self.nobody }.map(Int.init)
    }

    func partner(of person: Int, in conversation: Int) -> Int {
        let (one, other) = sides[conversation]
        return Int(one) == person ? Int(other) : Int(one)
    }

    mutating func noteUse(of conversation: UInt32, by person: Int) {
        let start = person * Self.recentCount
        var moved = conversation
        for index in start..<start + Self.recentCount {
            swap(&recent[index], &moved)
            if moved == conversation || moved == Self.nobody { break }
        }
    }
}
