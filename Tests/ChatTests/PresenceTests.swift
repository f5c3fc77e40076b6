import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkChat

@Suite("Presence") struct PresenceTests {
    private func states(_ device: Device) -> [String] {
        device.take().map { "\($0["user"]?.string ?? "?") \($0["online"]?.bool == true ? "online" : "away")" }
    }

    private func watch(_ people: [Person], on device: Device, _ chat: Fixture) async {
        await chat.frame(
            device, ["type": "presence.watch", "users": .array(people.map { .string($0.id.wire) })])
    }

    @Test("online after three seconds in the foreground, away ten seconds after the last device went")
    func comesAndGoes() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            _ = try await chat.match(people[0], people[1])
            let (presence, clock) = (chat.service.presence, chat.server.clock)
            let (watcher, phone, tablet) = (chat.device(people[0]), chat.device(people[1]), chat.device(people[1]))
            presence.connected(watcher, isBackground: false)
            await watch([people[1]], on: watcher, chat)
            #expect(states(watcher) == ["\(people[1].id) away"])
            presence.connected(phone, isBackground: false)
            clock.advance(by: .milliseconds(2_999))
            try await presence.pass()
            #expect(states(watcher) == [])
            clock.advance(by: .milliseconds(1))
            try await presence.pass()
            #expect(states(watcher) == ["\(people[1].id) online"])
            // A device that changes for another is no news.
            presence.disconnected(phone, wasLast: true)
            clock.advance(by: .seconds(9))
            presence.connected(tablet, isBackground: false)
            clock.advance(by: .seconds(5))
            try await presence.pass()
            #expect(states(watcher) == [])
            presence.disconnected(tablet, wasLast: true)
            clock.advance(by: .milliseconds(9_999))
            try await presence.pass()
            #expect(states(watcher) == [])
            clock.advance(by: .milliseconds(1))
            try await presence.pass()
            #expect(states(watcher) == ["\(people[1].id) away"])
            presence.disconnected(watcher, wasLast: true)
            clock.advance(by: .seconds(20))
            try await presence.pass()
            #expect(presence.sizes == [0, 0, 0, 0], "a person who has left is forgotten")
        }
    }

    @Test("a short visit and a device woken by a push are no presence")
    func noPresence() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            _ = try await chat.match(people[0], people[1])
            let (presence, clock) = (chat.service.presence, chat.server.clock)
            let (watcher, phone) = (chat.device(people[0]), chat.device(people[1]))
            presence.connected(watcher, isBackground: true)
            await watch([people[1]], on: watcher, chat)
            _ = watcher.take()
            presence.connected(phone, isBackground: true)
            clock.advance(by: .seconds(30))
            try await presence.pass()
            presence.disconnected(phone, wasLast: true)
            for _ in 0..<5 {
                let visit = chat.device(people[1])
                presence.connected(visit, isBackground: false)
                clock.advance(by: .seconds(2))
                presence.disconnected(visit, wasLast: true)
                clock.advance(by: .seconds(2))
                try await presence.pass()
            }
            #expect(states(watcher) == [])
        }
    }

    @Test("only matches who do not hide are seen; a person who starts to hide or ends the match disappears")
    func hiding() async throws {
        try await withChat { chat in
            let people = try await chat.people(5)
            for other in people[1...3] { _ = try await chat.match(people[0], other) }
            let (presence, clock) = (chat.service.presence, chat.server.clock)
            _ = try await chat.call("PATCH", "/me", people[2], ["visibility": ["incognito": true]])
            let watcher = chat.device(people[0])
            for person in people[1...] { presence.connected(chat.device(person), isBackground: false) }
            presence.connected(watcher, isBackground: false)
            clock.advance(by: .seconds(3))
            try await presence.pass()
            await watch(Array(people[1...]), on: watcher, chat)
            #expect(
                Set(states(watcher))
                    == [
                        "\(people[1].id) online", "\(people[2].id) away",
                        "\(people[3].id) online", "\(people[4].id) away",
                    ])
            try await chat.block(people[0], by: people[3])
            try await presence.pass()
            #expect(states(watcher) == [], "the end of the match has its own event")
            await watch(Array(people[1...]), on: watcher, chat)
            #expect(states(watcher).contains("\(people[3].id) away"))
            _ = try await chat.call("PATCH", "/me", people[1], ["visibility": ["paused": true]])
            try await presence.pass()
            #expect(states(watcher) == ["\(people[1].id) away"])
        }
    }

    @Test("a watch replaces the previous one, holds a hundred people at most, and ends with its connection")
    func watches() async throws {
        try await withChat { chat in
            let people = try await chat.people(3)
            for other in people[1...] { _ = try await chat.match(people[0], other) }
            let (presence, clock) = (chat.service.presence, chat.server.clock)
            let watcher = chat.device(people[0])
            presence.connected(watcher, isBackground: false)
            await watch([people[1]], on: watcher, chat)
            await watch([people[2]], on: watcher, chat)
            _ = watcher.take()
            for person in people[1...] { presence.connected(chat.device(person), isBackground: false) }
            clock.advance(by: .seconds(3))
            try await presence.pass()
            #expect(states(watcher) == ["\(people[2].id) online"])
            let many = (1...101).map { JSONValue.string(UserID(rawValue: $0).wire) }
            await chat.frame(watcher, ["type": "presence.watch", "users": .array(many)])
            #expect(watcher.take().first?["type"]?.string == "error")
            presence.disconnected(watcher, wasLast: true)
            await watch([people[1]], on: watcher, chat)
            #expect(watcher.take() == [], "a connection that is gone watches nobody")
        }
    }

    @Test("typing goes to the other person, once a second, while the match lives")
    func typing() async throws {
        try await withChat { chat in
            let people = try await chat.people(3)
            let conversation = try await chat.match(people[0], people[1])
            _ = try await chat.service.typing.warm(conversation)
            chat.stream.forget()
            let device = chat.device(people[0])
            func type(_ device: Device) async {
                await chat.frame(device, ["type": "typing", "conversation": .string(conversation.wire), "on": true])
            }
            for _ in 0..<5 { await type(device) }
            await type(chat.device(people[2]))
            #expect(chat.stream.all.map(\.type) == ["typing"])
            let told = try #require(chat.stream.sent("typing", to: people[1].id).first)
            #expect(told["by"]?.string == people[0].id.wire && told["on"]?.bool == true)
            chat.server.clock.advance(by: .seconds(1))
            await type(device)
            await type(chat.device(people[1]))
            #expect(chat.stream.all.map(\.user) == [people[1].id, people[1].id, people[0].id])
            chat.stream.forget()
            try await chat.block(people[0], by: people[1])
            chat.server.clock.advance(by: .seconds(1))
            _ = try await chat.service.typing.warm(conversation)
            await type(device)
            #expect(chat.stream.sent("typing", to: people[1].id).isEmpty)
        }
    }
}
