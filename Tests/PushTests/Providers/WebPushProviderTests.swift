import Crypto
import Foundation
import NIOCore
import NIOHTTP1
import SparkCore
import SparkKit
import SparkTestSupport
import Testing

@testable import SparkPush

@Suite struct WebPushProviderTests {
    /// RFC 8291, section 5 and appendix A.
    @Test func theExampleOfTheRFCComesOutByteForByte() throws {
        func bytes(_ text: String) throws -> [UInt8] { try #require(Base64URL.decode(text)) }
        let text = Array("When I grow up, I want to be a watermelon".utf8)
        let message = try WebPushMessage(
            text, paddedTo: text.count,
            publicKey: try bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
            secret: try bytes("BTBZMqHH6r4Tts7J_aSIgg"),
            sender: P256.KeyAgreement.PrivateKey(rawRepresentation: try bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")),
            salt: try bytes("DGv6ra1nlYgDCS1FRnbzlw"))
        let expected =
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
            + "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        #expect(Base64URL.encode(message.body) == expected)
    }

    @Test func lengthsTellNothing() async throws {
        let bench = try ProviderBench()
        let table = bench.table(ProviderBench.webPushSettings)
        try await withServer(FakeWebPush.start(clock: bench.clock, serverKey: table.applicationServerKey)) { fake in
            let target = bench.target(fake.subscribe())
            for length in [0, 1, 17, 500, 1_900, 9_000] {
                let notification = bench.notification(to: target, body: String(repeating: "a", count: length))
                #expect(await table[.webpush].send(notification, deadline: .seconds(7_200)) == .accepted)
            }
            #expect(fake.lengths.count == 1)
            #expect(fake.accepted.count == 6)
            await table.shutDown()
        }
    }

    @Test func theKeyIsTheSameAfterARestartAndAnotherForAnotherServer() throws {
        let bench = try ProviderBench()
        let key = try #require(bench.table().applicationServerKey)
        #expect(bench.table().applicationServerKey == key)
        #expect(Base64URL.decode(key)?.count == 65)
        let other = ServerKeys(secret: SymmetricKey(size: .bits256))
        #expect(
            bench.settings().providers(keys: other, keysDirectory: nil, clock: bench.clock).applicationServerKey != key)
    }

    @Test func theSignatureIsUsedAgainUntilItIsHalfSpent() async throws {
        let bench = try ProviderBench()
        let key = try #require(VAPIDKey(seed: bench.keys.key(for: "push/vapid")))
        let tokens = VAPIDTokens(key, subject: "", clock: bench.clock)
        let first = try await tokens.header(for: "https://a.push.test")
        bench.clock.advance(by: .hours(5))
        #expect(try await tokens.header(for: "https://a.push.test") == first)
        #expect(try await tokens.header(for: "https://b.push.test") != first)
        bench.clock.advance(by: .hours(2))
        #expect(try await tokens.header(for: "https://a.push.test") != first)
    }

    @Test(arguments: [
        "http://fcm.googleapis.com/fcm/send/a", "https://user@fcm.googleapis.com/a", "https://fcm.googleapis.com@evil.test/a",
        "https://fcm.googleapis.com:8443/a", "https://127.0.0.1/a", "https://2130706433/a", "https://0x7f.1/a", "https://[::1]/a",
        "https://fcm.googleapis.com.evil.test/a", "https://evilnotify.windows.com/a", "https://notify.windows.com/a",
        "https://fcm.googleapis.com\\@evil.test/a", "https://fcm.googleapis.com /a", "https://fcm.googleapis.com/a#b",
        "https://fcm.googleapis.com/ä", "https://fcm.googleapis.com/a\r\nHost: b", "https:///a", "https://.googleapis.com/a", "",
        "HTTPS://fcm.googleapis.com/a", "https://fcm..googleapis.com/a", "https://localhost/a",
    ])
    func endpointsThatAreNoPushServicesAreRefused(_ endpoint: String) throws {
        let bench = try ProviderBench()
        let key = Array(P256.KeyAgreement.PrivateKey().publicKey.x963Representation)
        let target = PushTarget(
            service: .webpush, token: endpoint, publicKey: key, secret: [UInt8](repeating: 1, count: 16),
            registeredAt: bench.clock.now())
        #expect(bench.settings().fault(of: target) != nil)
    }

    @Test(arguments: [
        "https://fcm.googleapis.com/fcm/send/abc:APA91b-_x", "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
        "https://web.push.apple.com/QAbc", "https://wns2-par02p.notify.windows.com/w/?token=BQYAAA%3d%3d",
        "https://FCM.googleapis.com:443/a",
    ])
    func theBrowsersServicesAreAllowed(_ endpoint: String) throws {
        let bench = try ProviderBench()
        let key = Array(P256.KeyAgreement.PrivateKey().publicKey.x963Representation)
        var target = PushTarget(
            service: .webpush, token: endpoint, publicKey: key, secret: [UInt8](repeating: 1, count: 16),
            registeredAt: bench.clock.now())
        #expect(bench.settings().fault(of: target) == nil)
        target.publicKey[10] ^= 1
        #expect(bench.settings().fault(of: target) != nil)
        target.publicKey = key
        target.secret = []
        #expect(bench.settings().fault(of: target) != nil)
    }

    @Test(arguments: [
        ("127.0.0.1", false), ("10.1.2.3", false), ("172.16.0.1", false), ("172.31.255.255", false), ("172.32.0.1", true),
        ("192.168.1.1", false), ("169.254.169.254", false), ("100.64.0.1", false), ("100.128.0.1", true), ("0.0.0.0", false),
        ("224.0.0.1", false), ("255.255.255.255", false), ("198.18.0.1", false), ("8.8.8.8", true), ("142.250.1.1", true),
        ("::1", false), ("::", false), ("fe80::1", false), ("fc00::1", false), ("fd12::1", false), ("ff02::1", false),
        ("::ffff:127.0.0.1", false), ("::ffff:8.8.8.8", false), ("64:ff9b::7f00:1", false), ("64:ff9b::808:808", true),
        ("2001:db8::1", false), ("2002:7f00:1::", false), ("2001::1", false), ("2a00:1450:4001:81b::200a", true),
    ])
    func onlyPublicAddressesArePublic(_ text: String, _ isPublic: Bool) throws {
        #expect(try PublicAddress.isPublic(SocketAddress(ipAddress: text, port: 443)) == isPublic)
    }

    @Test func aNameThatPointsInsideIsNotAsked() async throws {
        let bench = try ProviderBench()
        for addresses in [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::1"]] {
            let resolver = HostResolver { _ in addresses.compactMap { try? SocketAddress(ipAddress: $0, port: 443) } }
            let provider = WebPushProvider(
                bench.settings(), key: VAPIDKey(seed: bench.keys.key(for: "push/vapid")), roots: TrustedRoots(file: bench.roots),
                clock: bench.clock, resolver: resolver)
            let target = PushTarget(
                service: .webpush, token: "https://fcm.googleapis.com/a",
                publicKey: Array(P256.KeyAgreement.PrivateKey().publicKey.x963Representation),
                secret: [UInt8](repeating: 1, count: 16), registeredAt: bench.clock.now())
            let outcome = await provider.send(bench.notification(to: target), deadline: .seconds(7_200))
            #expect(outcome == .refused(reason: "endpoint's address not public"))
            await provider.shutDown()
        }
    }

    /// The name exists nowhere but in the answer that was checked: who reaches the fake did not look it up again.
    @Test func theConnectionGoesToTheAddressThatWasChecked() async throws {
        let bench = try ProviderBench()
        try await withServer(FakeWebPush.start(clock: bench.clock)) { fake in
            let resolver = HostResolver { _ in [try? SocketAddress(ipAddress: "127.0.0.1", port: 443)].compactMap { $0 } }
            let settings = bench.settings(ProviderBench.webPushSettings.merging(["webpush_hosts": .list(["*.push.test"])]) { $1 })
            let provider = WebPushProvider(
                settings, key: VAPIDKey(seed: bench.keys.key(for: "push/vapid")), roots: TrustedRoots(file: bench.roots),
                clock: bench.clock, resolver: resolver)
            let subscription = fake.subscribe()
            let target = PushTarget(
                service: .webpush, token: subscription.endpoint.replacing("localhost", with: "a.push.test"),
                publicKey: subscription.publicKey, secret: subscription.secret, registeredAt: bench.clock.now())
            let outcome = await provider.send(bench.notification(to: target), deadline: .seconds(7_200))
            // The fake knows itself by another name, so it misses itself in the audience.
            #expect(outcome == .refused(reason: "403"))
            #expect(fake.refusals == ["audience"])
            await provider.shutDown()
        }
    }

    @Test func aRedirectIsNotFollowed() async throws {
        let (bench, box) = (try ProviderBench(), FakeScriptBox())
        let table = bench.table(ProviderBench.webPushSettings)
        try await withServer(FakeWebPush.start(clock: bench.clock, script: box.script)) { fake in
            box.next(.answer(307, headers: ["location": fake.subscribe().endpoint]))
            let outcome = await table[.webpush].send(
                bench.notification(to: bench.target(fake.subscribe())), deadline: .seconds(7_200))
            #expect(outcome == .refused(reason: "307"))
            #expect(fake.accepted.isEmpty)
            await table.shutDown()
        }
    }
}
