/// Why an audit could not run.
package enum AuditError: Error, CustomStringConvertible {
    /// The server returned an error that the audit cannot handle.
    case refused(status: Int, code: String)
    /// A limit of the server lasts longer than the audit waits, in seconds.
    case limited(code: String, seconds: Int)
    /// The server's grid is coarser than the one configured for the audit.
    case otherGrid
    /// The attackers could not see their victims, so a failed attack proves nothing.
    case blind(attack: String)
    /// The cells have no corners far enough from their centres.
    case noHome

    /// The command that lifts every limit an audit meets, so that one restart is enough.
    static let withoutLimits =
        "spark serve --set accounts.registrations_per_day=0 --set http.credentials_per_minute=0 --set http.reads_per_minute=0 "
        + "--set http.writes_per_minute=0"

    package var description: String {
        switch self {
        case .refused(let status, let code): "the server answered \(status) \(code)"
        case .limited(let code, let seconds):
            "the server limits requests (429 \(code)) and asks to wait \(seconds) seconds. "
                + "Start it for the audit with: \(Self.withoutLimits)"
        case .otherGrid: "the server's cells are larger than profiles.cell_metres says; audit with the server's configuration"
        case .blind(let attack): "\(attack): the attackers did not see their victims, so nothing is proved"
        case .noHome: "the victims do not fit into the cells; audit with other cell sizes"
        }
    }
}
