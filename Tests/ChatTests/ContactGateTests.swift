import SparkCore
import SparkKit
import SparkTestSupport
import Testing

@testable import SparkChat

@Suite("Contact gate") struct ContactGateTests {
    @Test("a contact is recognized however it is written", arguments: ContactAttempts.all.map(\.name))
    func attempts(_ name: String) throws {
        for text in try #require(ContactAttempts.all.first { $0.name == name }).texts {
            #expect(ContactDetails.areIn(text), "\(text)")
            #expect(ContactDetails.areIn("Hey, \(text)"), "within a sentence: \(text)")
        }
    }

    @Test("ordinary sentences are not held")
    func ordinary() {
        #expect(OrdinarySentences.all.count >= 200)
        for text in OrdinarySentences.all { #expect(!ContactDetails.areIn(text), "\(text)") }
    }

    @Test("a picture's identifier is read like a text")
    func identifiers() {
        for text in ContactAttempts.identifiers {
            #expect(PictureRule.isIdentifier(text), "\(text)")
            #expect(ContactDetails.areIn(identifier: text), "\(text)")
        }
        for text in ContactAttempts.ordinaryIdentifiers {
            #expect(PictureRule.isIdentifier(text), "\(text)")
            #expect(!ContactDetails.areIn(identifier: text), "\(text)")
        }
        for text in ["", "_a", "a_", "a__b", "a b", "a.b", "ä", "a/b", String(repeating: "a", count: 65)] {
            #expect(!PictureRule.isIdentifier(text), "\(text)")
        }
    }

    @Test("an address of a picture has an allowed host and plain names, and nothing else")
    func addresses() {
        let rule = PictureRule(gifHosts: ["media.example.net", "*.pictures.example"], stickerHosts: [])
        for address in [
            "https://media.example.net/x", "https://media.example.net/media/v1.Y2lkPTc5MGI/abc-DEF_9/giphy.gif",
            "https://a.b.pictures.example/1/2/3.webp",
        ] { #expect(rule.names(address, as: .gif), "\(address)") }
        for address in [
            "http://media.example.net/x", "HTTPS://media.example.net/x", "https:/media.example.net/x",
            "https:media.example.net/x",
            "//media.example.net/x", "https://media.example.net", "https://media.example.net/", "https://MEDIA.example.net/x",
            "https://media.example.net./x", "https://media.example.net:443/x", "https://u@media.example.net/x",
            "https://u:p@media.example.net/x", "https://media.example.net//x", "https://media.example.net/x/",
            "https://media.example.net/x//y", "https://media.example.net/./x", "https://media.example.net/../x",
            "https://media.example.net/%74%2e%6d%65/foobar", "https://media.example.net/%2574%252e%256d%2565/foobar",
            "https://media.example.net/x?y", "https://media.example.net/x?", "https://media.example.net/x#y",
            "https://media.example.net/x;y", "https://media.example.net/x@y", "https://media.example.net/x y",
            "https://media.example.net/x\\y", "https://media.example.net\\@evil.example/x", "https://media.example.net/é",
            "https://mediа.example.net/x", "https://xn--media-9ve.pictures.example/x", "https://media。example.net/x",
            "https://media.example.net.evil.example/x", "https://evil.example/media.example.net/x", "https://pictures.example/x",
            "https://.pictures.example/x", "https://a..pictures.example/x", "https://-a.pictures.example/x",
            "https://media.example.net/x\u{0}", "https://media.example.net/x\n", "https://media.example.net/.x",
            "https://media.example.net/x..y", "https://media.example.net/" + String(repeating: "a/", count: 8) + "a",
            "https://media.example.net/" + String(repeating: "a", count: 129), "https:///x", "https://127.0.0.1/x",
            "https://[::1]/x",
            " https://media.example.net/x",
        ] { #expect(!rule.names(address, as: .gif), "\(address)") }
        #expect(!rule.names("https://media.example.net/x", as: .sticker))
    }

    @Test("the parts of an allowed address that the sender chose are read like a text")
    func chosen() throws {
        let gate = ContactGate(
            mode: .always, pictures: PictureRule(gifHosts: ["media.example.net", "*.pictures.example"], stickerHosts: []))
        for (address, isHeld) in [
            ("https://media.example.net/t.me/foobar", true), ("https://media.example.net/t/me/foobar", true),
            ("https://media.example.net/foobar.com", true), ("https://media.example.net/0301234567", true),
            ("https://media.example.net/030/123/45/67", true), ("https://media.example.net/wa.me/491701234567/x.gif", true),
            ("https://media.example.net/insta/foobar", true), ("https://call-0301234567.pictures.example/x", true),
            ("https://t.me.foobar.pictures.example/x", true),
            ("https://media.example.net/zero-seven-nine-four-five-six-seven", true),
            ("https://media.example.net/cats/wave.gif", false),
            ("https://media3.pictures.example/media/3o7TKtnuHOHHUjR38Y/200w.webp", false),
        ] { #expect(gate.leadsElsewhere(.gif, address) == isHeld, "\(address)") }
    }

    @Test("a number that one person sends in pieces is held at its end; answers, and pieces long apart, are not")
    func pieces() async throws {
        try await withChat(["chat.contact_gate=always"]) { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            func send(_ texts: [String], by person: Person) async throws -> [Int] {
                var statuses: [Int] = []
                for text in texts { statuses.append(try await chat.send(text, to: conversation, by: person).status) }
                return statuses
            }
            #expect(try await send(["hi", "0170", "123"], by: people[0]) == [201, 201, 201])
            #expect(try await chat.send("4567", to: conversation, by: people[0]).code == "chat.held")
            #expect(try await send(["four five six", "is what I said"], by: people[0]).last == 201)
            #expect(try await send(["29", "183", "75", "and you?"], by: people[0]) == [201, 201, 201, 201])
            #expect(
                try await send(["0170"], by: people[0]) + send(["123"], by: people[1]) + send(["4567"], by: people[0]) == [
                    201, 201, 201,
                ])
            #expect(try await send(["ok", "0170", "123"], by: people[0]) == [201, 201, 201])
            chat.server.clock.advance(by: .minutes(11))
            #expect(try await send(["4567"], by: people[0]) == [201])
            #expect(try await send(["zero one seven", "zero one two", "three four five"], by: people[1]).last != 201)
        }
    }
}
