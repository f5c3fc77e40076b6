import SparkCore
import SparkDecks
import SparkKit

/// Why a deck is as small as it is, in counts that are rounded down so that they identify nobody.
struct DeckReasons: JSONWritable, SchemaDescribed, Sendable {
    /// All counts are rounded down to multiples of this, so that one person more or less rarely shows.
    static let grain = 5

    let census: DeckCensus
    let preferences: Preferences

    private struct Removal {
        let filter: String
        let people: Int
    }

    private var removals: [Removal] {
        [
            Removal(filter: "gender", people: census.gender), Removal(filter: "inactive", people: census.inactive),
            Removal(filter: "age", people: census.age), Removal(filter: "their_preferences", people: census.theirs),
            Removal(filter: "decided", people: census.decided),
        ]
    }

    private func roundedDown(_ count: Int) -> Int { count / Self.grain * Self.grain }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("around", roundedDown(census.around))
            writer.key("removed")
            writer.array { writer in
                for removal in removals {
                    writer.object { writer in
                        writer.field("filter", removal.filter)
                        writer.field("people", roundedDown(removal.people))
                    }
                }
            }
            writer.field("left", roundedDown(census.left))
            writer.key("loosening")
            writer.array { writer in
                writer.object { writer in
                    writer.field("filter", "age")
                    writer.field("min_age", max(18, preferences.minAge - 5))
                    writer.field("max_age", min(120, preferences.maxAge + 5))
                    writer.field("people", roundedDown(census.addedByAge))
                }
                writer.object { writer in
                    writer.field("filter", "distance")
                    writer.field("max_distance_km", min(20_000, 2 * preferences.maxDistanceKilometres))
                    writer.field("people", roundedDown(census.addedByDistance))
                }
                writer.object { writer in
                    writer.field("filter", "gender")
                    writer.field("people", roundedDown(census.addedByGender))
                }
            }
        }
    }

    static let schemaName = "DeckReasons"
    static let schemaProperties: [Schema.Property] = [
        .required("around", .integer()),
        .required(
            "removed", .list(.object([.required("filter", .string()), .required("people", .integer())]))),
        .required("left", .integer()),
        .required(
            "loosening",
            .list(
                .object([
                    .required("filter", .string()), .required("people", .integer()), .optional("min_age", .integer()),
                    .optional("max_age", .integer()), .optional("max_distance_km", .integer()),
                ]))),
    ]
    static let schema = Schema.object(schemaProperties)
}
