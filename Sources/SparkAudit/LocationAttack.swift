package import SparkCore

/// One way to find out where somebody is, over the public API alone.
package protocol LocationAttack: Sendable {
    /// In few words, for the report.
    var name: String { get }
    /// Against whom it is tried.
    var exposures: [Exposure] { get }
    /// Whether the attacker may see the victim at all. Who may not must not come to any estimate, be it of the cell.
    var mayLocate: Bool { get }

    /// - Returns: where the victim is believed to be; nil when the server told nothing.
    func locate(_ target: Target, using random: inout SplitMix64) async throws -> Coordinate?
}

extension LocationAttack {
    package var mayLocate: Bool { true }
}

/// How much an audit does.
package struct AuditSize: Sendable {
    package let shownVictims: Int
    package let hiddenVictims: Int
    /// Directions from which an edge is walked over.
    let rays: Int
    /// The same, where scores blur the edge.
    let blurredRays: Int
    /// Places from which a number is read.
    let positions: Int
    /// Reports of a victim that is watched for a while.
    let reports: Int
    /// How finely an edge is walked, in metres.
    let tolerance: Double

    package static let full = AuditSize(
        shownVictims: 24, hiddenVictims: 12, rays: 16, blurredRays: 32, positions: 48, reports: 24, tolerance: 50)
    /// Some seconds, for tests.
    package static let smoke = AuditSize(
        shownVictims: 6, hiddenVictims: 5, rays: 5, blurredRays: 5, positions: 10, reports: 6, tolerance: 300)

    func victims(_ exposure: Exposure) -> Int { exposure == .shown ? shownVictims : hiddenVictims }

    /// The names of what is tried, in the order of the report.
    package var attackNames: [String] { attacks.map(\.name) }

    var attacks: [any LocationAttack] {
        [
            ShownDistance(positions: positions),
            RoundingEdge(rays: rays, tolerance: tolerance),
            OwnLimitEdge(rays: rays, tolerance: tolerance),
            VictimLimitEdge(rays: rays, tolerance: tolerance),
            LimitBisection(positions: rays),
            DeckOrder(rays: blurredRays, tolerance: tolerance),
            ScoreEdge(rays: blurredRays, tolerance: tolerance),
            Watching(name: "averaging a device's noise", life: .atHome, reports: reports),
            Watching(name: "watching a cell's corner crossed", life: .pacing, reports: reports),
            LikesLimit(positions: rays),
            BlockedStalker(positions: min(rays, 6)),
            UnmatchedCards(positions: positions),
        ]
    }
}
