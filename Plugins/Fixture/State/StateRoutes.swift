import HTTPTypes
import SparkCore
import SparkKit

/// Snapshots, restores and clones of a server for tests.
struct StateRoutes: Sendable {
    let hooks: FixtureHooks

    private static let errors: [any ClientError] = [FixtureStateError.busy]

    var all: [Route] { [snapshot, restore, reset, clone] }

    private var snapshot: Route {
        .fixture(
            .post, "/snapshot", "Keep the present state; the 32 that were made or restored last are kept",
            answer: .of(SnapshotName.self),
            errors: Self.errors
        ) { [hooks] _ in
            .json(SnapshotName(snapshot: try await hooks.states.snapshot()))
        }
    }

    private var restore: Route {
        .fixture(
            .post, "/restore", "Go back to a snapshot; open streams end, and their epoch is a new one",
            body: .of(SnapshotName.self), answer: .of(SnapshotName.self),
            errors: Self.errors + [FixtureStateError.unknownSnapshot]
        ) { [hooks] call in
            let name: SnapshotName = try call.body()
            try await hooks.states.restore(name.snapshot)
            return .json(name)
        }
    }

    private var reset: Route {
        .fixture(
            .post, "/reset", "Go back to the state at the start: the scenario as it was loaded", status: .noContent,
            errors: Self.errors
        ) { [hooks] _ in
            try await hooks.states.reset()
            return .noContent
        }
    }

    private var clone: Route {
        Route(
            .post, "/clone", "Start a second server with the present state; tokens are valid there, and it ends with this one",
            access: .open, rateLimit: .probe, status: .created, answer: .of(CloneAddress.self),
            errors: Self.errors + [FixtureStateError.cannotClone, FixtureStateError.cloneFailed]
        ) { [hooks] _ in
            .json(CloneAddress(clone: try await hooks.states.clone()), .created)
        }
    }
}
