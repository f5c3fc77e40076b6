/// The homes of the people of the dating trace: a few large towns, many small ones, each with its cells of the map.
struct DatingTowns: Sendable {
    struct Town: Sendable {
        let people: Range<Int>
        let cells: Range<Int>
        let regions: Range<Int>
    }

    let towns: [Town]
    let cellCount: Int
    let regionCount: Int
    /// The town of each person.
    private let townOf: [UInt16]

    init(people: Int) {
        let count = max(1, min(people / 500, 2_000))
        let whole = (0..<count).reduce(0.0) { $0 + 1 / Double($1 + 3) }
        var towns: [Town] = []
        var townOf: [UInt16] = []
        var person = 0, cell = 0, region = 0
        for index in 0..<count {
            let share = Double(people) / Double(index + 3) / whole
            let size = index == count - 1 ? people - person : min(people - person, max(20, Int(share)))
            guard size > 0 else { break }
            let cells = max(1, size / 40)
            let regions = max(1, size / 1_000)
            towns.append(
                Town(
                    people: person..<person + size, cells: cell..<cell + cells, regions: region..<region + regions))
            townOf += [UInt16](repeating: UInt16(index), count: size)
            person += size
            cell += cells
            region += regions
        }
        self.towns = towns
        self.cellCount = cell
        self.regionCount = region
        self.townOf = townOf
    }

    func town(of person: Int) -> Town { towns[Int(townOf[person])] }

    /// Sessions a day: in each town the first people are always online, the last hardly ever; 2.3 on average.
    func sessionsADay(of person: Int) -> Double {
        let town = town(of: person)
        let rank = 1 - Double(person - town.people.lowerBound) / Double(town.people.count)
        return 0.3 + 6 * rank * rank
    }

    /// A person of the same town, active ones far more often, as decks show them first: a tenth of the people are half of
    /// what is seen.
    func candidate(for person: Int, _ dice: inout Dice) -> Int {
        let town = town(of: person)
        let share = dice.fraction()
        return town.people.lowerBound + Int(Double(town.people.count) * share * share * share)
    }

    func anyCell(near person: Int, _ dice: inout Dice) -> Int {
        let cells = town(of: person).cells
        return cells.lowerBound + dice.below(cells.count)
    }

    func region(of cell: Int, person: Int) -> Int {
        let town = town(of: person)
        return town.regions.lowerBound + (cell - town.cells.lowerBound) * town.regions.count / town.cells.count
    }
}
