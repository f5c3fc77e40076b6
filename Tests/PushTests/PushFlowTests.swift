import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkPush

/// From the event to the push, on the real store.
@Suite struct PushFlowTests {
    @Test func aMessageIsPushedTwoSecondsLater() async throws {
        try await withServer(Fixture()) { fixture in
            let (_, ben, conversation) = try await fixture.pair()
            try await fixture.say("Hello", to: conversation, by: ben)
            try await fixture.push()
            #expect(try await fixture.sent().isEmpty)
            try await fixture.pushGathered()
            let sent = try await fixture.sent()
            #expect(sent.count == 1)
            #expect(sent.first?["title"]?.string == "Ben")
            #expect(sent.first?["body"]?.string == "New message")
            #expect(sent.first?["badge"]?.integer == 1)
            #expect(sent.first?["data"]?["conversation_id"]?.string == conversation.wire)
            #expect(try fixture.count("push_batches") == 0)
            #expect(try fixture.count("push_events") == 0)
            #expect(try fixture.server.check().isEmpty)
        }
    }

    @Test func fortyNineInTwoSecondsAreOnePushAndFiftyOneAreTwo() async throws {
        for (messages, pushes) in [(49, ["49 new messages"]), (51, ["50 new messages", "51 new messages"])] {
            try await withServer(Fixture()) { fixture in
                let (_, ben, conversation) = try await fixture.pair()
                for index in 1...messages {
                    try await fixture.say("\(index)", to: conversation, by: ben)
                    if index == 50 { try await fixture.push() }
                }
                try await fixture.pushGathered()
                #expect(try await fixture.bodies() == pushes)
            }
        }
    }

    @Test func fiftyOneThatCameBeforeAnybodyLookedAreTwoPushesOfWhichTheNewerStands() async throws {
        try await withServer(Fixture()) { fixture in
            let (_, ben, conversation) = try await fixture.pair()
            for index in 1...51 { try await fixture.say("\(index)", to: conversation, by: ben) }
            #expect(try fixture.count("push_batches") == 2)
            fixture.server.clock.advance(by: .seconds(2))
            try await fixture.push()
            // Both were decided together: the second push covers what was not sent yet.
            #expect(try await fixture.bodies() == ["51 new messages"])
        }
    }

    @Test func whatIsReadBeforeItLeavesIsNotPushed() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            try await fixture.say("One", to: conversation, by: ben)
            try await fixture.read(conversation, upTo: 1, by: ann)
            try await fixture.pushGathered()
            #expect(try await fixture.sent().isEmpty)
            #expect(try fixture.count("push_batches") == 0)

