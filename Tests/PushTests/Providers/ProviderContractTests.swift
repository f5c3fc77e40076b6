import NIOHTTP1
import SparkCore
import Testing

@testable import SparkPush

/// The contract of every provider.
@Suite struct ProviderContractTests {
    @Test(arguments: ContractSubject.allCases) func aPushInOrderIsTaken(_ subject: ContractSubject) async throws {
        let setup = try await ContractSetup(subject)
        #expect(await setup.send() == .accepted)
        #expect(setup.refusals().isEmpty)
        let push = try #require(setup.accepted().first)
        #expect(push.collapseID == "message-con_1")
        #expect(await setup.provider.fault() == nil)
        await setup.close()
    }

    @Test(arguments: ContractSubject.allCases) func aDeviceThatIsNoMoreIsGone(_ subject: ContractSubject) async throws {
        let setup = try await ContractSetup(subject)
        setup.box.next(subject.goneReply)
        let outcome = await setup.send()
        guard case .gone(_, let since) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(since == (subject == .apns ? Timestamp(milliseconds: 1_779_999_000_000) : nil))
        await setup.close()
    }

    @Test(arguments: ContractSubject.allCases) func oneRefusedPushDoesNotStopTheNext(_ subject: ContractSubject) async throws {
        let setup = try await ContractSetup(subject)
        setup.box.next(subject.refusedReply)
        let outcome = await setup.send()
        guard case .refused = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(await setup.send() == .accepted)
        await setup.close()
    }

    @Test(arguments: ContractSubject.allCases) func aProviderInTroubleIsAskedLater(_ subject: ContractSubject) async throws {
        let setup = try await ContractSetup(subject)
        for status in [429, 500, 503] {
            setup.box.next(.answer(status, headers: ["retry-after": "17"]))
            let outcome = await setup.send()
            guard case .later(_, let after) = outcome else {
                Issue.record("\(status): \(outcome)")
                continue
            }
            #expect(after == .seconds(17))
        }
        #expect(await setup.send() == .accepted)
        await setup.close()
    }

    @Test(arguments: ContractSubject.allCases) func aFaultOfTheOperatorIsToldApart(_ subject: ContractSubject) async throws {
        let setup = try await ContractSetup(subject)
        setup.box.next(subject.misconfiguredReply)
        let outcome = await setup.send()
        guard case .misconfigured = outcome else {
            Issue.record("\(outcome)")
            return
        }
        await setup.close()
    }

    @Test(arguments: ContractSubject.allCases) func anAnswerThatNeverComesEndsAtTheDeadline(_ subject: ContractSubject)
        async throws
    {
        let setup = try await ContractSetup(subject)
        #expect(await setup.send() == .accepted)
        setup.box.next(.hang)
        #expect(await setup.send(deadline: .milliseconds(200)) == .later(reason: "timeout", after: nil))
        setup.box.clear()
        #expect(await setup.send() == .accepted)
        await setup.close()
    }

    @Test(arguments: ContractSubject.allCases) func lostConnectionsAreTriedAgain(_ subject: ContractSubject) async throws {
        let setup = try await ContractSetup(subject)
        for reply in [FakeReply.reset, .close, .goAway("Shutdown")] {
            setup.box.next(reply)
            let outcome = await setup.send()
            guard case .later = outcome else {
                Issue.record("\(reply): \(outcome)")
                continue
            }
            #expect(await setup.sendUntilTaken())
        }
        await setup.close()
    }

    @Test(arguments: ContractSubject.allCases) func aRepetitionIsKnownByItsIdentifiers(_ subject: ContractSubject) async throws {
        let setup = try await ContractSetup(subject)
        let notification = setup.bench.notification(to: setup.target)
        setup.box.next(.close)
        _ = await setup.send(notification)
        #expect(await setup.sendUntilTaken(notification))
        #expect(await setup.send(notification) == .accepted)
        let taken = setup.accepted()
        #expect(Set(taken.map(\.collapseID)).count == 1)
        if subject == .apns || subject == .webhook { #expect(Set(taken.map(\.id)) == [notification.id]) }
        await setup.close()
    }

    @Test(arguments: [ContractSubject.apns, .fcm, .webpush]) func textTooLongIsCutBetweenCharacters(
        _ subject: ContractSubject
    ) async throws {
        let setup = try await ContractSetup(subject)
        let body = String(repeating: "é\u{301}👩‍👩‍👧\"\\", count: 600)
        #expect(await setup.send(setup.bench.notification(to: setup.target, body: body)) == .accepted)
        let payload = try #require(setup.accepted().first).payload
        let shown = try #require(
            payload["aps"]?["alert"]?["body"]?.string ?? payload["notification"]?["body"]?.string ?? payload["body"]?.string)
        #expect(shown.hasSuffix("…") && shown.count > 50)
        #expect(body.hasPrefix(String(shown.dropLast())))
        let data = payload["data"] ?? payload
        #expect(data["conversation_id"]?.string == "con_1")
        await setup.close()
    }

    @Test(arguments: [ContractSubject.apns, .fcm, .webpush]) func dataTooLongIsRefused(_ subject: ContractSubject) async throws {
        let setup = try await ContractSetup(subject)
        let data = [(name: "kind", value: String(repeating: "x", count: 5_000))]
        let outcome = await setup.send(setup.bench.notification(to: setup.target, data: data))
        guard case .refused = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(setup.accepted().isEmpty)
        await setup.close()
    }

    @Test(arguments: ContractSubject.allCases) func reasonsHoldNothingOfPeople(_ subject: ContractSubject) async throws {
        let setup = try await ContractSetup(subject)
        let replies = [
            subject.goneReply, subject.refusedReply, subject.misconfiguredReply, .reset, .answer(500, body: "Hello Ada"),
            .answer(418, body: "{\"reason\":\"Hello Ada\",\"error\":{\"status\":\"Hello Ada\"}}"),
        ]
        for reply in replies {
            setup.box.next(reply)
            let words = "\(await setup.send())"
            for personal in ["Hello", "Ada", "con_1", setup.target.token] { #expect(!words.contains(personal), "\(words)") }
        }
        await setup.close()
    }

    @Test(arguments: ContractSubject.allCases) func aCertificateThatNobodyVouchesForIsTheOperatorsMatter(
        _ subject: ContractSubject
    ) async throws {
        let setup = try await ContractSetup(subject)
        let bare = setup.tableWithoutRoots()
        let outcome = await bare[setup.target.service].send(
            setup.bench.notification(to: setup.target), deadline: .seconds(7_200))
        #expect(outcome == .misconfigured(reason: ProviderTrouble.certificateWords))
        await bare.shutDown()
        await setup.close()
    }

    @Test(arguments: ContractSubject.allCases) func nothingIsSentOnceItHasBeenShutDown(_ subject: ContractSubject) async throws {
        let setup = try await ContractSetup(subject)
        #expect(await setup.send() == .accepted)
        await setup.table.shutDown()
        let outcome = await setup.send()
        guard case .later = outcome else {
            Issue.record("\(outcome)")
            return
        }
        await setup.close()
    }
}
