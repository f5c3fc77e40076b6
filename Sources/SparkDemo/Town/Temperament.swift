import SparkCore

/// The distribution of genders, preferences and visibility settings.
struct Temperament: Sendable {
    private let genders = Shares<Gender>([48: .woman, 48: .man, 4: .nonbinary])
    private let distances = Shares<Int>([8: 5, 15: 10, 30: 25, 27: 50, 14: 100, 6: 200])
    /// Indexed by the raw value of the seeker's gender.
    private let orientations: [Shares<GenderSet>] = [
        Shares([88: [.man], 6: [.woman], 3: [.woman, .man], 3: .everyone]),
        Shares([88: [.woman], 6: [.man], 3: [.woman, .man], 3: .everyone]),
        Shares([80: .everyone, 8: [.woman, .nonbinary], 7: [.man, .nonbinary], 5: [.nonbinary]]),
    ]

    func gender(_ draw: inout Draw) -> Gender { draw.one(of: genders) }

    /// The preferred ages surround the person's own age, extend upwards for women and downwards for men, and widen with age.
    func preferences(gender: Gender, age: Int, draw: inout Draw) -> Preferences {
        let tolerance = 2 + (age - Preferences.adultAge) / 4
        let near = 1 + draw.below(tolerance + 1)
        let far = 2 + draw.below(tolerance + 3)
        let (younger, older) = gender == .woman ? (near, far) : (far, near)
        return Preferences(
            interestedIn: draw.one(of: orientations[Int(gender.rawValue)]),
            minAge: max(Preferences.adultAge, age - younger), maxAge: min(Preferences.greatestAge, age + older),
            maxDistanceKilometres: draw.one(of: distances), isAgeHard: draw.happens(perMille: 600),
            isDistanceHard: draw.happens(perMille: 500))
    }

    func visibility(_ draw: inout Draw) -> Visibility {
        Visibility(
            isPaused: draw.happens(perMille: 20), isIncognito: draw.happens(perMille: 15),
            hidesDistance: draw.happens(perMille: 80))
    }
}

extension GenderSet {
    fileprivate static let woman = GenderSet(CollectionOfOne(Gender.woman))
    fileprivate static let man = GenderSet(CollectionOfOne(Gender.man))
    fileprivate static let nonbinary = GenderSet(CollectionOfOne(Gender.nonbinary))
}

extension Preferences {
    fileprivate static let adultAge = 18
    fileprivate static let greatestAge = 120
}
