/// Takes everything and sends nothing, for development and fixtures; what it took stands in the outbox.
struct LogProvider: PushProvider {
    func send(_ notification: PushNotification, deadline: Duration) async -> PushOutcome { .accepted }
    func fault() async -> String? { nil }
    func shutDown() async {}
}
