import Logging
import ServiceLifecycle
import SparkCore
import SparkKit
import SparkStorage
import Synchronization

/// Sends deliveries to one provider: leases due deliveries, sends a limited number at once, records the results.
///
/// Each provider has its own lane and circuit breaker, so no provider waits for another. Leases are released at the next start. A
/// push that was accepted but not yet recorded is sent again then, with its old identifier and collapse id, so it is shown once.
final class DispatchLane: Service, Sendable {
    /// A provider that has not answered within this time has failed; HTTP/2 connections to providers are known to lose answers.
    private static let deadline = Duration.seconds(5)
    private static let pauseAfterFailure = Duration.seconds(5)

    struct Parts: Sendable {
        let store: any PushStore
        let provider: any PushProvider
        let composer: PushComposer
        let usefulness: UsefulnessGauge
        let clock: any WallClock
        let random: any RandomSource
        let metrics: PushMetrics
        let logger: Logger
        var fixture: FixtureHooks?
    }

    private struct State {
        var underWay = 0
        var finished: [FinishedDelivery] = []
        var breaker = CircuitBreaker()
        /// The breakers of places with failures. A place is one that the provider reaches, such as a push service.
        var places: [String: CircuitBreaker] = [:]
        var hasTakenUpPauses = false
        var isStopping = false
        /// Changes when a snapshot is restored: what was leased before is no longer known.
        var generation = 0
        /// The last problem reported to the operator.
        var complaint: String?
    }

    let service: PushPlatform
    private let parts: Parts
    private let concurrency: Int
    private let wakeUp: WakeUp
    private let state = Mutex(State())

    init(_ service: PushPlatform, concurrency: Int, wakeUp: WakeUp, parts: Parts) {
        self.service = service
        self.concurrency = concurrency
        self.wakeUp = wakeUp
        self.parts = parts
    }

    func run() async throws {
        wakeUp.signal()
        await withGracefulShutdownHandler {
            try? await withThrowingDiscardingTaskGroup { group in
                for await _ in wakeUp.signals {
                    let signals = wakeUp.given
                    var hasFailed = false
                    do {
                        while try await turn(&group) > 0 {}
                        try await setAlarm()
                    } catch {
                        hasFailed = true
                        complain(error)
                        wakeUp.signal(at: parts.clock.now() + Self.pauseAfterFailure, clock: parts.clock)
                    }
                    // A push under way ends with a signal. After a failure nothing more happens until the alarm.
                    if hasFailed || state.withLock({ $0.underWay == 0 && $0.finished.isEmpty }) { wakeUp.rested(after: signals) }
                    // Results that could not be recorded are sent again at the next start, and still shown only once.
                    if state.withLock({ $0.isStopping && $0.underWay == 0 }) { break }
                }
            }
        } onGracefulShutdown: { [self] in
            state.withLock { $0.isStopping = true }
            wakeUp.signal()
        }
        wakeUp.finish()
        await parts.provider.shutDown()
    }

    /// The deliveries as they fall due. `run` sends them by real time.
    var work: TimedWork {
        .dated(
            "push.\(service.wire)", byOwnService: { try await self.nextDelivery() }, run: { await self.wakeUp.settle() },
            rest: { await self.wakeUp.rest() })
    }

    /// Sends the due deliveries and waits until all have ended.
    func drain() async throws {
        var leased = 0
        repeat {
            leased = try await withThrowingDiscardingTaskGroup { group in try await turn(&group) }
        } while leased > 0
    }

    /// Snapshots include the breakers. After a restore, results of earlier sends are dropped.
    func register(in registrar: inout ModuleRegistrar) {
        registrar.fixtureState { [self] in
            state.withLock { ($0.breaker, $0.places, $0.hasTakenUpPauses, $0.complaint) }
        } restore: { [self] saved in
            state.withLock { state in
                (state.breaker, state.places, state.hasTakenUpPauses, state.complaint) = saved
                state.finished = []
                state.generation += 1
            }
        }
    }

    /// Looks for due deliveries again.
    func lookAgain() { wakeUp.signal() }

    private func complain(_ error: any Error) {
        parts.logger.error("pushes not sent", metadata: ["provider": "\(service.wire)", "error": "\(type(of: error))"])
    }

