import SparkCore

/// The errors of the fixture's routes.
enum FixtureError: ClientError {
    /// Nobody has this name.
    case unknownName
    /// Things that happened after the mark are not kept any more.
    case markTooOld
    /// There are as many faults as there can be.
    case tooManyFaults

    var code: String {
        switch self {
        case .unknownName: "fixture.unknown_name"
        case .markTooOld: "fixture.mark_too_old"
        case .tooManyFaults: "fixture.too_many_faults"
        }
    }

    var status: Int {
        switch self {
        case .unknownName: 404
        case .markTooOld: 410
        case .tooManyFaults: 409
        }
    }

    var detail: String {
        switch self {
        case .unknownName: "The test has given nobody this name; names are of the scenario, or were given with name_in_test."
        case .markTooOld: "What happened after this mark is not kept any more; ask sooner, or without since for what is kept."
        case .tooManyFaults: "There are 100 faults already; DELETE removes them."
        }
    }
}
