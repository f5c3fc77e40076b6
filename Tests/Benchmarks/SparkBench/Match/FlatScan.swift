import Glibc
import SparkCore
import SparkDecks

/// Finds the nearest candidates by reading everyone in flat columns, without an index. It shares no code with the hot index, so no change of
/// that one moves it.
struct FlatScan: Sendable {
    private var ids: [Int64] = []
    /// On the unit sphere.
    private var points: [SIMD3<Double>] = []
    /// The square of the longest chord of the unit sphere that the person accepts.
    private var reaches: [Double] = []
    private var genders: [UInt8] = []
    private var sought: [UInt8] = []
    private var ages: [Int32] = []
    private var ranges: [(youngest: Int32, oldest: Int32)] = []
    private var lastActive: [Int64] = []
    private var isIncognito: [Bool] = []

    init(_ crowd: Crowd) {
        let calendar = AgeCalendar(today: Crowd.now.date)
        for row in crowd.people.rows {
            let person = row.candidate(on: calendar, interests: [])
            guard let place = person.place else { continue }
            ids.append(row.id)
            points.append(Self.point(place))
            reaches.append(Self.squaredChord(person.preferences.maxDistanceKilometres))
            genders.append(1 << person.gender.rawValue)
            sought.append(person.preferences.interestedIn.rawValue)
            ages.append(Int32(person.age))
            ranges.append((Int32(person.preferences.minAge), Int32(person.preferences.maxAge)))
            lastActive.append(person.lastActiveAt.milliseconds)
            isIncognito.append(person.isIncognito)
        }
    }

    private static func point(_ place: Coordinate) -> SIMD3<Double> {
        let (latitude, longitude) = (place.latitude * .pi / 180, place.longitude * .pi / 180)
        return [cos(latitude) * cos(longitude), cos(latitude) * sin(longitude), sin(latitude)]
    }

    private static func squaredChord(_ kilometres: Int) -> Double {
        let half = sin(min(.pi / 2, Double(kilometres) * 500 / Coordinate.earthRadiusMetres))
        // Rounding must not exclude people at the limit.
        return 4 * half * half * (1 + 1e-12)
    }

    /// The identifiers of the nearest, the nearest first, and how far the last of them is. All limits of both people hold as set.
    func nearest(_ query: CandidateQuery) -> (ids: [Int64], metres: Double) {
        guard let place = query.viewer.place else { return ([], 0) }
        let (here, own) = (Self.point(place), query.viewer)
        let (gender, wanted) = (UInt8(1) << own.gender.rawValue, own.preferences.interestedIn.rawValue)
        let (age, youngest, oldest) = (Int32(own.age), Int32(own.preferences.minAge), Int32(own.preferences.maxAge))
        let (reach, since) = (Self.squaredChord(own.preferences.maxDistanceKilometres), query.activeSince.milliseconds)
        var best: [(distance: Double, id: Int64)] = []
        var bound = reach
        for number in ids.indices {
            let way = points[number] - here
            let distance = (way * way).sum()
            guard distance <= bound, distance <= reaches[number], genders[number] & wanted != 0, sought[number] & gender != 0,
                ages[number] >= youngest, ages[number] <= oldest, ranges[number].youngest <= age, ranges[number].oldest >= age,
                lastActive[number] >= since, !isIncognito[number], ids[number] != own.id.rawValue,
                !query.excluded.contains(ids[number])
            else { continue }
            let position = best.firstIndex { $0.distance > distance } ?? best.endIndex
            best.insert((distance, ids[number]), at: position)
            if best.count > query.limit { best.removeLast() }
            if best.count == query.limit, let last = best.last { bound = last.distance }
        }
        let farthest = best.last.map { 2 * Coordinate.earthRadiusMetres * asin($0.distance.squareRoot() / 2) } ?? 0
        return (best.map { $0.id }, farthest)
    }
}
