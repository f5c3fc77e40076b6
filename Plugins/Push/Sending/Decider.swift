import Logging
import ServiceLifecycle
import SparkCore
import SparkKit
import SparkStorage

/// Decides batches when they are due: reads the facts, runs the state machine, carries out the decisions.
struct Decider: Service {
    /// Maximum batches per transaction.
    static let limit = 128
    private static let pauseAfterFailure = Duration.seconds(5)

    let store: any PushStore
    let rules: PushRules
    let active: ForegroundUsers
    let lanes: [PushPlatform: WakeUp]
    let wakeUp: WakeUp
    let clock: any WallClock
    let random: any RandomSource
    let metrics: PushMetrics
    let logger: Logger

    func run() async throws {
        wakeUp.signal()
        await withGracefulShutdownHandler {
            for await _ in wakeUp.signals {
                let signals = wakeUp.given
                do {
                    while try await decideDue() {}
                    if let next = try await store.nextDecision() { wakeUp.signal(at: next, clock: clock) }
                } catch {
                    logger.error("pushes not decided", metadata: ["error": "\(type(of: error))"])
                    wakeUp.signal(at: clock.now() + Self.pauseAfterFailure, clock: clock)
                }
                wakeUp.rested(after: signals)
            }
        } onGracefulShutdown: {
            wakeUp.finish()
        }
    }

    /// The decisions as they fall due. `run` makes them by real time.
    var work: TimedWork {
        .dated(
            "push.decisions", byOwnService: { try await store.nextDecision() }, run: { await wakeUp.settle() },
            rest: { await wakeUp.rest() })
    }

    /// Decides the due batches. True when there may be more.
    func decideDue() async throws -> Bool {
        let now = clock.now()
        let due = try await store.dueBatches(at: now, limit: Self.limit)
        guard !due.isEmpty else { return false }
        let decided = due.map { decide($0, at: now) }
        let result = try await store.carryOut(decided, lifetime: rules.lifetime) { [random] in PushUUID.next(random) }
        for index in result.done { count(decided[index]) }
        for _ in 0..<result.superseded { metrics.cancelled(.superseded) }
        for service in result.services { lanes[service]?.signal() }
        return due.count == Self.limit
    }

    private func decide(_ due: DueBatch, at now: Timestamp) -> DecidedBatch {
        let zone = LocalTime(due.settings.timeZone)
        let facts = PushFacts(
            hasNews: !due.news.isEmpty, hasDevice: due.hasDevice,
            isMuted: due.settings.mutedKinds.contains(due.batch.kind) || due.news.isSilenced,
            isActive: active.isActive(due.batch.user), quietUntil: due.settings.quiet?.end(at: now, in: zone),
            sentToday: due.sentToday)
        var batch = due.batch
        let decision = batch.decide(facts, at: now, rules: rules)
        return DecidedBatch(
            before: due.batch, after: batch, decision: decision, place: PushPlace(due.news, batch: batch.id),
            day: zone.day(at: now))
    }

    private func count(_ decided: DecidedBatch) {
        switch decided.decision {
        case .cancel(let reason): metrics.cancelled(reason)
        case .send: if decided.after.count > 1 { metrics.batched(decided.after.kind, by: decided.after.count - 1) }
        case .hold: break
        }
    }
}

/// Identifiers of pushes: random lower-case UUIDs (RFC 9562, version 4).
enum PushUUID {
    static func next(_ random: any RandomSource) -> String {
        let high = (random.next() & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000
        let low = (random.next() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        let digits = hex(high) + hex(low)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            text.append(digit)
        }
        return text
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
