import HTTPTypes
import SparkCore
import SparkKit

/// The HTTP interface of Push.
struct PushRoutes {
    let service: PushService
    let applicationServerKey: String?

    var all: [Route] { [devices, putDevice, deleteDevice, settings, putSettings, mute, unmute, webPushKey] }

    private var devices: Route {
        Route(
            .get, "/me/devices", "My devices that get pushes", rateLimit: .read, answer: .page(of: DeviceView.self)
        ) { call in
            .page(try await service.devices(of: call.user).map { DeviceView(device: $0) }, nextCursor: nil)
        }
    }

    private var putDevice: Route {
        Route(
            .put, "/me/devices/{id}",
            "Register a device under a name; its token belongs to the last person who registered it, until the session ends",
            rateLimit: .write, body: .of(DeviceRegistration.self), answer: .of(DeviceView.self), errors: [EdgeError.notFound]
        ) { call in
            let device = try await service.register(
                call.body(), as: try Self.name(in: call), for: call.session, acceptLanguage: call.headers[.acceptLanguage])
            return .json(DeviceView(device: device))
        }
    }

    private var deleteDevice: Route {
        Route(
            .delete, "/me/devices/{id}", "Remove a device", rateLimit: .write, status: .noContent,
            errors: [PushError.unknownDevice]
        ) { call in
            try await service.removeDevice(try Self.name(in: call), of: call.user)
            return .noContent
        }
    }

    private var settings: Route {
        Route(
            .get, "/me/notifications", "My notification settings", rateLimit: .read,
            answer: .of(NotificationSettings.self)
        ) { call in .json(try await service.settings(of: call.user)) }
    }

    private var putSettings: Route {
        Route(
            .put, "/me/notifications", "Set my notification settings; omitted ones get their defaults",
            rateLimit: .write, body: .of(NotificationSettings.self), answer: .of(NotificationSettings.self)
        ) { call in
            let settings = try call.body(NotificationSettings.self)
            try await service.set(settings, for: call.user)
            return .json(settings)
        }
    }

    private var mute: Route {
        Route(
            .put, "/conversations/{id}/mute", "Mute a conversation, forever or for a time", rateLimit: .write,
            body: .of(MuteBody.self), isBodyOptional: true, status: .noContent, errors: [PushError.conversationGone]
        ) { call in
            let duration = call.hasBody ? try call.body(MuteBody.self).duration : nil
            try await service.mute(call.identifier("id"), for: call.user, until: duration.map { call.now + $0 })
            return .noContent
        }
    }

    private var unmute: Route {
        Route(
            .delete, "/conversations/{id}/mute", "Unmute a conversation", rateLimit: .write, status: .noContent
        ) { call in
            try await service.unmute(call.identifier("id"), for: call.user)
            return .noContent
        }
    }

    private var webPushKey: Route {
        Route(
            .get, "/push/webpush-key", "The key that browsers subscribe with (applicationServerKey)", access: .open,
            rateLimit: .read,
            answer: .of(WebPushKey.self), errors: [EdgeError.notFound]
        ) { _ in
            guard let applicationServerKey else { throw EdgeError.notFound }
            return .json(WebPushKey(key: applicationServerKey))
        }
    }

    /// The app's name for a device: 1 to 64 letters, digits, `.`, `-` and `_`.
    private static func name(in call: Call) throws -> String {
        guard let name = call.segment("id"), (1...64).contains(name.utf8.count),
            name.utf8.allSatisfy({ $0.isLetterOrDigit || Array("._-".utf8).contains($0) })
        else { throw EdgeError.notFound }
        return name
    }
}
