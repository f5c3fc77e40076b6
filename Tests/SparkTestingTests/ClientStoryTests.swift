import SparkClient
import SparkTesting
import Testing

/// The story of two people with the typed client, against a server of its own.
@Suite("The typed client", .timeLimit(.minutes(20)))
struct ClientStoryTests {
    @Test("two people meet, chat through cuts, and part")
    func story() async throws {
        try await SparkFixture.with { server in
            // Sign up, and say where they are.
            let ada = try await Self.signUp(server, "Ada", .woman, .man)
            let ben = try await Self.signUp(server, "Ben", .man, .woman)
            let (adaID, benID) = (try await ada.userID, try await ben.userID)

            // Deck, like, match.
            let deck = try await ada.getMatchesSuggestions(limit: 10)
            #expect(deck.items.map(\.id) == [benID])
            #expect(try await ada.postSwipes(.init(targetID: benID, action: .like)).match == nil)
            let match = try #require(try await ben.postSwipes(.init(targetID: adaID, action: .like)).match)
            #expect(match.user.name == "Ada")
            #expect(try await ada.eachMatches(limit: 1).all().map(\.user.id) == [benID])
            let chat = match.conversationID

            try await ada.withStream { hers in
                // Chat over the stream.
                let position = try await ben.withStream { his in
                    _ = try await hers.next(SparkAPI.ServerLiveFrame.self)
                    _ = try await his.next(SparkAPI.ServerLiveFrame.self)
                    #expect(try await hers.sendMessage(to: chat, "Hello").stored().seq == 1)
                    #expect(try await his.next(SparkAPI.ServerMessageFrame.self).text == "Hello")

                    // A cut in the middle: nothing is lost, nothing comes twice.
                    await his.cut()
                    await hers.cut()
                    let sendings = [
                        try await hers.sendMessage(to: chat, "Are you there?"), try await hers.sendMessage(to: chat, "I am."),
                    ]
                    for (place, sending) in sendings.enumerated() {
                        let receipt = try await sending.stored()
                        #expect(receipt.seq == place + 2)
                    }
                    #expect(await hers.outbox == [])
                    #expect(try await Self.texts(of: his, 2) == ["Are you there?", "I am."])
                    try await his.sendMessage(to: chat, "Me too").stored()
                    #expect(try await Self.texts(of: his, 1) == ["Me too"])
                    #expect(try await Self.texts(of: hers, 4) == ["Hello", "Are you there?", "I am.", "Me too"])
                    return await his.position
                }

                // A later stream of the same device goes on where this one ended.
                try await hers.sendMessage(to: chat, "Good night").stored()
                try await ben.withStream(position: position) { later in
                    let texts = try await Self.texts(of: later, 1)
                    #expect(texts == ["Good night"])
                }

                // Push, to a person who is not there.
                try await ben.putMeDevicesID("phone", .init(provider: .log, token: "bens-phone"))
                try await hers.sendMessage(to: chat, "Sleep well").stored()
                try await server.expectSent(1, .push, to: benID, within: .seconds(30))

                // Block.
                try await ben.postBlocks(.init(targetID: adaID))
                _ = try await hers.next(SparkAPI.ServerUnmatchFrame.self)
                let refusal = await #expect(throws: SparkStream.MessageRefused.self) {
                    try await hers.sendMessage(to: chat, "Hello?").stored()
                }
                #expect(refusal?.frame.code == "chat.gone")
            }
            #expect(try await ada.getMatches().items == [])
            #expect(try await ben.getBlocks().items.map(\.userID) == [adaID])
            let problem = await #expect(throws: SparkProblem.self) { try await ada.getUsersID(benID) }
            #expect(problem?.status == 404)
        }
    }

    private static func signUp(
        _ server: SparkFixture, _ name: String, _ gender: SparkAPI.Gender, _ interest: SparkAPI.Gender
    ) async throws -> SparkSession {
        let session = server.session()
        let grant = try await session.postAuthRegister(
            .init(
                email: "\(name.lowercased())@example.org", password: "correct horse battery", name: name,
                birthDate: "1995-06-15", gender: gender, interestedIn: [interest]))
        let id = try await session.userID
        #expect(grant.user.id == id)
        try await session.putMeLocation(.init(latitude: 48.85, longitude: 2.35))
        try await session.putMePreferences(.init(minAge: 18, maxAge: 99, maxDistanceKm: 50))
        return session
    }

    private static func texts(of stream: SparkStream, _ count: Int) async throws -> [String] {
        var texts: [String] = []
        while texts.count < count { texts.append(try await stream.next(SparkAPI.ServerMessageFrame.self).text) }
        return texts
    }
}