            // Read between the decision and the sending.
            try await fixture.say("Two", to: conversation, by: ben)
            fixture.server.clock.advance(by: .seconds(2))
            while try await fixture.module.decider.decideDue() {}
            #expect(try fixture.count("push_deliveries") == 1)
            try await fixture.read(conversation, upTo: 2, by: ann)
            try await fixture.push()
            #expect(try await fixture.sent().isEmpty)
            #expect(try fixture.count("push_deliveries") == 0)
        }
    }

    @Test func deletedMessagesAndEndedMatchesAreNoNews() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            try await fixture.say("Oops", to: conversation, by: ben)
            let deleted = try await fixture.call("DELETE", "/conversations/\(conversation.wire)/messages/1", ben)
            #expect(deleted.status == 204)
            try await fixture.pushGathered()
            try await fixture.say("Hello", to: conversation, by: ben)
            _ = try await fixture.call("POST", "/blocks", ann, ["target_id": .string(ben.id.wire)])
            try await fixture.pushGathered()
            #expect(try await fixture.sent().isEmpty)
        }
    }

    @Test func aMatchIsPushedToWhomWasLikedFirstAndNotToWhoCompletedIt() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben) = (try await fixture.person("Ann"), try await fixture.person("Ben"))
            try await fixture.device(ann)
            try await fixture.device(ben)
            _ = try await fixture.match(ann, ben)
            try await fixture.pushGathered()
            let sent = try await fixture.overview().records
            // Ben's like came first, but could no longer be answered by then.
            #expect(sent.map(\.user) == [ann.id])
            let content = try await fixture.sent().first
            #expect(content?["title"]?.string == "It's a match!")
            #expect(content?["body"]?.string == "You and Ben like each other.")
            #expect(content?["priority"]?.string == "high")
        }
    }

    @Test func likesNameNobodyAndKindsShareNoPush() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            for name in ["Cleo", "Dora"] { try await fixture.swipe(try await fixture.person(name), ann) }
            try await fixture.say("Hi", to: conversation, by: ben)
            try await fixture.pushGathered()
            #expect(Set(try await fixture.bodies()) == ["2 people like you.", "New message"])
            #expect(try await !fixture.sent().contains { "\($0)".contains("Cleo") || "\($0)".contains("Dora") })
        }
    }

    @Test func aLikeThatIsAnsweredOrTakenBackIsNoNews() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben) = (try await fixture.person("Ann"), try await fixture.person("Ben"))
            try await fixture.device(ann)
            try await fixture.swipe(ben, ann)
            #expect(try await fixture.call("DELETE", "/swipes/last", ben).status == 200)
            try await fixture.pushGathered()
            #expect(try await fixture.sent().isEmpty)
        }
    }

    @Test func aLikeIsPushedOnceADayAndOnlyOfSomebodyWhomThePersonWouldSee() async throws {
        try await withServer(Fixture()) { fixture in
            let ann = try await fixture.person("Ann")
            try await fixture.device(ann)
            let cleo = try await fixture.person("Cleo")
            for _ in 0..<5 {
                try await fixture.swipe(cleo, ann)
                try await fixture.pushGathered()
                #expect(try await fixture.call("DELETE", "/swipes/last", cleo).status == 200)
            }
            try await fixture.swipe(cleo, ann)
            try await fixture.pushGathered()
            #expect(try await fixture.bodies().count == 1)
            // A push is not sent if its person has paused or is outside the limits when it is due.
            let dora = try await fixture.person("Dora")
            try await fixture.swipe(dora, ann)
            #expect(try await fixture.call("PATCH", "/me", dora, ["visibility": ["paused": true]]).status == 200)
            try await fixture.swipe(try await fixture.person("Eve"), ann)
            let limits: JSONValue = ["min_age": 60, "max_age": 70, "max_distance_km": 50]
            #expect(try await fixture.call("PUT", "/me/preferences", ann, limits).status == 200)
            // Nor is a person who was outside from the start.
            try await fixture.swipe(try await fixture.person("Fay"), ann)
            try await fixture.pushGathered()
            #expect(try await fixture.bodies().count == 1)
        }
    }

    @Test func whoIsInTheAppIsPushedOnlyIfTheConnectionTurnsOutDead() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            let connection = OpenConnection(ann)
            fixture.module.active.connected(connection, isBackground: false)
            try await fixture.say("Here?", to: conversation, by: ben)
            try await fixture.pushGathered()
            fixture.server.clock.advance(by: .seconds(75))
            try await fixture.push()
            #expect(try await fixture.sent().isEmpty)
            #expect(try fixture.count("push_batches") == 0)

            try await fixture.say("And now?", to: conversation, by: ben)
            try await fixture.pushGathered()
            fixture.module.active.disconnected(connection, wasLast: true)
            fixture.server.clock.advance(by: .seconds(75))
            try await fixture.push()
            #expect(try await fixture.bodies() == ["2 new messages"])
        }
    }

    @Test func aConnectionInTheBackgroundIsNobodyInTheApp() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            fixture.module.active.connected(OpenConnection(ann), isBackground: true)
            try await fixture.say("Hello", to: conversation, by: ben)
            try await fixture.pushGathered()
            #expect(try await fixture.sent().count == 1)
        }
    }

    @Test func theNightIsQuietAndTheMorningTellsItInOnePush() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            // It is noon in London, nine in the evening in Tokyo.
            let body: JSONValue = ["time_zone": "Asia/Tokyo", "quiet_hours": ["from": "21:00", "until": "07:00"]]
            #expect(try await fixture.call("PUT", "/me/notifications", ann, body).status == 200)
            for index in 1...60 { try await fixture.say("\(index)", to: conversation, by: ben) }
            try await fixture.pushGathered()
            fixture.server.clock.advance(by: .hours(9))
            try await fixture.push()
            #expect(try await fixture.sent().isEmpty)
            fixture.server.clock.advance(by: .hours(1))
            try await fixture.push()
            #expect(try await fixture.bodies() == ["60 new messages"])
        }
    }

    @Test func mutedConversationsAndKindsAreSilent() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            let path = "/conversations/\(conversation.wire)/mute"
            #expect(try await fixture.call("PUT", path, ann, ["for_seconds": 60]).status == 204)
            try await fixture.say("One", to: conversation, by: ben)
            try await fixture.pushGathered()
            #expect(try await fixture.sent().isEmpty)
            fixture.server.clock.advance(by: .seconds(60))
            try await fixture.say("Two", to: conversation, by: ben)
            try await fixture.pushGathered()
            #expect(try await fixture.bodies() == ["2 new messages"])

            #expect(try await fixture.call("PUT", "/me/notifications", ann, ["muted": ["message"]]).status == 200)
            try await fixture.say("Three", to: conversation, by: ben)
            try await fixture.pushGathered()
            #expect(try await fixture.sent().count == 1)
            let stranger = try await fixture.person()
            #expect(try await fixture.call("PUT", path, stranger).status == 404)
        }
    }

    @Test func theDayHasSoManyPushesAndNoMore() async throws {
        try await withServer(Fixture(settings: ["push.daily_cap=2"])) { fixture in
            let (_, ben, conversation) = try await fixture.pair()
            for index in 1...3 {
                try await fixture.say("\(index)", to: conversation, by: ben)
                try await fixture.pushGathered()
            }
            #expect(try await fixture.sent().count == 2)
            fixture.server.clock.advance(by: .hours(12))
            try await fixture.say("Tomorrow", to: conversation, by: try await fixture.again(ben))
            try await fixture.pushGathered()
            #expect(try await fixture.sent().count == 3)
        }
    }

    @Test(arguments: [("full", "Ben", "Meet me"), ("name", "Ben", "New message"), ("none", "Spark", "New message")])
    func theLockedScreenShowsWhatItsOwnerAllows(preview: String, title: String, text: String) async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            _ = try await fixture.call("PUT", "/me/notifications", ann, ["preview": .string(preview)])
            try await fixture.say("Meet me", to: conversation, by: ben)
            try await fixture.pushGathered()
            let sent = try await fixture.sent().first
            #expect(sent?["title"]?.string == title)
            #expect(sent?["body"]?.string == text)
        }
    }

    @Test func eachDeviceIsToldInItsLanguage() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            try await fixture.device(ann, name: "tablet", language: "de-AT")
            try await fixture.say("Hallo", to: conversation, by: ben)
            try await fixture.pushGathered()
            #expect(Set(try await fixture.bodies()) == ["New message", "Neue Nachricht"])
        }
    }

    @Test func whoHasNoDeviceCostsNoRow() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            try await fixture.say("To you", to: conversation, by: ann)
            #expect(try fixture.count("push_batches") == 0)
            try await fixture.say("To me", to: conversation, by: ben)
            #expect(try fixture.count("push_batches") == 1)
        }
    }

    @Test func aWriteThatFailsLeavesNothingToPush() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            struct Fault: Error {}
            let event = MessageSent(message: MessageID(rawValue: 1), conversation: conversation, seq: 1, from: ben.id, to: ann.id)
            await #expect(throws: Fault.self) {
                try await fixture.server.storage.write { transaction in
                    transaction.publish(event)
                    throw Fault()
                }
            }
            #expect(try fixture.count("push_batches") == 0)
            try await fixture.server.storage.write { $0.publish(event) }
            #expect(try fixture.count("push_batches") == 1)
        }
    }
}

/// A connection that discards everything.
final class OpenConnection: StreamConnection, Sendable {
    let principal: Principal
    let id: UInt64 = 1

    init(_ person: Person) {
        principal = Principal(user: person.id, session: person.session, expiresAt: Timestamp(milliseconds: .max))
    }

    func send(_ frame: [UInt8]) {}
}
