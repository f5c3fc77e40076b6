package import SparkCore

/// The data of a person in the index: a person with an open account, not paused, with a place.
package struct IndexedPerson: Hashable, Sendable {
    package var row: PersonRow
    /// At most `interestLimit`.
    package var interests: [InterestCode]

    /// The most interests of one person.
    package static let interestLimit = 12

    /// Keeps the first `interestLimit` interests.
    package init(row: PersonRow, interests: [InterestCode]) {
        self.row = row
        self.interests = Array(interests.prefix(Self.interestLimit))
        self.row.interestCount = UInt8(self.interests.count)
    }

    package var id: UserID { UserID(rawValue: row.id) }
}

/// A person without the interests, in 48 bytes.
package struct PersonRow: Hashable, Sendable, BitwiseCopyable {
    package let id: Int64
    /// The latitude of the published place, in degrees.
    package let latitude: Double
    package let longitude: Double
    package var lastActive: EpochSecond
    /// The low 32 bits of the profile's version.
    package var version: UInt32
    package let birth: BirthDay
    /// The greatest distance that the person accepts, in kilometres.
    package let reach: UInt16
    package var counts: DailyCounts
    /// The person's gender and the genders sought, as the number of a `DirectedSet`.
    package let set: UInt8
    package let minAge: UInt8
    package let maxAge: UInt8
    package let flags: Flags
    var interestCount: UInt8 = 0

    /// The settings that are on or off.
    package struct Flags: OptionSet, Hashable, Sendable, BitwiseCopyable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let ageHard = Flags(rawValue: 1)
        package static let distanceHard = Flags(rawValue: 2)
        package static let incognito = Flags(rawValue: 4)
        package static let hidesDistance = Flags(rawValue: 8)
    }

    /// The row of a person; values that do not fit are clamped.
    package init(
        id: UserID, birth: BirthDay, gender: Gender, preferences: Preferences, isIncognito: Bool, hidesDistance: Bool,
        lastActive: EpochSecond, place: Coordinate, version: Int64, counts: DailyCounts = DailyCounts()
    ) {
        self.id = id.rawValue
        self.latitude = place.latitude
        self.longitude = place.longitude
        self.lastActive = lastActive
        self.version = UInt32(truncatingIfNeeded: version)
        self.birth = birth
        self.reach = UInt16(clamping: preferences.maxDistanceKilometres)
        self.counts = counts
        self.set = UInt8(DirectedSet(gender, preferences.interestedIn).number)
        self.minAge = UInt8(clamping: preferences.minAge)
        self.maxAge = UInt8(clamping: preferences.maxAge)
        var flags: Flags = []
        if preferences.isAgeHard { flags.insert(.ageHard) }
        if preferences.isDistanceHard { flags.insert(.distanceHard) }
        if isIncognito { flags.insert(.incognito) }
        if hidesDistance { flags.insert(.hidesDistance) }
        self.flags = flags
    }

    init(_ tile: Tile, at position: Int, set: UInt8) {
        let (columns, cell) = (tile.columns, tile.place(at: position))
        self.id = columns.ids[position]
        self.latitude = cell.latitude
        self.longitude = cell.longitude
        self.lastActive = EpochSecond(rawValue: columns.lastActive[position])
        self.version = columns.versions[position]
        self.birth = BirthDay(rawValue: columns.births[position])
        self.reach = columns.reaches[position]
        self.counts = columns.counts(at: position)
        self.set = set
        self.minAge = columns.minAges[position]
        self.maxAge = columns.maxAges[position]
        self.flags = Flags(rawValue: columns.flags[position])
        self.interestCount = columns.interestCounts[position]
    }

    package var gender: Gender { DirectedSet(number: Int(set)).gender }
    package var interestedIn: GenderSet { DirectedSet(number: Int(set)).interestedIn }

    /// The person as filter and score see them on a day.
    package func candidate(on calendar: AgeCalendar, interests: [InterestCode]) -> Candidate {
        let directed = DirectedSet(number: Int(set))
        var candidate = Candidate(
            id: UserID(rawValue: id), age: calendar.age(birth), gender: directed.gender,
            preferences: Preferences(
                interestedIn: directed.interestedIn, minAge: Int(minAge), maxAge: Int(maxAge), maxDistanceKilometres: Int(reach),
                isAgeHard: flags.contains(.ageHard), isDistanceHard: flags.contains(.distanceHard)),
            lastActiveAt: lastActive.timestamp, place: Coordinate(latitude: latitude, longitude: longitude))
        candidate.isIncognito = flags.contains(.incognito)
        candidate.hidesDistance = flags.contains(.hidesDistance)
        candidate.version = Int64(version)
        candidate.interests = interests
        candidate.counts = counts
        return candidate
    }
}

/// The people of one gender who seek the same genders. The index has one tree per set, so the choice of sets answers both gender
/// filters.
struct DirectedSet: Hashable {
    static let count = 24
    let number: Int

    init(_ gender: Gender, _ interestedIn: GenderSet) { number = Int(gender.rawValue) << 3 | Int(interestedIn.rawValue) }
    init(number: Int) { self.number = number }

    var gender: Gender { Gender(rawValue: UInt8(number >> 3)) ?? .woman }
    var interestedIn: GenderSet { GenderSet(rawValue: UInt8(number & 7)) }
}

/// Many people in flat arrays, without an object for each.
package struct PersonBatch: Sendable {
    package private(set) var rows: [PersonRow] = []
    private(set) var starts: [UInt32] = []
    private(set) var pool: [InterestCode] = []

    /// An empty batch.
    package init() {}

    /// Reserves memory for a number of people.
    package mutating func reserve(_ people: Int) {
        rows.reserveCapacity(people)
        starts.reserveCapacity(people)
        pool.reserveCapacity(people * 4)
    }

    /// Appends a person with at most `IndexedPerson.interestLimit` interests.
    package mutating func append(_ row: PersonRow, interests: [InterestCode]) {
        interests.withUnsafeBufferPointer { append(row, interests: $0) }
    }

    mutating func append(_ row: PersonRow, interests: UnsafeBufferPointer<InterestCode>) {
        starts.append(UInt32(truncatingIfNeeded: pool.count))
        let before = pool.count
        for interest in interests where pool.count - before < IndexedPerson.interestLimit { pool.append(interest) }
        var row = row
        row.interestCount = UInt8(truncatingIfNeeded: pool.count - before)
        rows.append(row)
    }

    /// Appends all people of another batch.
    package mutating func append(contentsOf other: PersonBatch) {
        let offset = UInt32(truncatingIfNeeded: pool.count)
        rows += other.rows
        starts += other.starts.map { $0 &+ offset }
        pool += other.pool
    }

    /// The interests of the person at an index.
    package func interests(of number: Int) -> [InterestCode] { withInterests(of: number) { Array($0) } }

    func withInterests<Result>(of number: Int, _ body: (UnsafeBufferPointer<InterestCode>) -> Result) -> Result {
        pool.withUnsafeBufferPointer { pool in
            let start = Int(starts[number])
            return body(UnsafeBufferPointer(rebasing: pool[start..<(start + Int(rows[number].interestCount))]))
        }
    }
}
