import HTTPTypes
import SparkCore
import SparkKit

/// `POST /__test__/clock`: moves the server's clock and answers when everything that fell due on the way has happened.
struct ClockRoute: Sendable {
    let control: any ClockControl

    var route: Route {
        .fixture(
            .post, "/clock", "Move the clock forward, stop it or let it run; answers when all that fell due is done",
            body: .of(ClockMove.self), answer: .of(ClockReading.self), errors: [ClockError.backwards, ClockError.tooLate]
        ) { call in
            let now: Timestamp
            switch try call.body(ClockMove.self) {
            case .advance(let duration): now = try await control.advance(by: duration)
            case .set(let time): now = try await control.set(time)
            case .freeze(let isFrozen): now = await control.freeze(isFrozen)
            }
            return .json(ClockReading(now: now))
        }
    }
}

/// The body of `POST /__test__/clock`, of whose members exactly one is given.
enum ClockMove: Hashable, RequestBody {
    case advance(Duration)
    case set(Timestamp)
    case freeze(Bool)

    static let body = BodyFields<ClockMove>(
        "ClockMove", "How the clock moves: exactly one of the three members.", read: read
    ) {
        seconds
        time
        frozen
    }

    /// A century; the clock ends before.
    private static let mostSeconds = 3_155_760_000.0

    private static let seconds = Field<ClockMove, Double?>(
        optional: "advance_seconds", { if case .advance(let duration) = $0 { duration.inSeconds } else { nil } },
        .number(0...mostSeconds).example(86_400), "How far forward. 0 does what is due now.")
    private static let time = Field<ClockMove, Timestamp?>(
        optional: "set", { if case .set(let time) = $0 { time } else { nil } }, isInExample: false,
        "Where to, not before the present time.")
    private static let frozen = Field<ClockMove, Bool?>(
        optional: "frozen", { if case .freeze(let isFrozen) = $0 { isFrozen } else { nil } }, isInExample: false,
        "True stops the clock, false lets it run on.")

    private static func read(from reader: inout ObjectReader) -> ClockMove? {
        let (seconds, time, frozen) = (seconds.read(from: &reader), time.read(from: &reader), frozen.read(from: &reader))
        let given = ["advance_seconds", "set", "frozen"].filter { reader.has($0) }
        guard given.count < 2 else {
            reader.refuse(given[1], "duplicate", "Give advance_seconds, set or frozen, not several of them.")
            return nil
        }
        switch given.first {
        case "set": return (time ?? nil).map { .set($0) }
        case "frozen": return (frozen ?? nil).map { .freeze($0) }
        default:
            reader.require("advance_seconds")
            return (seconds ?? nil).map { .advance(.milliseconds(Int64($0 * 1_000))) }
        }
    }
}

/// The answer of `POST /__test__/clock`.
struct ClockReading: JSONObject {
    let now: Timestamp

    static let fields = Fields<ClockReading>("ClockReading", "What the server's clock shows.") {
        Field("now", \.now)
    }
}
