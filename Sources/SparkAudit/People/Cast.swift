import SparkClient
import SparkCore
import Synchronization

/// Everybody whom the audit brought to the server, so that they can leave it again.
final class Cast: Sendable {
    /// How far newcomers look.
    static let kilometres = 50

    private struct State {
        var accounts: [AuditAccount] = []
        /// Addresses of registrations whose answers are not there.
        var pending: Set<String> = []
    }

    let requests: RequestLedger
    private let client: SparkClient
    private let notice: @Sendable (String) -> Void
    /// Tells the accounts of one audit from those of another.
    private let mark: String
    private let state = Mutex(State())

    /// - Parameter notice: told in a sentence what takes long or went wrong beside the audit.
    init(client: SparkClient, notice: @escaping @Sendable (String) -> Void) {
        self.client = client
        self.notice = notice
        self.requests = RequestLedger(notice: notice)
        self.mark = String(SystemRandomSource().next(), radix: 36)
    }

    /// Somebody new, with the same preferences as everybody.
    func newcomer(_ role: AuditRole) async throws -> AuditAccount {
        let number = SystemRandomSource().next()
        let email = "audit-\(mark)-\(String(number, radix: 36))@spark.invalid"
        state.withLock { _ = $0.pending.insert(email) }
        let account: AuditAccount
        do {
            account = try await AuditAccount.register(role, email: email, at: client, requests: requests)
        } catch let error as AuditError {
            // The server answered, and made nothing.
            state.withLock { _ = $0.pending.remove(email) }
            throw error
        }
        state.withLock { state in
            state.pending.remove(email)
            state.accounts.append(account)
        }
        try await account.look(kilometres: Self.kilometres)
        return account
    }

    /// Does something with a cast and closes every account that it made, however that ends: a failure and a cancellation included.
    static func with<Value: Sendable>(
        _ client: SparkClient, notice: @escaping @Sendable (String) -> Void, _ body: (Cast) async throws -> Value
    ) async throws -> Value {
        let cast = Cast(client: client, notice: notice)
        do {
            let value = try await body(cast)
            await cast.leave()
            return value
        } catch {
            await cast.leave()
            throw error
        }
    }

    private func leave() async {
        // A task of its own: a cancelled one could send nothing any more.
        await Task { await closeAll() }.value
    }

    private func closeAll() async {
        let state = state.withLock { $0 }
        guard !state.accounts.isEmpty || !state.pending.isEmpty else { return }
        notice("deleting the accounts that the audit made")
        var left: [String] = []
        var reason = ""
        for account in state.accounts {
            do {
                try await account.leave()
            } catch {
                left.append(account.id)
                reason = "\(error)"
            }
        }
        for email in state.pending.sorted() {
            do {
                try await AuditAccount.find(email: email, at: client, requests: requests)?.leave()
            } catch {
                left.append(email)
                reason = "\(error)"
            }
        }
        guard !left.isEmpty else { return }
        notice(
            "\(left.count) accounts of the audit could not be deleted (\(reason)): spark user find audit-\(mark) lists them, spark user erase deletes one"
        )
    }
}
