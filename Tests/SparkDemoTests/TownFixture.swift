import SparkCore
import SparkKit

@testable import SparkDemo

extension GeneratedTown {
    /// 2026-03-01T12:00:00Z.
    static let noon = Timestamp(milliseconds: 1_772_366_400_000)

    static func small(_ count: Int = 10_000, seed: UInt64 = 1, now: Timestamp = noon) -> GeneratedTown {
        GeneratedTown(count: count, seed: seed, now: now)
    }

    /// The same digest on every machine for the same people, all their traits included (FNV-1a, 64 bits).
    func digest(of people: Range<Int>) -> UInt64 {
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ text: String) {
            for byte in text.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
            digest = (digest ^ 0xFF) &* 0x100_0000_01B3
        }
        for index in people {
            let person = person(index)
            for text in [person.id.wire, person.email, person.name, person.gender.wire, person.about] { add(text) }
            person.interests.forEach(add)
            let (preferences, visibility) = (person.preferences, person.visibility)
            for number in [
                person.birthDate.daysSinceEpoch, Int64(preferences.interestedIn.rawValue), Int64(preferences.minAge),
                Int64(preferences.maxAge), Int64(preferences.maxDistanceKilometres), preferences.isAgeHard ? 1 : 0,
                preferences.isDistanceHard ? 1 : 0, visibility.isPaused ? 1 : 0, visibility.isIncognito ? 1 : 0,
                visibility.hidesDistance ? 1 : 0, Int64(bitPattern: person.place.latitude.bitPattern),
                Int64(bitPattern: person.place.longitude.bitPattern), person.createdAt.milliseconds,
                person.lastActiveAt.milliseconds,
            ] {
                add(String(number))
            }
        }
        return digest
    }
}

/// A share, for bounds on chance: three standard deviations at 10,000 people are below 0.015.
func share<Element>(of elements: [Element], where holds: (Element) -> Bool) -> Double {
    Double(elements.count(where: holds)) / Double(max(1, elements.count))
}
