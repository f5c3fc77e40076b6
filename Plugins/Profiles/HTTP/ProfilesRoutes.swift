import HTTPTypes
import SparkCore
import SparkKit

/// The HTTP interface of Profiles: the user's own record and preferences, and the view of other people.
struct ProfilesRoutes: Sendable {
    let service: ProfilesService

    var all: [Route] {
        [
            Route(.get, "/me", "Show my profile", rateLimit: .read, answer: .of(OwnProfileView.self)) { call in
                reply(try await service.own(call.user), call)
            },
            Route(
                .patch, "/me", "Change parts of my profile", rateLimit: .write, body: .of(ProfileChange.self),
                answer: .of(OwnProfileView.self), errors: [EdgeError.preconditionFailed, ProfilesError.contactDetails],
                handler: change),
            Route(
                .put, "/me/location", "Set my location; the answer is the snapped location", rateLimit: .write,
                body: .of(ReportedLocation.self), answer: .of(SnappedLocation.self),
                errors: [
                    ProfilesError.locationRateLimited(retryAfter: .zero), ProfilesError.locationTooFast(retryAfter: .zero),
                ], handler: move),
            Route(
                .get, "/me/preferences", "Show my preferences", rateLimit: .read, answer: .of(PreferencesView.self)
            ) { call in
                Reply(json: try await service.preferences(of: call.user))
            },
            Route(
                .put, "/me/preferences", "Change my preferences", rateLimit: .write, body: .of(PreferencesChange.self),
                answer: .of(PreferencesView.self)
            ) { call in
                let own = try await service.change(call.user, by: call.body(PreferencesChange.self))
                return .json(PreferencesView(preferences: own.profile.preferences))
            },
            Route(
                .get, "/users/{id}", "Show a person", rateLimit: .read,
                query: [
                    .choice(
                        "view", .named("PersonExtent", "How much of a person.", ["card", "full"]), default: nil,
                        "How much of the profile; by default mobile clients get the card."),
                    .words(
                        "fields", .named("PersonMember", "A member of a person.", PersonView.fields.names),
                        "Only these members, from any view; the id is always included."),
                ], answer: .of(PersonView.self), handler: person),
        ]
    }

    private func change(_ call: Call) async throws -> Reply {
        let own = try await service.change(
            call.user, by: call.body(ProfileChange.self),
            expecting: VersionExpectation(header: call.headers[.ifMatch]))
        return reply(own, call)
    }

    private func move(_ call: Call) async throws -> Reply {
        let centre = try await service.move(call.user, to: call.body(ReportedLocation.self).place)
        return centre.map { .json(SnappedLocation(centre: $0)) } ?? .json(JSONValue.null)
    }

    private func person(_ call: Call) async throws -> Reply {
        let (person, viewerPlace) = try await service.person(
            call.identifier("id", UserKind.self), for: call.user, today: call.now.date)
        let view = PersonView(
            person, viewerPlace: viewerPlace, today: call.now.date, extent: Self.extent(asked: call))
        let body = JSONWriter.bytes(of: view)
        return Reply(json: body, entityTag: FNV1a.hexadecimal(of: body))
    }

    private func reply(_ own: OwnProfile, _ call: Call) -> Reply {
        .json(
            OwnProfileView(own: own, centre: service.centre(of: own), today: call.now.date),
            entityTag: Self.entityTag(of: own, on: call.now.date))
    }

    /// The version, followed by a hash of what else distinguishes two answers. The records of two accounts have equal versions: a
    /// client's cache that keeps `/me` while another account signs in must not show it to that one. A record of the same version
    /// may have been another one before a backup was restored. And a birthday changes the age without a new version.
    private static func entityTag(of own: OwnProfile, on today: CivilDate) -> String {
        let age = own.profile.birthDate.age(on: today)
        let rest = withUnsafeBytes(of: (own.profile.id.rawValue, own.updatedAt.milliseconds, Int64(age))) {
            FNV1a.hexadecimal(of: $0)
        }
        return "\(own.profile.version).\(rest)"
    }

    /// The members that `fields` names; without it, those of `view`; without both, those for the kind of client.
    private static func extent(asked call: Call) -> PersonView.Extent {
        if let words = call.words("fields") { return .members(words) }
        switch call.text("view") {
        case "card": return .card
        case "full": return .full
        default: return isMobile(call.headers[.userAgent]) ? .card : .full
        }
    }

    private static func isMobile(_ agent: String?) -> Bool {
        guard let agent else { return false }
        return ["Mobile", "Android", "iPhone"].contains { agent.contains($0) }
    }
}
