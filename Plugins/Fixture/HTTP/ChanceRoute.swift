import HTTPTypes
import SparkCore
import SparkKit

/// The route that makes chance repeatable.
struct ChanceRoute {
    let hooks: FixtureHooks

    var route: Route {
        .fixture(
            .post, "/chance", "Make identifiers, tokens and chance repeatable: the same seed and calls give the same ones",
            body: .of(ChanceForm.self), answer: .of(ChanceForm.self)
        ) { [hooks] call in
            let form: ChanceForm = try call.body()
            hooks.seed(UInt64(clamping: form.seed))
            return .json(form)
        }
    }
}

/// What chance begins with.
struct ChanceForm: RequestBody {
    let seed: Int

    static let body = BodyFields<ChanceForm>("Chance", "What chance begins with.", ChanceForm.init(seed:)) {
        // Exact in every language's numbers.
        Field("seed", \.seed, .integer(0...9_007_199_254_740_991).example(42))
    }
}
