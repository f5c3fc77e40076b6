package import SparkCore

/// An attack that locates a person through the public API alone.
package protocol LocationAttack: Sendable {
    /// A short name for the report.
    var name: String { get }
    /// The exposures of the victims it is tried on.
    var exposures: [Exposure] { get }
    /// Whether the attacker may see the victim at all. If not, the attack must give no estimate, not even of the cell.
    var mayLocate: Bool { get }

    /// - Returns: the estimated place; nil when the server revealed nothing.
    func locate(_ target: Target, using random: inout SplitMix64) async throws -> Coordinate?
}

extension LocationAttack {
    package var mayLocate: Bool { true }
}

/// The size of an audit.
package struct AuditSize: Sendable {
    /// The number of victims with a shown distance.
    package let shownVictims: Int
    /// The number of victims with a hidden distance.
    package let hiddenVictims: Int
    /// The number of directions in which an edge is searched.
    let rays: Int
    /// The number of directions where scores blur the edge.
    let blurredRays: Int
    /// The number of places from which a value is read.
    let positions: Int
    /// The number of reports of a victim under observation.
    let reports: Int
    /// The precision of an edge, in metres.
    let tolerance: Double

    /// The complete audit.
    package static let full = AuditSize(
        shownVictims: 24, hiddenVictims: 12, rays: 16, blurredRays: 32, positions: 48, reports: 24, tolerance: 50)
    /// Takes some seconds; for tests.
    package static let smoke = AuditSize(
        shownVictims: 6, hiddenVictims: 5, rays: 5, blurredRays: 5, positions: 10, reports: 6, tolerance: 300)

    func victims(_ exposure: Exposure) -> Int { exposure == .shown ? shownVictims : hiddenVictims }

    /// The names of the attacks, in the order of the report.
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
