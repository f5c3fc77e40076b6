package import SparkCore

/// How a victim spends the time while they are watched. Each step is one report of their device.
package enum Life: Sendable {
    /// At home, the device off by some tens of metres, differently each time.
    case atHome
    /// To and fro over the nearest corner of the cell, by less than a tenth of it.
    case pacing
}

/// A victim, as the attackers have them: an identifier, and the chance to watch them live. Where they are, only the audit knows.
package struct Target: Sendable {
    package let id: String
    package let exposure: Exposure
    /// Within a few kilometres: what an hour of asking gives anybody.
    package let neighbourhood: Coordinate
    package let spy: Spy
    /// A second account of the attacker's that looks like the victim.
    package let decoy: Spy
    let live: @Sendable (Life, _ step: Int) async throws -> Void
    let act: @Sendable (VictimAct) async throws -> Void
    /// Brings further accounts of the attacker's.
    let hire: @Sendable (AuditRole) async throws -> Spy
}

/// One victim of the audit.
struct Victim: Sendable {
    /// What consumer devices are off by among houses, in metres: the standard deviation each way.
    static let deviceNoiseMetres = 20.0
    /// How far beyond the corner of the cell pacing goes, in cells.
    static let paceBeyondCorner = 0.08

    let home: Home
    let exposure: Exposure
    let account: AuditAccount
    let cell: Double

    /// Settles somebody at home.
    /// - Throws: `AuditError.otherGrid` when the server takes them to be farther away than its cells say.
    static func settle(
        _ home: Home, _ exposure: Exposure, looking kilometres: Int, on ground: AuditGround, in cast: Cast
    ) async throws -> Victim {
        let account = try await cast.newcomer(.victim)
        if exposure == .hidden {
            _ = try await account.call("PATCH", "/api/v1/me", ["visibility": ["hide_distance": true]])
        }
        try await account.look(kilometres: kilometres)
        guard let answered = try await account.move(to: home.place),
            answered.distance(to: home.place).metres <= ground.cell(.shown)
        else { throw AuditError.otherGrid }
        return Victim(home: home, exposure: exposure, account: account, cell: ground.cell(exposure))
    }

    /// A report that the server does not believe is one that never came.
    func live(_ life: Life, step: Int, random: inout SplitMix64) async throws {
        switch life {
        case .atHome:
            let noise = Offset(east: random.normal(), north: random.normal()) * Self.deviceNoiseMetres
            _ = try await account.move(to: home.place.moved(by: noise))
        case .pacing:
            let beyond = home.published.moved(by: home.towardsCorner((0.5 + Self.paceBeyondCorner) * cell))
            _ = try await account.move(to: step.isMultiple(of: 2) ? beyond : home.place)
        }
    }
}

extension SplitMix64 {
    /// Normally distributed with mean 0 and deviation 1, near enough: twelve even draws.
    mutating func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &self) } }
}
