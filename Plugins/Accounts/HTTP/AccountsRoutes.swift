import HTTPTypes
import SparkCore
import SparkKit

/// The HTTP interface of Accounts.
struct AccountsRoutes {
    let service: AccountsService

    var all: [Route] {
        [
            register, logIn, refresh, logOut, sessions, revokeSession, revokeOthers, changePassword, confirm, confirmReset,
            closeAccount,
            export,
        ]
    }

    private var register: Route {
        Route(
            .post, "/auth/register", "Create an account and open its first session", access: .open, rateLimit: .credentials,
            body: .of(RegistrationForm.self), status: .created, answer: .of(TokenGrant.self), isGrant: true,
            errors: [
                AccountsError.underage, AccountsError.emailTaken, AccountsError.tooManyRegistrations(.seconds(1)),
                AccountsError.busy(), Self.noRoomForHash,
            ]
        ) { [service] call in
            let grant = try await service.register(try call.body(), client: Self.client(of: call))
            return Self.unstored(.json(grant, .created))
        }
    }

    private var logIn: Route {
        Route(
            .post, "/auth/login", "Open a session; within the grace period this also restores a deleted account",
            access: .open, rateLimit: .credentials, body: .of(LoginForm.self), answer: .of(TokenGrant.self), isGrant: true,
            errors: Self.passwordErrors + [AccountsError.suspended]
        ) { [service] call in
            let form: LoginForm = try call.body()
            let grant = try await service.logIn(email: form.email, password: form.password, client: Self.client(of: call))
            return Self.unstored(.json(grant))
        }
    }

    private var refresh: Route {
        Route(
            .post, "/auth/refresh", "Exchange a refresh token for new tokens; it can be used once", access: .open,
            rateLimit: .credentials, body: .of(RefreshForm.self), answer: .of(SessionTokens.self), isGrant: true,
            errors: [AccountsError.refreshRefused, AccountsError.refreshReused]
        ) { [service] call in
            let form: RefreshForm = try call.body()
            return Self.unstored(.json(try await service.refresh(form.refreshToken, from: Self.network(of: call))))
        }
    }

    private var logOut: Route {
        Route(.post, "/auth/logout", "Revoke this session", rateLimit: .write, status: .noContent) { [service] call in
            try await service.logOut(try call.session)
            return .noContent
        }
    }

    private var sessions: Route {
        Route(
            .get, "/auth/sessions", "The open sessions, most recently used first", rateLimit: .read,
            answer: .page(of: SessionLine.self)
        ) { [service] call in
            .page(try await service.sessions(of: try call.session), nextCursor: nil)
        }
    }

    private var revokeSession: Route {
        Route(.delete, "/auth/sessions/{id}", "Revoke one session", rateLimit: .write, status: .noContent) { [service] call in
            try await service.revoke(try call.identifier("id"), of: try call.user)
            return .noContent
        }
    }

    private var revokeOthers: Route {
        Route(
            .delete, "/auth/sessions", "Revoke every session but this one", rateLimit: .write, status: .noContent
        ) { [service] call in
            try await service.revokeOthers(than: try call.session)
            return .noContent
        }
    }

    private var changePassword: Route {
        Route(
            .post, "/auth/password", "Change the password and revoke every other session", rateLimit: .credentials,
            body: .of(PasswordChangeForm.self), status: .noContent,
            errors: Self.passwordErrors
        ) { [service] call in
            let form: PasswordChangeForm = try call.body()
            try await service.changePassword(
                of: try call.session, from: form.currentPassword, to: form.newPassword, network: Self.network(of: call))
            return .noContent
        }
    }

    private var confirm: Route {
        Route(
            .post, "/auth/confirm", "Confirm the password; the session then counts as just opened",
            rateLimit: .credentials, body: .of(ConfirmationForm.self), status: .noContent, errors: Self.passwordErrors
        ) { [service] call in
            let form: ConfirmationForm = try call.body()
            try await service.confirm(try call.session, password: form.password, network: Self.network(of: call))
            return .noContent
        }
    }

    private var confirmReset: Route {
        Route(
            .post, "/auth/reset/confirm", "Set a new password with a link's token, which works once; revokes every session",
            access: .open, rateLimit: .credentials, body: .of(ResetForm.self), status: .noContent,
            errors: [AccountsError.resetRefused, AccountsError.busy()]
        ) { [service] call in
            let form: ResetForm = try call.body()
            try await service.resetPassword(form.token, to: form.password, network: Self.network(of: call))
            return .noContent
        }
    }

    private var closeAccount: Route {
        Route(
            .delete, "/me", "Delete the account: hidden at once, erased after the grace period", rateLimit: .write,
            body: .of(ConfirmationForm.self), isBodyOptional: true, status: .accepted,
            answer: .of(ClosureReceipt.self),
            errors: [AccountsError.confirmationNeeded] + Self.passwordErrors
        ) { [service] call in
            let principal = try call.session
            if call.hasBody {
                let form: ConfirmationForm = try call.body()
                try await service.confirm(principal, password: form.password, network: Self.network(of: call))
            } else {
                try await service.requireRecentLogin(of: principal)
            }
            return .json(ClosureReceipt(eraseAt: try await service.close(principal.user)), .accepted)
        }
    }

    private var export: Route {
        Route(
            .get, "/me/export", "Everything that is stored about you", rateLimit: .write,
            answer: .of(ExportDocument.self), isBatchable: false,
            errors: [
                AccountsError.confirmationNeeded, AdmissionRefused(resource: .exports, scope: .day),
                AdmissionRefused(resource: .exports, scope: .total),
            ]
        ) { [service] call in
            let principal = try call.session
            try await service.requireRecentLogin(of: principal)
            var reply = Self.unstored(Reply(headers: [.contentType: "application/json"]))
            reply.parts = call.isHead ? AsyncThrowingStream { nil } : try service.export(for: principal)
            return reply
        }
    }

    private static let noRoomForHash = AdmissionRefused(resource: .hashing, scope: .total)
    private static let passwordErrors: [any ClientError] = [
        AccountsError.credentialsRefused, AccountsError.tooManyAttempts(.seconds(1)), AccountsError.busy(), noRoomForHash,
    ]

    /// Empty for calls without a network; all of them share one limit.
    private static func network(of call: Call) -> String {
        call.network ?? ""
    }

    private static func client(of call: Call) -> Client { Client(network: Self.network(of: call), label: label(of: call)) }

    /// Forbids caches to store the response (RFC 6749, 5.1).
    private static func unstored(_ reply: Reply) -> Reply {
        var reply = reply
        reply.headers[.cacheControl] = "no-store"
        return reply
    }

    /// The session's label: the beginning of the User-Agent, without unprintable characters.
    private static func label(of call: Call) -> String {
        let words = (call.headers[.userAgent] ?? "").utf8.split { !(0x21...0x7E).contains($0) }
        let label = Array(words.joined(separator: [UInt8(ascii: " ")]).prefix(80))
        return label.isEmpty ? "unknown" : String(decoding: label, as: UTF8.self)
    }
}
