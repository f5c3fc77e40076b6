import SparkCore
import SparkKit
import SparkStorage

/// Invariants between the columns of each person. The grid is read from the store, so no configuration is needed.
enum ProfilesInvariants {
    static let all = [
        Invariant("places and cells are set together") { session in
            try fault(
                "people have a cell without a place or a place without a cell", in: session,
                where: "(cell IS NULL) <> (location IS NULL)")
        },
        Invariant("places are the published centres of cells", check: misplaced),
        Invariant("ages are ordered") { session in
            try fault(
                "people have ages out of order", in: session,
                where: "NOT (18 <= min_age AND min_age <= max_age AND max_age <= 120)")
        },
    ]

    private static func fault(_ words: String, in session: SQLSession, where condition: String) throws -> [String] {
        let count = try session.value("SELECT COUNT(*) FROM profiles_users WHERE \(condition)", as: Int.self) ?? 0
        return count == 0 ? [] : ["\(count) \(words)"]
    }

    private static func misplaced(_ session: SQLSession) throws -> [String] {
        guard let sizes = try StoredGrid.sizes(in: session) else {
            return try fault("people have a cell, but no grid is stored", in: session, where: "cell IS NOT NULL")
        }
        let places = PublishedPlaces(sizes)
        var count = 0
        let statement = try session.statement(
            "SELECT cell, hide_distance, location FROM profiles_users WHERE cell IS NOT NULL AND location IS NOT NULL")
        try statement.forEach { row in
            // The place must be where a move within the cell would leave it.
            let place = row.place(2)
            let expected = places.published(Cell(rawValue: row.integer(0)), hidesDistance: row.flag(1), last: place)
            if expected == nil || expected != place { count += 1 }
            return true
        }
        return count == 0 ? [] : ["\(count) people are not at the published centre of their cell"]
    }
}
