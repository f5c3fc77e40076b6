import SparkCore

/// What the filters require of candidates at one stage, in the units of the columns.
struct StageLimits {
    private var stage = DeckStage.nearby
    var activeSince: UInt32 = 0
    var today: UInt16 = 0
    var firstBirth: UInt16 = 0
    var lastBirth: UInt16 = .max
    var reachMetres = Double.infinity
    var age: UInt8 = 0
    /// The viewer's age, loosened for candidates with soft limits: a candidate accepts the viewer if the candidate's lowest age
    /// is not above `oldestForSoft` and the highest is not below `youngestForSoft`.
    var oldestForSoft: UInt8 = 0
    var youngestForSoft: UInt8 = 0

    init() {}

    /// Nil if nobody can pass.
    init?(_ query: CandidateQuery, at stage: DeckStage, ages: AgeCalendar) {
        let viewer = query.viewer
        if let slack = viewer.ageSlack(at: stage) {
            let sought = viewer.preferences
            guard let births = ages.births(from: sought.minAge - slack, through: sought.maxAge + slack) else { return nil }
            self.firstBirth = births.lowerBound.rawValue
            self.lastBirth = births.upperBound.rawValue
        }
        self.stage = stage
        self.activeSince = EpochSecond(query.activeSince).rawValue
        self.today = query.now.dayNumber
        self.reachMetres = viewer.reach(at: stage)?.metres ?? .infinity
        self.age = UInt8(clamping: viewer.age)
        switch stage {
        case .nearby: (self.oldestForSoft, self.youngestForSoft) = (age, age)
        case .wider:
            self.oldestForSoft = UInt8(clamping: viewer.age + 5)
            self.youngestForSoft = UInt8(clamping: viewer.age - 5)
        case .anywhere: (self.oldestForSoft, self.youngestForSoft) = (.max, 0)
        }
    }

    /// Whether a person passes the filters on ages and activity.
    func pass(_ columns: TileColumns, _ position: Int) -> Bool {
        let isHard = columns.flags[position] & 1 != 0
        return columns.births[position] >= firstBirth && columns.births[position] <= lastBirth
            && columns.lastActive[position] >= activeSince
            && columns.minAges[position] <= (isHard ? age : oldestForSoft)
            && columns.maxAges[position] >= (isHard ? age : youngestForSoft)
    }

    /// Whether a candidate accepts this distance.
    @inline(__always)
    func reaches(_ reach: Int, isHard: Bool, needed: Int) -> Bool {
        switch stage {
        case .nearby: reach >= needed
        case .wider: (isHard ? reach : 2 * reach) >= needed
        case .anywhere: !isHard || reach >= needed
        }
    }

    /// The least reaches of candidates who accept a distance in kilometres, if their limit is hard and if it is soft.
    func leastReaches(kilometres: Int) -> (hard: UInt16, soft: UInt16) {
        let least = UInt16(clamping: kilometres)
        switch stage {
        case .nearby: return (least, least)
        case .wider: return (least, (least + 1) / 2)
        case .anywhere: return (least, 0)
        }
    }

    /// Whether any of some people may accept this distance.
    @inline(__always)
    func mayReach(_ bounds: Bounds, _ metres: Double) -> Bool {
        switch stage {
        case .nearby: metres <= Double(bounds.reach) * 1_000
        case .wider: metres <= Double(bounds.reach) * 2_000
        case .anywhere: bounds.softReach > 0 || metres <= Double(bounds.reach) * 1_000
        }
    }
}
