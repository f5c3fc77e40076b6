import SparkClient
import SparkCore
import Synchronization

/// All accounts that the audit made, so that it can close them.
final class Cast: Sendable {
    /// The distance limit of new accounts.
    static let kilometres = 50

    private struct State {
        var accounts: [AuditAccount] = []
        /// Addresses of registrations without an answer.
        var pending: Set<String> = []
    }

    let requests: RequestLedger
    private let client: SparkClient
    private let notice: @Sendable (String) -> Void
    /// Distinguishes the accounts of different audits.
    private let mark: String
    private let state = Mutex(State())

    /// - Parameter notice: called with a sentence about a wait or a problem.
    init(client: SparkClient, notice: @escaping @Sendable (String) -> Void) {
        self.client = client
        self.notice = notice
        self.requests = RequestLedger(notice: notice)
        self.mark = String(SystemRandomSource().next(), radix: 36)
    }

    /// Registers a new account with the common preferences.
    func newcomer(_ role: AuditRole) async throws -> AuditAccount {
        let number = SystemRandomSource().next()
        let email = "audit-\(mark)-\(String(number, radix: 36))@spark.invalid"
        state.withLock { _ = $0.pending.insert(email) }
        let account: AuditAccount
        do {
            account = try await AuditAccount.register(role, email: email, at: client, requests: requests)
        } catch let error as AuditError {
            // The server answered, so it made no account.
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

    /// Runs `body` with a cast and closes every account at the end, also after an error or a cancellation.
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
        // A separate task, because a cancelled one cannot send requests.
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
