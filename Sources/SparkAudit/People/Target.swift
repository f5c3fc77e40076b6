package import SparkCore

/// A victim's movements while being watched. Each step is one report of the device.
package enum Life: Sendable {
    /// At home; each report has a different error of some tens of metres.
    case atHome
    /// Back and forth across the nearest corner of the cell, by less than a tenth of the cell.
    case pacing
}

/// A victim as the attackers see it: an identifier, and the ability to observe reports. Only the audit knows the place.
package struct Target: Sendable {
    package let id: String
    package let exposure: Exposure
    /// Correct to a few kilometres, which an hour of queries reveals to any attacker.
    package let neighbourhood: Coordinate
    package let spy: Spy
    /// A second account of the attacker, with the victim's profile.
    package let decoy: Spy
    let live: @Sendable (Life, _ step: Int) async throws -> Void
    let act: @Sendable (VictimAct) async throws -> Void
    /// Adds another account of the attacker.
    let hire: @Sendable (AuditRole) async throws -> Spy
}

/// A victim of the audit.
struct Victim: Sendable {
    /// The error of consumer devices among houses, in metres: the standard deviation per axis.
    private static let deviceNoiseMetres = 20.0
    /// How far beyond the corner of the cell `pacing` goes, in cells.
    private static let paceBeyondCorner = 0.08

    let home: Home
    let exposure: Exposure
    let account: AuditAccount
    let cell: Double

    /// Registers a victim at home.
    /// - Throws: `AuditError.otherGrid` when the server publishes a place farther away than its cells allow.
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

    /// Reports a place. A report that the server rejects counts as never made.
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
    /// Approximately normally distributed with mean 0 and deviation 1: the sum of twelve uniform draws.
    mutating func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &self) } }
}

/// What a victim does to an attacker's account.
package enum VictimAct: Sendable {
    case like(String)
    case block(String)
    /// Likes back and unmatches. The attacker must have liked before.
    case matchAndUnmatch(String)
}

extension Victim {
    func act(_ act: VictimAct) async throws {
        switch act {
        case .like(let spy): try await account.swipe(spy, "like")
        case .block(let spy): try await account.block(spy)
        case .matchAndUnmatch(let spy):
            let answer = try await account.swipe(spy, "like")
            guard let match = answer["match"]?["id"]?.string else { throw AuditError.blind(attack: "matching the victim") }
            try await account.unmatch(match)
        }
    }
}
