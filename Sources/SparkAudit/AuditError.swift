/// Why an audit could not be made.
package enum AuditError: Error, CustomStringConvertible {
    /// The server answered what the audit cannot go on with.
    case refused(status: Int, code: String)
    /// Its grid is coarser than the one the audit was told of.
    case otherGrid
    /// The attackers did not even see their victims, so their failure proves nothing.
    case blind(attack: String)
    /// The cells have no corners far enough from their centres.
    case noHome

    package var description: String {
        switch self {
        case .refused(let status, let code): "the server answered \(status) \(code)"
        case .otherGrid: "the server's cells are larger than profiles.cell_metres says; audit with the server's configuration"
        case .blind(let attack): "\(attack): the attackers did not see their victims, so nothing is proved"
        case .noHome: "the victims find no place in the cells; audit with other cell sizes"
        }
    }
}
