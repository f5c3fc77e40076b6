import SparkCore
import SparkKit
import SparkStorage

/// Loads the people of a demo town, as if each had registered and set a location in the same moment.
///
/// Into an empty table, it writes without the spatial index and SpatiaLite's triggers, which check each geometry and record each
/// write: both cost more than the rows. Building the index at the end restores the triggers.
struct DemoPeople {
    private static let peopleInTransaction = 50_000
    private static let peopleInReport = 1_000

    let town: any DemoTown
    let places: PublishedPlaces

    func load(into session: SQLSession, progress: DemoProgress) throws {
        try StoredGrid.adopt(places.sizes, in: session)
        let isEmpty = try session.value("SELECT NOT EXISTS (SELECT 1 FROM profiles_users)", as: Bool.self) ?? false
        guard isEmpty else { return try insert(into: session, progress: progress) }
        try ask("SELECT DisableSpatialIndex('profiles_users', 'location')", session)
        try session.script(
            """
            DROP TABLE idx_profiles_users_location;
            DROP TRIGGER IF EXISTS ggi_profiles_users_location;
            DROP TRIGGER IF EXISTS tmi_profiles_users_location;
            """)
        do {
            try insert(into: session, progress: progress)
        } catch {
            // The first error is the one to report. `spark check` finds an index that could not be built.
            try? ask(Self.createIndex, session)
            throw error
        }
        try ask(Self.createIndex, session)
    }

    private static let createIndex = "SELECT CreateSpatialIndex('profiles_users', 'location')"

    private func insert(into session: SQLSession, progress: DemoProgress) throws {
        for start in stride(from: 0, to: town.count, by: Self.peopleInTransaction) {
            try session.transaction {
                let statement = try session.statement(ProfileRow.insert)
                for index in start..<min(start + Self.peopleInTransaction, town.count) {
                    try statement.run(ProfileRow.values(of: record(town.person(index))))
                    if (index + 1).isMultiple(of: Self.peopleInReport) { progress.report(index + 1) }
                }
            }
        }
        progress.report(town.count)
    }

    private func record(_ person: DemoPerson) -> OwnProfile {
        let cell = places.cell(at: person.place, last: nil)
        let profile = Profile(
            id: person.id, name: person.name, birthDate: person.birthDate, gender: person.gender, about: person.about,
            interests: person.interests, preferences: person.preferences, visibility: person.visibility,
            place: places.published(cell, hidesDistance: person.visibility.hidesDistance, last: nil),
            lastActiveAt: person.lastActiveAt, createdAt: person.createdAt, isClosed: false, version: 1)
        return OwnProfile(
            profile: profile, cell: cell,
            pace: .first(at: person.createdAt),
            updatedAt: person.createdAt)
    }

    /// Calls a SpatiaLite function, which returns 0 instead of failing.
    private func ask(_ sql: String, _ session: SQLSession) throws {
        guard try session.value(sql, as: Int.self) == 1 else {
            throw SQLError("SpatiaLite refused to rebuild the spatial index of profiles_users")
        }
    }
}
