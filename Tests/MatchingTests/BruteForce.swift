import Foundation
import SparkCore

@testable import SparkMatching

/// The deck by a full scan, written from the rules alone: no index, no rings, no shared code with the store. Distances are
/// computed with vectors instead of haversines.
struct BruteForce {
    struct Entry: Hashable {
        let id: Int64
        let score: Int
    }

    let world: World
    let now: Timestamp
    var activeDays = 30
    var skipHours = 24
    var weights = (distance: 0.45, recency: 0.25, age: 0.15, interests: 0.15)

    func deck(of viewer: WorldPerson, limit: Int) -> (stage: String, entries: [Entry]) {
        if !viewer.isPaused {
            for (level, stage) in ["nearby", "wider", "anywhere"].enumerated() {
                let people = world.people.filter { isCandidate($0, of: viewer, level: level) }
                if !people.isEmpty { return (stage, Array(ranked(people, for: viewer).prefix(limit))) }
            }
        }
        return ("anywhere", [])
    }

    func isCandidate(_ other: WorldPerson, of viewer: WorldPerson, level: Int) -> Bool {
        if other.id == viewer.id || other.isClosed || other.isPaused { return false }
        if idleDays(other) > activeDays { return false }
        if other.isIncognito, !world.swipes.contains(where: { $0.user == other.id && $0.target == viewer.id && $0.action.isLike })
        {
            return false
        }
        let seeks = viewer.interestedIn.genders.contains(other.gender) && other.interestedIn.genders.contains(viewer.gender)
        guard seeks, let here = viewer.place, let there = other.place else { return false }
        for (seeker, seen) in [(viewer, other), (other, viewer)] {
            if seeker.isAgeHard || level < 2 {
                let slack = !seeker.isAgeHard && level == 1 ? 5 : 0
                let age = years(seen)
                if age < seeker.minAge - slack || age > seeker.maxAge + slack { return false }
            }
            if seeker.isDistanceHard || level < 2 {
                let factor = !seeker.isDistanceHard && level == 1 ? 2.0 : 1.0
                if metres(here, there) > Double(seeker.maxDistanceKilometres) * factor * 1_000 { return false }
            }
        }
        return !isOut(other, of: viewer)
    }

    private func isOut(_ other: WorldPerson, of viewer: WorldPerson) -> Bool {
        let between = { (pair: WorldPair) in
            (pair.a == viewer.id && pair.b == other.id) || (pair.a == other.id && pair.b == viewer.id)
        }
        if world.blocks.contains(where: between) || world.matches.contains(where: { between($0.pair) }) { return true }
        return world.swipes.contains { swipe in
            if swipe.user == viewer.id, swipe.target == other.id {
                return swipe.action != .skip || now.milliseconds - swipe.at.milliseconds < Int64(skipHours) * 3_600_000
            }
            return swipe.user == other.id && swipe.target == viewer.id && swipe.action == .pass && swipe.at.date < now.date
        }
    }

    private func ranked(_ people: [WorldPerson], for viewer: WorldPerson) -> [Entry] {
        let hashed = people.map { person -> (entry: Entry, hash: UInt64) in
            let bits = UInt64(bitPattern: person.id)
            let turned = (bits << 32) | (bits >> 32)
            return (
                Entry(id: person.id, score: score(person, for: viewer)),
                SplitMix64.mix(UInt64(bitPattern: viewer.id) ^ turned)
            )
        }
        return hashed.sorted { left, right in
            if left.entry.score != right.entry.score { return left.entry.score > right.entry.score }
            if left.hash != right.hash { return left.hash < right.hash }
            return left.entry.id < right.entry.id
        }.map(\.entry)
    }

    /// Millionths, in steps of a thousand. The sum is in the order of the configuration's weights.
    private func score(_ other: WorldPerson, for viewer: WorldPerson) -> Int {
        guard let here = viewer.place, let there = other.place else { return 0 }
        var kilometres = max(2, (metres(here, there) / 1_000).rounded())
        if other.hidesDistance {
            // Distinguished only as within 10, 50, 200, 1,000 km and beyond.
            kilometres =
                kilometres <= 10 ? 10 : kilometres <= 50 ? 50 : kilometres <= 200 ? 200 : kilometres <= 1_000 ? 1_000 : 20_100
        }
        // Today, this week, earlier; the last two by a day in their middle.
        let days = idleDays(other)
        let recency = days <= 0 ? 1 : 1 - Double(days < 7 ? 3 : (7 + activeDays) / 2) / Double(activeDays)
        let ages = (closeness(years(other), viewer) + closeness(years(viewer), other)) / 2
        let shared = Double(min(5, Set(other.interests).intersection(viewer.interests).count)) / 5
        let total = weights.distance + weights.recency + weights.age + weights.interests
        let sum =
            weights.distance / total * (1 / (1 + (kilometres - 2) / 10)) + weights.recency / total * recency
            + weights.age / total * ages + weights.interests / total * shared
        return Int((sum * 1_000).rounded()) * 1_000
    }

    private func closeness(_ age: Int, _ seeker: WorldPerson) -> Double {
        let middle = Double(seeker.minAge + seeker.maxAge) / 2
        let width = Double(seeker.maxAge - seeker.minAge) / 2 + 1
        return max(0, 1 - abs(Double(age) - middle) / width)
    }

    /// UTC days since the last activity.
    private func idleDays(_ person: WorldPerson) -> Int {
        Int(now.date.daysSinceEpoch - person.lastActiveAt.date.daysSinceEpoch)
    }

    private func years(_ person: WorldPerson) -> Int { person.birthDate.age(on: now.date) }

    /// Between two points of the sphere, by the angle between their vectors.
    private func metres(_ a: Coordinate, _ b: Coordinate) -> Double {
        func vector(_ place: Coordinate) -> (x: Double, y: Double, z: Double) {
            let (latitude, longitude) = (place.latitude * .pi / 180, place.longitude * .pi / 180)
            return (cos(latitude) * cos(longitude), cos(latitude) * sin(longitude), sin(latitude))
        }
        let (u, v) = (vector(a), vector(b))
        let cross = (u.y * v.z - u.z * v.y, u.z * v.x - u.x * v.z, u.x * v.y - u.y * v.x)
        let sine = (cross.0 * cross.0 + cross.1 * cross.1 + cross.2 * cross.2).squareRoot()
        return Coordinate.earthRadiusMetres * atan2(sine, u.x * v.x + u.y * v.y + u.z * v.z)
    }
}
