package import SparkCore

/// The results of an audit, as a table and as JSON.
package struct LocationReport: JSONWritable, Sendable {
    package let outcomes: [AttackOutcome]

    /// Whether every attack was held above the floor.
    package var holds: Bool { outcomes.allSatisfy(\.holds) }

    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("holds", holds)
            writer.key("attacks")
            writer.array(outcomes)
        }
    }

    private static let widths = [44, 8, 8, 9, 8, 8, 8, 8, 8, 8]

    /// The report as lines for a terminal.
    package var lines: [String] {
        let head = ["attack", "distance", "victims", "requests", "min", "p5", "median", "floor", "centre", "within"]
        return [Self.row(head + ["verdict"])] + outcomes.map { Self.row($0.cells) }
            + [
                "Metres from the estimate to the victim's home; centre: to the published place, the best an attack should find (median);",
                "within: victims nearer than the floor / as many as chance explains.",
                holds ? "No attack gets closer than the floor." : "The place leaks: see the attacks that get through.",
            ]
    }

    private static func row(_ cells: [String]) -> String {
        let padded = zip(cells, widths).enumerated().map { index, cell in
            let space = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
            return index < 2 ? cell.0 + space : space + cell.0
        }
        return (padded + cells.dropFirst(widths.count)).joined(separator: "  ")
    }
}

extension AttackOutcome: JSONWritable {
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("attack", attack)
            writer.field("distance", exposure.rawValue)
            writer.field("victims", victims)
            writer.field("located", errors.count)
            writer.field("requests", requests)
            for (key, value) in [
                ("min_m", least), ("p5_m", fifthPercentile), ("median_m", median), ("floor_m", floor),
                ("median_to_published_m", medianMissOfCentre),
            ] {
                writer.key(key)
                if let value { writer.value(Int(value.rounded())) } else { writer.null() }
            }
            writer.field("may_locate", mayLocate)
            writer.field("within_floor", withinFloor)
            writer.field("within_floor_by_chance", (expectedByChance * 100).rounded() / 100)
            writer.field("likelihood_by_chance", likelihood)
            writer.field("holds", holds)
        }
    }

    fileprivate var cells: [String] {
        func metres(_ value: Double?) -> String { value.map { String(Int($0.rounded())) } ?? "–" }
        return [
            attack, exposure.rawValue, String(victims), String(requests), metres(least), metres(fifthPercentile), metres(median),
            metres(floor), metres(medianMissOfCentre), "\(withinFloor)/\((expectedByChance * 10).rounded() / 10)",
            holds ? "holds" : "GETS THROUGH",
        ]
    }
}
