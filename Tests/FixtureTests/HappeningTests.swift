import SparkCore
import SparkKit
import SparkTestSupport
import Testing

@Suite("What happened, as a test sees it")
struct HappeningTests {
    private let ada = UserID(rawValue: 1)
    private let ben = UserID(rawValue: 2)
    private let now = TestServer.startOfTime

    @Test("of an event are its members in the API's spelling, and everybody in it once")
    func event() {
        let swipe = SwipeRecorded(user: ada, target: ben, action: .superlike, previous: nil, isIncognito: true)
        let happening = Happening(swipe, at: now)
        #expect(happening.name == "matching.swipe_recorded" && happening.kind == .domain && happening.people == [ada, ben])
        #expect(
            happening.data == [
                "user": .string(ada.wire), "target": .string(ben.wire), "action": "superlike", "previous": .null,
                "is_incognito": true,
            ])
        let match = MatchCreated(
            match: MatchID(rawValue: 3), conversation: ConversationID(rawValue: 4), users: [ada, ben], by: ben)
        #expect(Happening(match, at: now).people == [ada, ben])
        #expect(Happening(match, at: now).data["users"] == [.string(ada.wire), .string(ben.wire)])
        let sent = MessageSent(
            message: MessageID(rawValue: 5), conversation: ConversationID(rawValue: 4), seq: 7, from: ada, to: ben)
        #expect(Happening(sent, at: now).data["seq"] == 7)
    }

    @Test("of a frame are its type, its receiver and the frame; answers to one device are no happening")
    func frame() throws {
        let frame = Array(#"{"type":"message","offset":3,"text":"Hello"}"#.utf8)
        let event = try #require(Happening(.event(ada, offset: 3, frame: frame), at: now))
        #expect(event.name == "message" && event.kind == .stream && event.people == [ada])
        #expect(event.data["text"] == "Hello" && event.at == now)
        #expect(Happening(.notice(ben, frame: frame), at: now)?.kind == .notice)
    }

    @Test("of a fault are its name and what it applied to")
    func fault() {
        var match = FaultMatch()
        match.user = ben
        let happening = Happening(FaultBoard.Fault(.streamDrop, times: 2, match: match), at: now)
        #expect(happening.name == "stream.drop" && happening.kind == .fault && happening.people == [ben])
        #expect(happening.data["match"]?["user"] == .string(ben.wire))
    }
}
