import Foundation
import SparkCore
import SparkStorage

@testable import SparkMatching

/// An invented person as a plain row.
struct WorldPerson: Sendable {
    var id: Int64
    var birthDate = CivilDate(daysSinceEpoch: 9_131)  // 1995-01-01
    var gender = Gender.woman
    var interestedIn = GenderSet.everyone
    var interests: [String] = []
    var minAge = 18
    var maxAge = 120
    var maxDistanceKilometres = 100
    var isAgeHard = true
    var isDistanceHard = true
    var isPaused = false
    var isIncognito = false
    var hidesDistance = false
    var isClosed = false
    var lastActiveAt: Timestamp
    var place: Coordinate?

    var user: UserID { UserID(rawValue: id) }
}

struct WorldSwipe: Sendable {
    let user: Int64
    let target: Int64
    let action: SwipeAction
    let at: Timestamp
}

struct WorldPair: Hashable, Sendable {
    let a: Int64
    let b: Int64
}

/// People and their relations.
struct World: Sendable {
    var people: [WorldPerson] = []
    var swipes: [WorldSwipe] = []
    /// a blocked b.
    var blocks: [WorldPair] = []
    /// a < b; live or over.
    var matches: [(pair: WorldPair, isLive: Bool)] = []
}

extension Storage {
    /// Replaces everybody by the people of a world.
    func become(_ world: World) async throws {
        try await write { transaction in
            let session = transaction.session
            let before = try session.values("SELECT id FROM profiles_users", as: Int64.self)
            for table in [
                "profiles_users", "matching_swipes", "matching_matches", "matching_blocks", "matching_reports",
                "matching_tallies", "matching_spent", "matching_like_notices", "matching_withdrawn_passes",
            ] {
                try session.script("DELETE FROM \(table)")
            }
            for person in world.people { try person.insert(into: session) }
            for swipe in world.swipes {
                try session.run(
                    "INSERT INTO matching_swipes (user_id, target_id, action, swiped_at) VALUES (?, ?, ?, ?)", swipe.user,
                    swipe.target, swipe.action.rawValue, swipe.at.milliseconds)
            }
            for block in world.blocks {
                try session.run("INSERT INTO matching_blocks (user_id, target_id, blocked_at) VALUES (?, ?, 1)", block.a, block.b)
            }
            for (index, match) in world.matches.enumerated() {
                try session.run(
                    """
                    INSERT INTO matching_matches (id, conversation_id, user_a, user_b, created_at, ended_at)
                    VALUES (?, ?, ?, ?, 1, ?)
                    """, index + 1, index + 1, match.pair.a, match.pair.b, match.isLive ? nil : 2)
            }
            // Written without the modules, so the events are published here.
            for user in Set(before + world.people.map(\.id)).map({ UserID(rawValue: $0) }) {
                transaction.publish(AccountErased(user: user))
            }
            for person in world.people {
                transaction.publish(
                    ProfileChanged(user: person.user, gender: person.gender, place: person.place, mayEnterDecks: true))
            }
        }
    }
}

extension WorldPerson {
    func insert(into session: SQLSession) throws {
        let names = "[" + interests.map { "\"\($0)\"" }.joined(separator: ",") + "]"
        try session.run(
            """
            INSERT INTO profiles_users (id, name, birth_date, gender, interested_in, about, interests, min_age, max_age,
                max_distance_km, hard_age, hard_distance, paused, incognito, hide_distance, closed, last_active_at,
                created_at, updated_at, version, location)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 1, ?)
            """, id, "Person \(id)", birthDate.daysSinceEpoch, Int64(gender.rawValue), Int64(interestedIn.rawValue), "", names,
            minAge,
            maxAge, maxDistanceKilometres, isAgeHard, isDistanceHard, isPaused, isIncognito, hidesDistance, isClosed,
            lastActiveAt,
            place.map { GeometryBlob.point($0) })
    }
}
