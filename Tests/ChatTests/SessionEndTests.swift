import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkChat

@Suite("Writing for a session that has ended")
struct SessionEndTests {
    /// Two matched people, a message of the first, and her device.
    private struct Scene {
        let chat: Fixture
        let anna: Person
        let device: Device
        let conversation: ConversationID

        init(_ chat: Fixture) async throws {
            let people = try await chat.people(2)
            self.chat = chat
            anna = people[0]
            device = chat.device(people[0])
            conversation = try await chat.match(people[0], people[1])
            #expect(try await chat.send("Hello", to: conversation, by: people[0]).status == 201)
        }

        func frame(_ type: String, _ members: [JSONMember] = []) -> JSONValue {
            .object(
                [JSONMember("type", .string(type)), JSONMember("conversation", .string(conversation.wire))] + members)
        }
    }

    @Test("a message that waited for the writer is refused when its session has ended before it")
    func waited() async throws {
        try await withChat { chat in
            let scene = try await Scene(chat)
            let (gate, storage) = (Gate(), chat.server.storage)
            storage.submit({ _ in gate.wait() }, completion: { _ in })
            await gate.reached()
            async let logOut = chat.call("POST", "/auth/logout", scene.anna)
            while storage.waitingWrites < 1 { await Task.yield() }
            // Authenticated while the session was still open.
            await chat.frame(
                scene.device, scene.frame("message.send", [JSONMember("client_id", "late"), JSONMember("text", "late")]))
            async let edit = chat.call(
                "PATCH", "/conversations/\(scene.conversation.wire)/messages/1", scene.anna, ["text": "late"])
            async let post = chat.send("late", to: scene.conversation, by: scene.anna)
            while storage.waitingWrites < 3 { await Task.yield() }
            gate.open()
            #expect(try await logOut.status == 204)
            #expect(try await edit.status == 401)
            #expect(try await post.status == 401)
            try await chat.settle()
            let nack = try #require(scene.device.received.last)
            #expect(nack["type"]?.string == "nack" && nack["code"]?.string == "auth.unauthenticated")
            #expect(try chat.count("chat_messages") == 1)
            #expect(try chat.count("chat_messages WHERE text = 'Hello'") == 1)
        }
    }

    @Test("messages that the server itself sends need no session")
    func server() async throws {
        try await withChat { chat in
            let scene = try await Scene(chat)
            _ = try await chat.call("POST", "/auth/logout", scene.anna)
            let message = NewMessage(clientID: "system", content: .text, text: "from nobody's device")
            _ = try await chat.service.send(message, to: scene.conversation, by: scene.anna.id)
            #expect(try chat.count("chat_messages") == 2)
        }
    }
}
