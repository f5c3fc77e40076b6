import SparkClient
import SparkCore
import Synchronization

/// Everybody whom the audit brought to the server, so that they can leave it again.
final class Cast: Sendable {
    /// How far newcomers look.
    static let kilometres = 50

    let requests = RequestCount()
    private let client: SparkClient
    /// Tells the accounts of one audit from those of another.
    private let mark: String
    private let accounts = Mutex<[AuditAccount]>([])

    init(client: SparkClient) {
        self.client = client
        self.mark = String(SystemRandomSource().next(), radix: 36)
    }

    /// Somebody new, with the same preferences as everybody.
    func newcomer(_ role: AuditRole) async throws -> AuditAccount {
        let number = SystemRandomSource().next()
        let account = try await AuditAccount.register(
            role, email: "audit-\(mark)-\(String(number, radix: 36))@spark.invalid", at: client, requests: requests)
        accounts.withLock { $0.append(account) }
        try await account.look(kilometres: Self.kilometres)
        return account
    }

    /// Closes every account; as far as the server lets it.
    func leave() async {
        for account in accounts.withLock({ $0 }) { try? await account.leave() }
    }
}
