/// Stands where nothing is set up: keeps what is to be sent and says what is missing.
struct UnreadyProvider: PushProvider {
    let reason: String

    func send(_ notification: PushNotification, deadline: Duration) async -> PushOutcome { .misconfigured(reason: reason) }
    func fault() async -> String? { reason }
    func shutDown() async {}
}
