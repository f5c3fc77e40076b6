import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport

@testable import SparkMatching
@testable import SparkProfiles

/// Random acts of people.
enum Acts {
    static func place(_ spread: Double, _ random: inout RandomWorld) -> Coordinate? {
        func offset() -> Double { (Double(random.pick(1_000)) / 1_000 - 0.5) * spread }
        return Coordinate(latitude: 48.8566 + offset(), longitude: 2.3522 + offset())
    }

    /// One act.
    /// - Returns: the person, for the message of a failure.
    static func any(_ fixture: Fixture, _ count: Int, _ spread: Double, _ random: inout RandomWorld) async throws -> String {
        let (user, target) = (Int64(1 + random.pick(count)), Int64(1 + random.pick(count)))
        guard user != target else { return "nothing" }
        let (me, other) = (UserID(rawValue: user), UserID(rawValue: target))
        let (pick, number, moved) = (random.pick(3), random.pick(1_000), place(spread, &random))
        func change(_ change: @escaping @Sendable (inout Profile) -> Void) async throws {
            _ = try await fixture.people.change(me) { own, _ in
                change(&own.profile)
                return .profile
            }
        }
        switch random.pick(19) {
        case 18: fixture.server.clock.advance(by: .hours(7))
        case 0: try await change { $0.visibility.isPaused.toggle() }
        case 1: try await change { $0.visibility.isIncognito.toggle() }
        case 2: try await change { $0.preferences.maxDistanceKilometres = [20, 200, 20_000][pick] }
        case 3: try await change { $0.preferences.interestedIn = [.everyone, GenderSet([.woman]), GenderSet([.man])][pick] }
        case 4: try await change { $0.gender = Gender.allCases[pick] }
        case 5: try await change { $0.interests = ["a", "b", "c", "d"].filter { _ in true }.suffix(pick + 1) }
        case 6: try await change { $0.name = "Name \(number)" }
        case 7:
            _ = try await fixture.people.change(me) { own, _ in
                own.cell = Cell(rawValue: Int64(number))
                own.profile.place = moved
                return .location
            }
        case 8:
            let people = fixture.people
            let isClosed = try await people.own(me)?.profile.isClosed == true
            try await fixture.server.storage.write { try people.setClosed(!isClosed, user: me, in: $0) }
        case 9: _ = try? await fixture.service.undoLastSwipe(of: me)
        case 10: try? await fixture.service.block(other, by: me)
        case 11: try await fixture.service.unblock(other, by: me)
        case 12:
            let matches = try await fixture.store.matches(of: me, after: .newest, limit: 1)
            if let match = matches.items.first { try await fixture.service.unmatch(match.id, by: me) }
        default:
            fixture.server.clock.advance(by: .milliseconds(pick))
            _ = try? await fixture.swipe(user, target, SwipeAction.allCases[random.pick(4)])
        }
        return "\(user) and \(target)"
    }
}
