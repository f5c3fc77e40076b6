import HTTPTypes
import SparkCore
import SparkKit

/// The routes that let something go wrong.
struct FaultRoutes {
    let faults: FaultBoard
    let people: FixturePeople
    let cutter: StreamCutter

    var all: [Route] {
        [
            .fixture(
                .post, "/faults", "Let something go wrong, a number of times", body: .of(FaultForm.self),
                answer: .of(FaultView.self), errors: [FixtureError.tooManyFaults, FixtureError.unknownName], handler: add),
            .fixture(.get, "/faults", "The faults that will still occur", answer: .of(FaultList.self)) { [faults] _ in
                .json(FaultList(items: faults.all.map { FaultView($0) }))
            },
            .fixture(.delete, "/faults", "Let nothing go wrong any more", status: .noContent) { [faults] _ in
                faults.clear()
                return .noContent
            },
        ]
    }

    private func add(_ call: Call) async throws -> Reply {
        let form: FaultForm = try call.body()
        var match = form.match
        match.user = try form.user.map { try people.knownID(of: $0) }
        var fault = FaultBoard.Fault(form.name, times: form.times, match: match)
        guard faults.add(fault) else { throw FixtureError.tooManyFaults }
        if form.name == .streamDrop, let user = match.user, cutter.cutNow(user) { fault.occurred() }
        return .json(FaultView(fault))
    }
}

/// The faults that will still occur.
struct FaultList: JSONObject {
    let items: [FaultView]

    static let fields = Fields<FaultList>("Faults", "The faults that will still occur, the oldest first.") {
        Field("items", \.items)
    }
}
