import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkProfiles

@Suite("What is stored")
struct StoredDataTests {
    private func table() throws -> TableDeclaration {
        try #require(ProfilesModule.manifest.tables.first { $0.name == "profiles_users" })
    }

    @Test("the export has everything about the person, with the snapped place")
    func export() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            _ = try await town.patch(ada, #"{"about":"me","interests":["x"]}"#)
            let centre = try await town.move(ada, 48.858370, 2.294481).json
            _ = try await town.patch(ada, #"{"visibility":{"hide_distance":true}}"#)
            let export = try #require(try table().export)
            let rows = try town.server.storage.readNow { try export($0, ada) }
            #expect(rows.count == 1 && rows.first?["about"] == "me" && rows.first?["name"] == "Ada")
            #expect(rows.first?["location"] == centre && rows.first?["birth_date"] == "1996-02-01")
            #expect(try town.server.storage.readNow { try export($0, UserID(rawValue: 3)) } == [])
        }
    }

    @Test("erasing takes the person out of the table and out of the R-tree")
    func erase() async throws {
        try await Town.with { town in
            let (ada, bob) = (try await town.settle(), try await town.settle("Bob"))
            for user in [ada, bob] { _ = try await town.move(user, 48.85, 2.35) }
            let erase = try #require(try table().erase)
            try await town.server.storage.write { transaction in
                try erase(transaction.session, ada)
                transaction.publish(AccountErased(user: ada))
            }
            let left = try town.server.storage.readNow { session in
                (
                    try session.values("SELECT id FROM profiles_users", as: Int64.self),
                    try session.values("SELECT pkid FROM idx_profiles_users_location", as: Int64.self)
                )
            }
            #expect(left.0 == [bob.rawValue] && left.1 == [bob.rawValue])
            #expect(try town.server.check() == [])
            #expect(try await town.call("GET", "/users/\(ada)", as: bob).status == 404)
        }
    }

    @Test("the R-tree finds people at their published places")
    func index() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            _ = try await town.move(ada, -16.8, 179.99)
            let place = try #require(try await town.profile(ada).place)
            let found = try town.server.storage.readNow { session in
                try session.values(
                    """
                    SELECT pkid FROM idx_profiles_users_location
                    WHERE xmin <= ?1 AND xmax >= ?1 AND ymin <= ?2 AND ymax >= ?2
                    """, place.longitude, place.latitude, as: Int64.self)
            }
            #expect(found == [ada.rawValue])
        }
    }

    @Test("the check finds places that do not belong to their cell")
    func invariants() async throws {
        try await Town.with { town in
            let (ada, bob) = (try await town.settle(), try await town.settle("Bob"))
            for user in [ada, bob] { _ = try await town.move(user, 48.85, 2.35) }
            #expect(try town.server.check() == [])
            func faults(after sql: String) async throws -> [String] {
                try await town.server.storage.write { try $0.session.script(sql) }
                return try town.server.check().filter { $0.hasPrefix("profiles:") }
            }
            let key = ada.rawValue
            #expect(try await faults(after: "UPDATE profiles_users SET cell = cell + 1 WHERE id = \(key)").count == 1)
            #expect(try await faults(after: "UPDATE profiles_users SET cell = cell - 1 WHERE id = \(key)") == [])
            #expect(try await faults(after: "UPDATE profiles_users SET hide_distance = 1 WHERE id = \(key)").count == 1)
            #expect(
                try await faults(after: "UPDATE profiles_users SET hide_distance = 0, cell = NULL WHERE id = \(key)").count == 1)
            #expect(try await faults(after: "DELETE FROM profiles_grid").count == 2)
        }
    }

    @Test("the table itself refuses impossible values")
    func constraints() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            for assignment in [
                "min_age = 17", "max_age = min_age - 1", "max_age = 121", "gender = 3", "interested_in = 0",
                "interested_in = 8", "max_distance_km = 0", "paused = 2", "name = NULL", "closed = NULL",
            ] {
                await #expect(throws: SQLError.self, "\(assignment)") {
                    try await town.server.storage.write { transaction in
                        try transaction.session.run("UPDATE profiles_users SET \(assignment) WHERE id = ?", ada.rawValue)
                    }
                }
            }
        }
    }

    @Test("another grid is refused once somebody has a place, and accepted before")
    func grid() async throws {
        try await Town.with(["profiles.cell_metres=500"]) { town in
            let (other, own) = (
                GridSizes(cellMetres: 2_000, hiddenCellMetres: 10_000), GridSizes(cellMetres: 500, hiddenCellMetres: 10_000)
            )
            let ada = try await town.settle()
            try await town.server.storage.write { transaction in
                try StoredGrid.adopt(other, in: transaction.session)
                try StoredGrid.adopt(own, in: transaction.session)
            }
            #expect(try await town.move(ada, 48.85, 2.35).status == 200)
            let error = await #expect(throws: ModuleFault.self) {
                try await town.server.storage.write { try StoredGrid.adopt(other, in: $0.session) }
            }
            #expect(error?.description.contains("cell_metres=500") == true)
            #expect(throws: ModuleFault.self) { try town.server.storage.readNow { try StoredGrid.check(other, in: $0) } }
            try town.server.storage.readNow { try StoredGrid.check(own, in: $0) }
            let store = SpatiaLiteProfilesStore(storage: town.server.storage, gridSizes: other)
            await #expect(throws: ModuleFault.self) { try await store.adoptGrid() }
        }
    }

    @Test("a hidden cell smaller than a shown one is refused")
    func contradictoryGrid() async throws {
        await #expect(throws: (any Error).self) {
            try await Town.with(["profiles.cell_metres=5000", "profiles.hidden_cell_metres=1000"]) { _ in }
        }
    }

    @Test("the cells of the configured size are used")
    func configuredGrid() async throws {
        try await Town.with(["profiles.cell_metres=5000", "profiles.hidden_cell_metres=50000"]) { town in
            let ada = try await town.settle()
            let exact = try #require(Coordinate(latitude: 48.85, longitude: 2.35))
            _ = try await town.move(ada, exact.latitude, exact.longitude)
            let fine = CellGrid(size: Distance(metres: 5_000)).snap(exact)
            #expect(try await town.profile(ada).place == fine)
            _ = try await town.patch(ada, #"{"visibility":{"hide_distance":true}}"#)
            #expect(try await town.profile(ada).place == CellGrid(size: Distance(metres: 50_000)).snap(fine))
            #expect(try town.server.check() == [])
        }
    }
}
