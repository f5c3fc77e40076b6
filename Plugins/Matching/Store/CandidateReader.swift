import SparkCore
import SparkDecks
import SparkStorage

/// Reads people from the table of Profiles in a deck's snapshot: the few columns that filter and score need.
struct CandidateReader {
    let session: SQLSession
    let today: CivilDate

    /// The columns that `candidate` and `row` read, in their order.
    static let columns = """
        u.id, u.birth_date, u.gender, u.interested_in, u.min_age, u.max_age, u.max_distance_km, u.hard_age, u.hard_distance,
        u.paused, u.incognito, u.closed, u.last_active_at, u.location, u.interests, u.hide_distance,
        u.version, \(DailyCounts.columns.map { "t.\($0)" }.joined(separator: ", "))
        """
    private static let firstCount: Int32 = 17
    static let columnCount = firstCount + Int32(DailyCounts.columns.count)

    static let tallies = "LEFT JOIN matching_tallies t ON t.user_id = u.id"
    private static let byID = "SELECT \(columns) FROM profiles_users u \(tallies) WHERE u.id = ?1"

    /// People active since ?13, of a gender in ?14, who seek the gender ?15 and were born between the days ?16 and ?17.
    private static let coarseFilter = """
        u.birth_date BETWEEN ?16 AND ?17 AND ?14 >> u.gender & 1 AND u.interested_in >> ?15 & 1
            AND u.closed = 0 AND u.paused = 0 AND u.last_active_at >= ?13
        """

    /// People in the box ?1…?4 (west, east, south, north) and in neither of the boxes ?5…?8 and ?9…?12, coarsely filtered.
    ///
    /// CROSS JOIN fixes the order of the tables: the R-tree comes first, and its conditions are checked before the person is
    /// read. The same comparisons decide "in" and "not in", so there is no gap between the rings.
    static let inBox = """
        SELECT \(columns)
        FROM idx_profiles_users_location i CROSS JOIN profiles_users u ON u.id = i.pkid \(tallies)
        WHERE i.xmax >= ?1 AND i.xmin <= ?2 AND i.ymax >= ?3 AND i.ymin <= ?4
            AND NOT (i.xmax >= ?5 AND i.xmin <= ?6 AND i.ymax >= ?7 AND i.ymin <= ?8)
            AND NOT (i.xmax >= ?9 AND i.xmin <= ?10 AND i.ymax >= ?11 AND i.ymin <= ?12)
            AND \(coarseFilter)
        """

    /// Everybody with a place, coarsely filtered; ?1…?12 are ignored.
    static let anywhere =
        "SELECT \(columns) FROM profiles_users u \(tallies) WHERE u.location IS NOT NULL AND \(coarseFilter)"

    /// People with identifiers in ?1…?2, for the index.
    static let between = """
        SELECT \(columns) FROM profiles_users u \(tallies) WHERE u.id BETWEEN ?1 AND ?2 AND u.closed = 0 AND u.paused = 0
        """

    /// A person with interests; nil if the person does not exist.
    func candidate(_ id: UserID) throws -> Candidate? {
        let found = try session.statement(Self.byID).row([.integer(id.rawValue)]) { row in
            var candidate = Self.candidate(row, today: today)
            candidate?.interests = Self.interests(row)
            return candidate
        }
        return found ?? nil
    }

    /// A person as the index holds it; nil if the person can be in no deck.
    static func person(_ id: UserID, _ session: SQLSession) throws -> IndexedPerson? {
        let found = try session.row(byID, id.rawValue) { row in
            Self.row(row).map { IndexedPerson(row: $0, interests: interests(row)) }
        }
        return found ?? nil
    }

    /// Nil for an unknown gender, which the table's constraints rule out.
    static func candidate(_ row: borrowing SQLRow, today: CivilDate) -> Candidate? {
        guard let gender = Gender(rawValue: UInt8(truncatingIfNeeded: row.integer(2))) else { return nil }
        var candidate = Candidate(
            id: UserID(rawValue: row.integer(0)), age: CivilDate(daysSinceEpoch: row.integer(1)).age(on: today), gender: gender,
            preferences: preferences(row), lastActiveAt: row.time(12), place: row.place(13))
        candidate.isPaused = row.flag(9)
        candidate.isIncognito = row.flag(10)
        candidate.isClosed = row.flag(11)
        candidate.hidesDistance = row.flag(15)
        candidate.version = row.integer(16)
        candidate.counts = DailyCounts(row, from: firstCount)
        return candidate
    }

    /// The index row of a person; nil for a person who can be in no deck: closed, paused or without a place.
    static func row(_ row: borrowing SQLRow) -> PersonRow? {
        guard !row.flag(11), !row.flag(9), let place = row.place(13),
            let gender = Gender(rawValue: UInt8(truncatingIfNeeded: row.integer(2)))
        else { return nil }
        return PersonRow(
            id: UserID(rawValue: row.integer(0)), birth: BirthDay(daysSinceEpoch: row.integer(1)), gender: gender,
            preferences: preferences(row), isIncognito: row.flag(10), hidesDistance: row.flag(15),
            lastActive: EpochSecond(row.time(12)), place: place, version: row.integer(16),
            counts: DailyCounts(row, from: firstCount))
    }

    private static func preferences(_ row: borrowing SQLRow) -> Preferences {
        Preferences(
            interestedIn: GenderSet(rawValue: UInt8(truncatingIfNeeded: row.integer(3))), minAge: Int(row.integer(4)),
            maxAge: Int(row.integer(5)), maxDistanceKilometres: Int(row.integer(6)), isAgeHard: row.flag(7),
            isDistanceHard: row.flag(8))
    }

    /// The interests of a row from any of these statements, each once.
    static func interests(_ row: borrowing SQLRow) -> [InterestCode] { row.withBytes(14) { InterestList.codes($0) } }
}
