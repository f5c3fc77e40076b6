/// Marks the people of a tile who pass the filters and may score enough. The loops are so simple that the compiler vectorizes
/// them. They are separate functions, because it does not once they are inlined into a search.
struct TileMatches {
    /// 1 for each marked person, in words of eight people.
    private let marks: UnsafeMutablePointer<UInt8>
    private let sums: UnsafeMutablePointer<UInt16>

    init() {
        marks = .allocate(capacity: Tile.capacity)
        sums = .allocate(capacity: Tile.capacity)
    }

    func free() {
        marks.deallocate()
        sums.deallocate()
    }

    /// The marks of eight people: the lowest bit of each byte.
    @inline(__always)
    func word(_ number: Int) -> UInt64 { UnsafeRawPointer(marks).load(fromByteOffset: number * 8, as: UInt64.self) }

    /// Visits the marked people.
    @inline(__always)
    func forEach(_ count: Int, _ body: (_ position: Int) -> Void) {
        for number in 0..<((count + 7) / 8) {
            var bits = word(number)
            while bits != 0 {
                body(number * 8 + bits.trailingZeroBitCount / 8)
                bits &= bits - 1
            }
        }
    }

    /// Marks the people who pass the filters on ages and activity, and accept a distance.
    @inline(never)
    func filter(_ columns: TileColumns, _ count: Int, _ limits: StageLimits, kilometres: Int) {
        let marks = marks
        let (minAges, maxAges, flags) = (columns.minAges, columns.maxAges, columns.flags)
        let (age, oldest, youngest) = (limits.age, limits.oldestForSoft, limits.youngestForSoft)
        for position in 0..<count {
            let isHard = flags[position] & 1 != 0
            let isOldEnough: UInt8 = minAges[position] <= (isHard ? age : oldest) ? 1 : 0
            let isYoungEnough: UInt8 = maxAges[position] >= (isHard ? age : youngest) ? 1 : 0
            marks[position] = isOldEnough & isYoungEnough
        }
        let (births, first, last) = (columns.births, limits.firstBirth, limits.lastBirth)
        for position in 0..<count {
            let isBornLate: UInt8 = births[position] >= first ? 1 : 0
            let isBornEarly: UInt8 = births[position] <= last ? 1 : 0
            marks[position] &= isBornLate & isBornEarly
        }
        let (lastActive, since) = (columns.lastActive, limits.activeSince)
        for position in 0..<count { marks[position] &= lastActive[position] >= since ? 1 : 0 }
        let (reaches, least) = (columns.reaches, limits.leastReaches(kilometres: kilometres))
        for position in 0..<count {
            let wanted = flags[position] & 2 != 0 ? least.hard : least.soft
            marks[position] &= reaches[position] >= wanted ? 1 : 0
        }
        for position in count..<((count + 7) / 8 * 8) { marks[position] = 0 }
    }

    /// Clears the marks of the people who cannot score enough.
    @inline(never)
    func reject(
        _ columns: TileColumns, _ count: Int, _ estimate: ScoreEstimate, _ interests: InterestMask
    ) {
        share(columns.interestMasks, count, interests, estimate)
        addActivity(columns.lastActive, count, estimate)
        addAge(columns.births, count, estimate)
        addTheirAge(columns.minAges, columns.maxAges, count, estimate)
        let (marks, sums, needed) = (marks, sums, UInt16(clamping: estimate.needed))
        for position in 0..<count { marks[position] &= sums[position] >= needed ? 1 : 0 }
    }

    /// The interests that a person shares by the mask, at least as many as there are.
    @inline(__always)
    private func share(_ masks: UnsafePointer<UInt32>, _ count: Int, _ interests: InterestMask, _ estimate: ScoreEstimate) {
        let (sums, first, second, others) = (sums, interests.first, interests.second, interests.others)
        let (each, most) = (estimate.interest, estimate.mostInterests)
        for position in 0..<count {
            let once = UInt16(truncatingIfNeeded: (masks[position] & first).nonzeroBitCount)
            let twice = UInt16(truncatingIfNeeded: (masks[position] & second).nonzeroBitCount)
            sums[position] = min(once &+ twice &+ others, most) &* each
        }
    }

    @inline(__always)
    private func addActivity(_ lastActive: UnsafePointer<UInt32>, _ count: Int, _ estimate: ScoreEstimate) {
        let (sums, week, today) = (sums, estimate.week, estimate.today)
        let (weekGain, todayGain) = (estimate.weekGain, estimate.todayGain)
        for position in 0..<count {
            let inWeek: UInt16 = lastActive[position] >= week ? weekGain : 0
            let inDay: UInt16 = lastActive[position] >= today ? todayGain : 0
            sums[position] = sums[position] &+ inWeek &+ inDay
        }
    }

    @inline(__always)
    private func addAge(_ births: UnsafePointer<UInt16>, _ count: Int, _ estimate: ScoreEstimate) {
        let (sums, most, last, best, loss) = (sums, estimate.age, estimate.lastBirth, estimate.bestBirth, estimate.loss)
        let free = ScoreEstimate.freeDays
        for position in 0..<count {
            let birth = min(births[position], last)
            let off = max(birth, best) &- min(birth, best)
            let far = max(off, free) &- free
            let lost = UInt16(truncatingIfNeeded: (UInt32(far) &* UInt32(loss)) >> 16)
            sums[position] = sums[position] &+ most &- min(lost, most)
        }
    }

    @inline(__always)
    private func addTheirAge(
        _ minAges: UnsafePointer<UInt8>, _ maxAges: UnsafePointer<UInt8>, _ count: Int, _ estimate: ScoreEstimate
    ) {
        let (sums, most, doubleAge) = (sums, Float(estimate.age), estimate.doubleViewerAge)
        for position in 0..<count {
            let (low, high) = (Int32(minAges[position]), Int32(maxAges[position]))
            let off = doubleAge &- low &- high
            let width = max(0, high &- low) &+ 2
            let part = max(0, most - most * Float(max(off, 0 &- off)) / Float(width))
            // In the bits of a number that is so large, the lowest are the whole number. A conversion is not vectorized.
            sums[position] = sums[position] &+ UInt16(truncatingIfNeeded: (part + 8_388_608).bitPattern)
        }
    }
}
