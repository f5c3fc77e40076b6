import Spark

/// One finding of `spark doctor`.
struct DoctorRow: JSONWritable, Equatable {
    enum State: String {
        case ok
        /// Works, but not as well or as safely as it could.
        case warning
        /// The server does not start, loses data, or is open to others.
        case fault
    }

    /// What was looked at: `disk space`.
    let check: String
    let state: State
    /// What was found.
    let finding: String
    /// What to do; empty for a row without a fault.
    let advice: String

    static func ok(_ check: String, _ finding: String) -> DoctorRow {
        DoctorRow(check: check, state: .ok, finding: finding, advice: "")
    }

    static func warning(_ check: String, _ finding: String, _ advice: String) -> DoctorRow {
        DoctorRow(check: check, state: .warning, finding: finding, advice: advice)
    }

    static func fault(_ check: String, _ finding: String, _ advice: String) -> DoctorRow {
        DoctorRow(check: check, state: .fault, finding: finding, advice: advice)
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("check", check)
            writer.field("state", state.rawValue)
            writer.field("finding", finding)
            if !advice.isEmpty { writer.field("advice", advice) }
        }
    }
}

extension Array<DoctorRow> {
    var faults: Int { count { $0.state == .fault } }
    var warnings: Int { count { $0.state == .warning } }
}
