import SparkCache
import SparkCore
import SparkKit

/// A person's whole record, as the person may see it.
struct OwnProfile: Sendable {
    var profile: Profile
    /// The cell of the fine grid; nil before the first location.
    var cell: Cell?
    var pace = LocationPace()
    var updatedAt: Timestamp
}

/// The parts of a record that a change altered.
struct ProfileAspects: OptionSet, Sendable {
    let rawValue: Int

    static let profile = ProfileAspects(rawValue: 1)
    /// The cell or the published place.
    static let location = ProfileAspects(rawValue: 2)
}

extension Profile {
    /// Whether the changes may bring the person into decks or move the person forward in them.
    func mayEnterDecks(after before: Profile) -> Bool {
        guard !visibility.isPaused, !isClosed else { return false }
        return visibility != before.visibility || preferences != before.preferences || gender != before.gender
            || interests != before.interests || isClosed != before.isClosed
    }
}

extension OwnProfile {
    /// The record of a person who has just registered.
    init(_ registration: Registration) {
        let age = registration.birthDate.age(on: registration.registeredAt.date)
        let minAge = min(max(18, age - 8), 120)
        self.profile = Profile(
            id: registration.user, name: registration.name, birthDate: registration.birthDate, gender: registration.gender,
            about: "", interests: [],
            preferences: Preferences(
                interestedIn: registration.interestedIn, minAge: minAge, maxAge: max(minAge, min(120, age + 8)),
                maxDistanceKilometres: 50, isAgeHard: true, isDistanceHard: true),
            visibility: Visibility(), place: nil, lastActiveAt: registration.registeredAt,
            createdAt: registration.registeredAt, isClosed: false, version: 1)
        self.cell = nil
        self.updatedAt = registration.registeredAt
    }
}

// The encoding of a record in the cache's files. `ProfileRecords.policy` has its version.

extension OwnProfile: CacheValue {
    /// The bytes of the record and of its texts.
    var cacheCost: Int {
        let texts = profile.name.utf8.count + profile.about.utf8.count
        return 320 + texts + profile.interests.reduce(0) { $0 + 48 + $1.utf8.count }
    }

    func encode(into bytes: inout [UInt8]) {
        var writer = CompactWriter(bytes)
        let (preferences, visibility) = (profile.preferences, profile.visibility)
        writer.write(bits: UInt64(bitPattern: profile.id.rawValue))
        writer.write(profile.version)
        writer.write(profile.birthDate.daysSinceEpoch)
        for small in [
            UInt64(profile.gender.rawValue), UInt64(preferences.interestedIn.rawValue), UInt64(clamping: preferences.minAge),
            UInt64(clamping: preferences.maxAge), UInt64(clamping: preferences.maxDistanceKilometres),
            Self.pack([
                preferences.isAgeHard, preferences.isDistanceHard, visibility.isPaused, visibility.isIncognito,
                visibility.hidesDistance, profile.isClosed,
            ]),
        ] { writer.write(unsigned: small) }
        writer.write(profile.createdAt)
        // Stored relative to `createdAt`, because small numbers take fewer bytes.
        for time in [profile.lastActiveAt, updatedAt] { writer.write(time.milliseconds &- profile.createdAt.milliseconds) }
        writer.write(profile.place) { writer, place in
            writer.write(place.latitude)
            writer.write(place.longitude)
        }
        writer.write(cell) { $0.write($1.rawValue) }
        writer.write(pace.changedAt) { $0.write($1) }
        writer.write(pace.windowStart) { $0.write($1) }
        writer.write(pace.windowCount)
        writer.write(pace.correctableUntil) { $0.write($1) }
        writer.write(profile.name)
        writer.write(profile.about)
        writer.write(unsigned: UInt64(profile.interests.count))
        for interest in profile.interests { writer.write(interest) }
        bytes = writer.bytes
    }

    static func decode(_ bytes: [UInt8]) -> OwnProfile? {
        var reader = CompactReader(bytes)
        guard let id = reader.bits(), let version = reader.integer(), let born = reader.integer(),
            let gender = reader.unsigned().flatMap({ Gender(rawValue: UInt8(truncatingIfNeeded: $0)) }),
            let seeks = reader.unsigned(), let minAge = reader.small(), let maxAge = reader.small(),
            let kilometres = reader.small(), let flags = reader.unsigned(), let createdAt = reader.time(),
            let active = reader.integer(), let updated = reader.integer(),
            let place = reader.optional({ $0.place() }), let cell = reader.optional({ $0.integer() }),
            let movedAt = reader.optional({ $0.time() }), let window = reader.optional({ $0.time() }),
            let moves = reader.integer().flatMap({ Int(exactly: $0) }), let correctable = reader.optional({ $0.time() }),
            let name = reader.text(), let about = reader.text(),
            let interests = reader.list({ $0.text() }), reader.isAtEnd
        else { return nil }
        func flag(_ bit: UInt64) -> Bool { flags >> bit & 1 == 1 }
        func since(_ milliseconds: Int64) -> Timestamp {
            Timestamp(milliseconds: createdAt.milliseconds &+ milliseconds)
        }
        let profile = Profile(
            id: UserID(rawValue: Int64(bitPattern: id)), name: name, birthDate: CivilDate(daysSinceEpoch: born),
            gender: gender, about: about, interests: interests,
            preferences: Preferences(
                interestedIn: GenderSet(rawValue: UInt8(truncatingIfNeeded: seeks)), minAge: minAge, maxAge: maxAge,
                maxDistanceKilometres: kilometres, isAgeHard: flag(0), isDistanceHard: flag(1)),
            visibility: Visibility(isPaused: flag(2), isIncognito: flag(3), hidesDistance: flag(4)), place: place,
            lastActiveAt: since(active), createdAt: createdAt, isClosed: flag(5), version: version)
        return OwnProfile(
            profile: profile, cell: cell.map { Cell(rawValue: $0) },
            pace: LocationPace(changedAt: movedAt, windowStart: window, windowCount: moves, correctableUntil: correctable),
            updatedAt: since(updated))
    }

    private static func pack(_ flags: [Bool]) -> UInt64 {
        flags.enumerated().reduce(0) { $0 | ($1.element ? 1 << UInt64($1.offset) : 0) }
    }
}

extension CompactReader {
    fileprivate mutating func small() -> Int? { unsigned().flatMap { $0 <= 100_000 ? Int($0) : nil } }

    fileprivate mutating func place() -> Coordinate? {
        guard let latitude = double(), let longitude = double() else { return nil }
        return Coordinate(latitude: latitude, longitude: longitude)
    }
}