    /// Restores the pauses that the provider asked for before a restart.
    private func takeUpPauses() async throws {
        guard !state.withLock({ $0.hasTakenUpPauses }) else { return }
        let pauses = try await parts.store.pauses(of: service, at: parts.clock.now())
        state.withLock { state in
            state.hasTakenUpPauses = true
            for (place, pause) in pauses {
                if place.isEmpty { state.breaker.resume(pause) } else { state.places[place, default: .init()].resume(pause) }
            }
        }
    }

    /// Records the finished deliveries and sends more.
    /// - Returns: the number of deliveries sent.
    private func turn(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async throws -> Int {
        try await takeUpPauses()
        let now = parts.clock.now()
        let (finished, room) = state.withLock { state -> ([FinishedDelivery], Int) in
            let finished = state.finished
            state.finished = []
            let room = state.isStopping ? 0 : state.breaker.allowance(of: concurrency - state.underWay, at: now)
            return (finished, room)
        }
        if !finished.isEmpty {
            do {
                let superseded = try await parts.store.finish(finished)
                for _ in 0..<superseded { parts.metrics.cancelled(.superseded) }
            } catch {
                state.withLock { $0.finished += finished }
                throw error
            }
        }
        // A few free places do not justify a transaction.
        guard room > 0, room >= min(concurrency / 4, 16) || state.withLock({ $0.breaker.isPaused || $0.underWay == 0 }) else {
            return 0
        }
        let found = try await parts.store.lease(service, limit: room)
        guard !found.isEmpty else { return 0 }
        let (leased, generation) = state.withLock { state in
            let leased = found.filter { mayLeave($0, at: now, &state) }
            state.underWay += leased.count
            state.breaker.left(leased.count)
            return (leased, state.generation)
        }
        // Postponed deliveries are recorded in the next turn.
        guard !leased.isEmpty else { return found.count }
        let notifications = try await compose(leased)
        for delivery in leased {
            let notification = notifications[delivery.id]
            group.addTask { [self] in await send(delivery, notification, leasedIn: generation) }
        }
        return leased.count
    }

    /// Whether a delivery's place may be asked now. If not, the delivery is postponed until then.
    private func mayLeave(_ delivery: Delivery, at now: Timestamp, _ state: inout State) -> Bool {
        guard case .place(let place) = parts.provider.pauseScope(of: delivery.device.target, reason: nil),
            var breaker = state.places[place]
        else { return true }
        let isAllowed = breaker.allowance(of: 1, at: now) > 0
        if isAllowed {
            breaker.left(1)
        } else {
            let resumesAt = min(max(breaker.resumesAt ?? now, now + .seconds(1)), now + RetrySchedule.longest)
            let ending: DeliveryEnding =
                resumesAt < delivery.expiresAt ? .later(resumesAt, isAttempt: false) : .cancelled(.expired)
            state.finished.append(FinishedDelivery(delivery: delivery, ending: ending))
        }
        state.places[place] = breaker
        return isAllowed
    }

    private func compose(_ leased: [Delivery]) async throws -> [Int64: PushNotification] {
        do {
            return try await parts.composer.notifications(for: leased, at: parts.clock.now())
        } catch {
            let later = parts.clock.now() + Self.pauseAfterFailure
            state.withLock { state in
                state.underWay -= leased.count
                // The probe was never sent.
                state.breaker.neverTried(at: later)
                for place in state.places.keys { state.places[place]?.neverTried(at: later) }
                state.finished += leased.map { FinishedDelivery(delivery: $0, ending: .later(later, isAttempt: false)) }
            }
            throw error
        }
    }

    /// - Parameter notification: nil when there is no news left.
    private func send(_ delivery: Delivery, _ notification: PushNotification?, leasedIn generation: Int) async {
        var finished = FinishedDelivery(delivery: delivery, ending: .cancelled(.read))
        var outcome: PushOutcome?
        if let notification, notification.expiresAt <= parts.clock.now() {
            finished = FinishedDelivery(delivery: delivery, ending: .cancelled(.expired))
        } else if let notification {
            let sender = PushSender(provider: parts.provider, clock: parts.clock, fixture: parts.fixture)
            let result = await sender.send(notification, to: delivery.device.user, deadline: Self.deadline)
            outcome = result
            finished = FinishedDelivery(
                delivery: delivery,
                ending: RetrySchedule.ending(of: result, delivery, at: parts.clock.now(), chance: chance))
            if case .sent = finished.ending {
                if service == .log { finished.record = PushComposer.record(of: notification) }
                parts.composer.noteSent(notification, to: delivery.device.user, in: parts.usefulness, at: parts.clock.now())
            }
        }
        settle(finished, outcome, leasedIn: generation)
    }

    private func settle(_ finished: FinishedDelivery, _ outcome: PushOutcome?, leasedIn generation: Int) {
        let now = parts.clock.now()
        let scope = parts.provider.pauseScope(of: finished.delivery.device.target, reason: outcome?.reason)
        let (complaint, isPaused) = state.withLock { state -> (String?, Bool) in
            state.underWay -= 1
            var finished = finished
            let complaint = judge(outcome, of: scope, at: now, &state)
            if case .later(_, .some)? = outcome { finished.pause = pause(of: scope, state) }
            if state.generation == generation { state.finished.append(finished) }
            return (complaint, state.breaker.isPaused)
        }
        if let complaint {
            parts.logger.error(
                "push provider cannot be used", metadata: ["provider": "\(service.wire)", "reason": .string(complaint)])
        }
        parts.metrics.setPaused(service, isPaused)
        if let reason = outcome?.word { parts.metrics.failed(service, reason: reason) }
        switch finished.ending {
        case .sent: parts.metrics.sent(service, after: now - finished.delivery.createdAt)
        case .cancelled(let reason): parts.metrics.cancelled(reason)
        default: break
        }
        wakeUp.signal()
    }

    /// Updates the breakers with an outcome.
    /// - Returns: a problem that the operator has not seen yet.
    private func judge(_ outcome: PushOutcome?, of scope: PauseScope, at now: Timestamp, _ state: inout State) -> String? {
        // A wrong setting affects every place.
        if case .misconfigured(let reason) = outcome {
            state.breaker.failed(at: now, after: RetrySchedule.mending, chance: chance)
            if case .place(let place) = scope { state.places[place]?.neverTried(at: now) }
            guard state.complaint != reason else { return nil }
            state.complaint = reason
            return reason
        }
        switch scope {
        case .provider: Self.judge(outcome, &state.breaker, at: now, chance: chance)
        case .place(let place):
            var breaker = state.places[place] ?? CircuitBreaker()
            Self.judge(outcome, &breaker, at: now, chance: chance)
            state.places[place] = breaker.isUntroubled ? nil : breaker
            makeRoom(&state, at: now)
            if outcome != nil { state.breaker.succeeded() } else { state.breaker.neverTried(at: now) }
        case .delivery: state.breaker.succeeded()
        }
        switch outcome {
        case .accepted, .gone, .refused: state.complaint = nil
        default: break
        }
        return nil
    }

    private static func judge(_ outcome: PushOutcome?, _ breaker: inout CircuitBreaker, at now: Timestamp, chance: Double) {
        switch outcome {
        case .accepted, .gone, .refused: breaker.succeeded()
        case .later(_, let after): breaker.failed(at: now, after: after, chance: chance)
        // The provider was not asked, so its state is as unknown as before.
        case .misconfigured, nil: breaker.neverTried(at: now)
        }
    }

    /// The pause to store for a restart.
    private func pause(of scope: PauseScope, _ state: State) -> (place: String?, pause: ProviderPause)? {
        switch scope {
        case .provider: state.breaker.pause.map { (nil, $0) }
        case .place(let place): state.places[place]?.pause.map { (place, $0) }
        case .delivery: nil
        }
    }

    /// Beyond the limit, drops the place that may be asked again first.
    private func makeRoom(_ state: inout State, at now: Timestamp) {
        guard state.places.count > PauseRows.limit else { return }
        let first = state.places.min { ($0.value.resumesAt ?? now) < ($1.value.resumesAt ?? now) }
        if let first { state.places[first.key] = nil }
    }

    private func setAlarm() async throws {
        guard state.withLock({ $0.underWay < concurrency }), let next = try await nextDelivery() else { return }
        wakeUp.signal(at: next, clock: parts.clock)
    }

    /// When the next delivery may be sent; nil if none waits.
    private func nextDelivery() async throws -> Timestamp? {
        guard let next = try await parts.store.nextDelivery(service) else { return nil }
        return state.withLock { $0.breaker.resumesAt }.map { max(next, $0) } ?? next
    }

    private var chance: Double { Double(parts.random.next() >> 11) / Double(1 << 53) }
}
