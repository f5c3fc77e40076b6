import SparkCore
import SparkKit

// The JSON bodies and answers of snapshots and clones.

/// The answer of `POST /__test__/snapshot` and the body of `POST /__test__/restore`.
struct SnapshotName: RequestBody {
    let snapshot: String

    static let body = BodyFields<SnapshotName>("FixtureSnapshot", "A kept state.", SnapshotName.init(snapshot:)) {
        Field("snapshot", \.snapshot, .string(1...64).example("s2"), "The snapshot's identifier.")
    }
}

/// The answer of `POST /__test__/clone`.
struct CloneAddress: JSONObject {
    let clone: ServerClone

    static let fields = Fields<CloneAddress>("FixtureClone", "A second server.") {
        Field("url", \.clone.url, .string.example("http://127.0.0.1:40125"), "Its only port.")
        Field("pid", \.clone.pid, .integer.example(4_321), "Its process.")
        Field("admin_token", \.clone.adminToken, .string.example("pAK6zJv0m2r4"), "The token for its operators' routes.")
    }
}
