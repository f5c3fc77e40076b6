import SparkAccounts
import SparkCore
import SparkKit
import SparkTestSupport
import Testing

@testable import SparkPush

@Suite struct DeviceTests {
    @Test func aTokenMovesWithItsOwner() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben) = (try await fixture.person(), try await fixture.person())
            let body: JSONValue = ["provider": "log", "token": "one-and-the-same"]
            #expect(try await fixture.call("PUT", "/me/devices/phone", ann, body).status == 200)
            #expect(try await fixture.call("PUT", "/me/devices/mobile", ben, body).status == 200)
            #expect(try await fixture.store.devices(of: ann.id).isEmpty)
            #expect(try await fixture.store.devices(of: ben.id).map(\.name) == ["mobile"])
        }
    }

    @Test func aNewTokenUnderTheSameNameTakesTheOldOnesPlace() async throws {
        try await withServer(Fixture()) { fixture in
            let ann = try await fixture.person()
            for token in ["first", "second"] {
                _ = try await fixture.call("PUT", "/me/devices/phone", ann, ["provider": "log", "token": .string(token)])
            }
            #expect(try await fixture.store.devices(of: ann.id).map(\.target.token) == ["second"])
        }
    }

    @Test func registeringAgainKeepsWhatIsOnItsWay() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            try await fixture.say("Hi", to: conversation, by: ben)
            fixture.server.clock.advance(by: .seconds(2))
            while try await fixture.module.decider.decideDue() {}
            try await fixture.device(ann)
            #expect(try fixture.count("push_deliveries") == 1)
        }
    }

    @Test func theDevicesOfARevokedSessionAreSilent() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            try await fixture.say("Hi", to: conversation, by: ben)
            fixture.server.clock.advance(by: .seconds(2))
            while try await fixture.module.decider.decideDue() {}
            #expect(try await fixture.call("POST", "/auth/logout", ann).status == 204)
            #expect(try fixture.count("push_devices") == 0)
            #expect(try fixture.count("push_deliveries") == 0)
            try await fixture.push()
            #expect(try await fixture.sent().isEmpty)
            #expect(try fixture.server.check().isEmpty)
        }
    }

    @Test func aDeviceIsTakenAwayByItsOwnerAlone() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, _) = try await fixture.pair()
            let refused = try await fixture.call("DELETE", "/me/devices/phone", ben)
            #expect(refused.status == 404)
            #expect(refused.json["code"]?.string == "push.unknown_device")
            #expect(try await fixture.call("DELETE", "/me/devices/phone", ann).status == 204)
            #expect(try await fixture.call("GET", "/me/devices", ann).json["items"] == [])
        }
    }

    @Test func theListTellsNoToken() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, _, _) = try await fixture.pair()
            let list = try await fixture.call("GET", "/me/devices", ann)
            #expect(list.json["items"]?[0]?["id"]?.string == "phone")
            #expect(list.json["items"]?[0]?["provider"]?.string == "log")
            #expect(!list.body.contains("token-"))
        }
    }

    @Test func thereAreTwentyDevicesAtMostAndTheOldestMakesRoom() async throws {
        try await withServer(Fixture()) { fixture in
            let ann = try await fixture.person()
            for index in 0..<25 {
                fixture.server.clock.advance(by: .seconds(1))
                try await fixture.device(ann, name: "d\(index)")
            }
            let names = try await fixture.store.devices(of: ann.id).map(\.name)
            #expect(Set(names) == Set((5..<25).map { "d\($0)" }))
        }
    }

    @Test(arguments: [
        #"{"provider":"apns","token":"not hexadecimal"}"#, #"{"provider":"apns","token":"abcd"}"#,
        #"{"provider":"webpush","token":"https://example.org/push"}"#,
        #"{"provider":"webpush","token":"https://127.0.0.1/x","keys":{"p256dh":"AAAA","auth":"AAAA"}}"#,
        #"{"provider":"webpush","token":"http://fcm.googleapis.com/x","keys":{"p256dh":"AAAA","auth":"AAAA"}}"#,
        #"{"provider":"pigeon","token":"x"}"#, #"{"provider":"log"}"#, #"{"provider":"log","token":""}"#,
        #"{"provider":"log","token":"x","environment":"moon"}"#, #"{"provider":"log","token":"x","more":1}"#, "[]", "nonsense",
    ])
    func badRegistrationsAreRefused(body: String) async throws {
        try await withServer(Fixture()) { fixture in
            let ann = try await fixture.person()
            let answer = try await fixture.server.call("PUT", "/api/v1/me/devices/phone", token: ann.token, json: body)
            #expect((400...422).contains(answer.status), "\(answer.body)")
            #expect(try fixture.count("push_devices") == 0)
        }
    }

    @Test(arguments: ["a%20b", String(repeating: "x", count: 65), "%2e%2e%2fx", "ü"])
    func badNamesAreNotFound(name: String) async throws {
        try await withServer(Fixture()) { fixture in
            let ann = try await fixture.person()
            let answer = try await fixture.call("PUT", "/me/devices/\(name)", ann, ["provider": "log", "token": "x"])
            #expect(answer.status == 404 || answer.status == 400, "\(answer.body)")
        }
    }

    @Test(arguments: [
        #"{"time_zone":"Mars/Olympus"}"#, #"{"quiet_hours":{"from":"25:00","until":"07:00"}}"#,
        #"{"quiet_hours":{"from":"07:00","until":"07:00"}}"#, #"{"quiet_hours":{"from":"07:00"}}"#, #"{"preview":"all"}"#,
        #"{"muted":["message","message"]}"#, #"{"muted":["chat"]}"#,
    ])
    func badSettingsAreRefused(body: String) async throws {
        try await withServer(Fixture()) { fixture in
            let ann = try await fixture.person()
            let answer = try await fixture.server.call("PUT", "/api/v1/me/notifications", token: ann.token, json: body)
            #expect(answer.status == 422 || answer.status == 400, "\(answer.body)")
        }
    }

    @Test(
        "every fault is told at once, by place and kind",
        arguments: [
            (
                "/me/devices/phone",
                #"{"provider":"x","token":"","environment":"moon","keys":{"p256dh":"*","more":1},"language":1,"extra":1}"#,
                [
                    "/provider format", "/token length", "/environment format", "/language type", "/keys/p256dh format",
                    "/keys/auth missing", "/keys/more unknown", "/extra unknown",
                ]
            ), ("/me/devices/phone", "{}", ["/provider missing", "/token missing"]),
            (
                "/me/notifications",
                #"{"time_zone":"Mars","quiet_hours":{"from":"07:00","until":"07:00","x":1},"preview":"y","muted":["z"],"more":1}"#,
                [
                    "/time_zone format", "/quiet_hours/x unknown", "/quiet_hours range", "/preview format", "/muted/0 format",
                    "/more unknown",
                ]
            ), ("/me/notifications", #"{"quiet_hours":{"from":7}}"#, ["/quiet_hours/from type", "/quiet_hours/until missing"]),
            ("/conversations/cnv_0000000000001/mute", #"{"for_seconds":0}"#, ["/for_seconds range"]),
        ])
    func faults(path: String, body: String, faults: [String]) async throws {
        try await withServer(Fixture()) { fixture in
            let ann = try await fixture.person()
            let answer = try await fixture.server.call("PUT", "/api/v1\(path)", token: ann.token, json: body)
            #expect(answer.status == 422)
            let found = try JSONParser.parse(Array(answer.body.utf8))["errors"]?.array ?? []
            #expect(found.map { "\($0["field"]?.string ?? "") \($0["reason"]?.string ?? "")" } == faults)
        }
    }

    @Test("a registration takes padded keys, and any language tag; one without translation means English")
    func registration() throws {
        let body: JSONValue = [
            "provider": "webpush", "token": "https://push.example.org/1", "keys": ["p256dh": "AQID", "auth": "AQ=="],
            "language": "zz-ZZ",
        ]
        let registration = try DeviceRegistration.read(body)
        #expect(registration.language == .en && registration.environment == nil)
        let target = registration.target(registeredAt: Timestamp(milliseconds: 0))
        #expect(target.publicKey == [1, 2, 3] && target.secret == [1] && !target.isSandbox)
        let apns = try DeviceRegistration.read(["provider": "apns", "token": "ABCD", "environment": "sandbox"])
        #expect(apns.target(registeredAt: Timestamp(milliseconds: 0)).token == "abcd")
        #expect(apns.target(registeredAt: Timestamp(milliseconds: 0)).isSandbox)
    }

    @Test func settingsAreGivenBackAsTheyWereSet() async throws {
        try await withServer(Fixture()) { fixture in
            let ann = try await fixture.person()
            let initial = try await fixture.call("GET", "/me/notifications", ann).json
            #expect(initial == ["time_zone": "UTC", "quiet_hours": .null, "preview": "name", "muted": []])
            let wanted: JSONValue = [
                "time_zone": "Europe/Paris", "quiet_hours": ["from": "22:30", "until": "06:05"], "preview": "full",
                "muted": ["like"],
            ]
            #expect(try await fixture.call("PUT", "/me/notifications", ann, wanted).json == wanted)
            #expect(try await fixture.call("GET", "/me/notifications", ann).json == wanted)
        }
    }

    @Test func anErasedPersonLeavesNoRow() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            _ = try await fixture.call("PUT", "/me/notifications", ann, ["preview": "full"])
            try await fixture.say("One", to: conversation, by: ben)
            try await fixture.pushGathered()
            try await fixture.say("Two", to: conversation, by: ben)
            let export = try await fixture.call("GET", "/me/export", ann)
            #expect(export.json["push_devices"]?[0]?["id"]?.string == "phone")
            #expect(!export.body.contains("token-"))
            #expect(try await fixture.call("DELETE", "/me", ann).status == 202)
            fixture.server.clock.advance(by: .days(40))
            try await fixture.server.runOutbox()
            for table in ["devices", "settings", "days", "mutes", "batches", "events", "deliveries", "records"] {
                #expect(try fixture.count("push_\(table)") == 0, "\(table)")
            }
            #expect(try fixture.server.check().isEmpty)
        }
    }
}
