import Dispatch
import Logging
import ServiceLifecycle
import SparkCore
import SparkKit
import Synchronization

/// Evaluates the rules every 15 seconds on its own thread, and reports changes to the log and the webhook.
///
/// Alerts are only reported: readiness does not depend on them. A new process recovers their states from the series of the
/// last half hour.
final class AlertService: Sendable {
    static let interval = Duration.seconds(15)

    private struct State {
        var book: AlertBook
        var notices = AlertNotices()
    }

    private let source: any SeriesSource
    private let settings: AlertSettings
    private let clock: any WallClock
    private let logger: Logger
    private let fixture: FixtureHooks?
    private let makeWebhook: @Sendable (String) -> AlertWebhook
    private let webhook = Mutex<AlertWebhook?>(nil)
    private let state = Mutex(State(book: AlertBook([])))
    private let thread = DispatchQueue(label: "spark.alerts", qos: .utility)

    init(
        source: any SeriesSource, settings: AlertSettings, clock: any WallClock, logger: Logger,
        fixture: FixtureHooks? = nil,
        makeWebhook: (@Sendable (String) -> AlertWebhook)? = nil
    ) {
        self.source = source
        self.settings = settings
        self.clock = clock
        self.logger = logger
        self.fixture = fixture
        self.makeWebhook =
            makeWebhook ?? { url in
                let client = WebhookClient(url: url)
                let posting: any AlertPosting =
                    if let fixture { NotedPosting(client, to: url, fixture: fixture) } else { client }
                return AlertWebhook(posting: posting, logger: logger)
            }
    }

    /// Reads the rules. Must be called before `run`.
    /// - Throws: a `ModuleFault` when the file or the address cannot be used.
    func prepare() async throws {
        do {
            let groups = try await onThread { service in
                Result { () throws(AlertRuleError) in try service.settings.groups() }
            }.get()
            let address = try settings.webhookAddress()
            state.withLock { $0 = State(book: AlertBook(groups)) }
            webhook.withLock { $0 = address.map(makeWebhook) }
        } catch {
            throw ModuleFault(module: "metrics", "\(error)")
        }
    }

    /// All rules and alerts at one moment.
    var book: AlertBook { state.withLock { $0.book } }

    /// Runs one evaluation on the caller's thread.
    func evaluate() {
        let now = clock.now()
        // Evaluations never overlap, so the book can be changed outside of the lock.
        var next = state.withLock { $0 }
        let faults = next.book.faults
        let isFirst = next.book.evaluatedAt == nil
        let changes = isFirst ? next.book.recover(at: now, in: source) : next.book.evaluate(at: now, in: source)
        let notifications = next.notices.next(changes, in: next.book, at: now)
        state.withLock { $0 = next }
        for change in changes { AlertLog.write(change, to: logger) }
        AlertLog.write(next.book.faults, since: faults, to: logger)
        guard let webhook = webhook.withLock({ $0 }) else {
            // A test sees what would be sent if there were a receiver.
            for notification in notifications { fixture?.outbox.append(.webhook(to: "", at: now, notification.json)) }
            return
        }
        for notification in notifications { webhook.tell(notification) }
    }

    private func onThread<Value: Sendable>(_ body: @escaping @Sendable (AlertService) -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            thread.async { continuation.resume(returning: body(self)) }
        }
    }
}

extension AlertService: Service {
    /// Sends notifications to the webhook until the server stops.
    func run() async throws {
        let webhook = webhook.withLock { $0 }
        await cancelWhenGracefulShutdown { if let webhook { await webhook.run() } }
        // A service that returns counts as ended, so this one waits for the shutdown.
        try? await gracefulShutdown()
        await webhook?.close()
    }
}

extension AlertService {
    /// Registers the preparation, which reads and checks the rules before start, the evaluation, and the webhook as a service.
    func register(in registrar: inout ModuleRegistrar) {
        registrar.prepare { try await self.prepare() }
        registrar.timed(
            .sampled("metrics.alerts", every: Self.interval, startsAtOnce: false) { await self.onThread { $0.evaluate() } })
        registrar.service(self)
    }
}

/// Logs alerts with constant messages and metadata. Labels and annotations come from metrics, which contain no personal data.
private enum AlertLog {
    static func write(_ change: AlertChange, to logger: Logger) {
        let alert = change.alert
        var metadata: Logger.Metadata = [
            "alert": .string(alert.labels["alertname"] ?? ""), "value": .string("\(alert.value)"),
            "labels": .string(alert.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")),
        ]
        if let text = alert.annotations["description"] ?? alert.annotations["summary"] { metadata["text"] = .string(text) }
        switch change {
        case .fired: logger.warning("alert firing", metadata: metadata)
        case .resolved: logger.notice("alert resolved", metadata: metadata)
        }
    }

    /// Logs rules that can no longer be evaluated, once per fault.
    static func write(_ faults: [String: PromQLError], since before: [String: PromQLError], to logger: Logger) {
        for (rule, fault) in faults where before[rule] != fault {
            logger.error("alert rule not evaluated", metadata: ["rule": .string(rule), "reason": .string("\(fault)")])
        }
    }
}
