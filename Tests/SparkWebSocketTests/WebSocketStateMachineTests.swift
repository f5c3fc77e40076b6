import NIOCore
import NIOWebSocket
import Testing

@testable import SparkWebSocket

@Suite("What a client's frames mean")
struct WebSocketStateMachineTests {
    typealias Machine = WebSocketStateMachine

    /// The actions that frames cause, one after another.
    private func actions(_ frames: [ClientFrame], maximum: Int = 1_024) -> [Machine.Action] {
        var machine = Machine(maximumMessageBytes: maximum)
        return frames.map { machine.received($0.frame) }
    }

    @Test("whole messages are delivered unmasked")
    func whole() {
        #expect(actions([.text("hé"), .text("")]) == [.deliverText(ByteBuffer(string: "hé")), .deliverText(ByteBuffer())])
        #expect(actions([.binary([0xFF, 0])]) == [.deliverBinary(ByteBuffer(bytes: [0xFF, 0]))])
    }

    @Test("fragments make one message, also with control frames between them")
    func fragments() {
        let found = actions([
            .text("a", isFinal: false), ClientFrame(opcode: 9, payload: [7]), .more([]), .more(Array("b".utf8)),
            ClientFrame(opcode: 10), .more(Array("c".utf8), isFinal: true), .binary([1], isFinal: false),
            .more([2], isFinal: true),
        ])
        #expect(
            found == [
                .nothing, .answer(ByteBuffer(bytes: [7])), .nothing, .nothing, .noteLife,
                .deliverText(ByteBuffer(string: "abc")), .nothing, .deliverBinary(ByteBuffer(bytes: [1, 2])),
            ])
    }

    @Test("fragments may split a character, the end may not")
    func cutCharacters() {
        let euro: [UInt8] = [0xE2, 0x82, 0xAC]
        let cut = { (end: [UInt8]) in
            [ClientFrame(opcode: 1, payload: [euro[0]], isFinal: false), .more([euro[1]]), .more(end, isFinal: true)]
        }
        #expect(actions(cut([euro[2]])).last == .deliverText(ByteBuffer(string: "€")))
        #expect(actions(cut([])).last == .fail(.notUTF8))
        #expect(actions(cut([0x41])).last == .fail(.notUTF8))
        #expect(actions([ClientFrame(opcode: 1, payload: [0xE2, 0x82])]) == [.fail(.notUTF8)])
    }

    @Test("text that is not UTF-8 fails in the fragment that shows it, not at the end")
    func earlyFault() {
        #expect(actions([ClientFrame(opcode: 1, payload: [0x61, 0xFF], isFinal: false)]) == [.fail(.notUTF8)])
        #expect(actions([.text("a", isFinal: false), .more([0xED, 0xA0])]) == [.nothing, .fail(.notUTF8)])
    }

    @Test(
        "what the protocol forbids fails with 1002",
        arguments: [
            [ClientFrame(opcode: 1, isMasked: false)], [ClientFrame(opcode: 9, isMasked: false)],
            [ClientFrame(opcode: 1, reserved: 4)], [ClientFrame(opcode: 1, reserved: 2)], [ClientFrame(opcode: 9, reserved: 1)],
            [ClientFrame(opcode: 3)], [ClientFrame(opcode: 7)], [ClientFrame(opcode: 11)], [ClientFrame(opcode: 15)],
            [ClientFrame(opcode: 9, payload: Array(repeating: 0, count: 126))], [ClientFrame(opcode: 10, isFinal: false)],
            [ClientFrame(opcode: 8, isFinal: false)],
            [.more([1])], [.more([1], isFinal: true)],
            [.text("a", isFinal: false), .text("b")], [.text("a", isFinal: false), .binary([1])],
            [.text("a"), .more([1], isFinal: true)], [ClientFrame(opcode: 8, payload: [3])],
        ])
    func forbidden(_ frames: [ClientFrame]) {
        #expect(actions(frames).last == .fail(.protocolFault))
    }

    @Test("close frames are confirmed with the same code; forbidden codes and reasons that are not UTF-8 fail")
    func closing() {
        let legal: [UInt16] = [1_000, 1_001, 1_002, 1_003, 1_007, 1_008, 1_011, 1_012, 1_013, 1_014, 3_000, 3_999, 4_000, 4_999]
        for code in legal {
            let payload = ByteBuffer(integer: code)
            #expect(actions([.close(code, Array("bye".utf8))]) == [.confirmClose(payload)], "\(code)")
        }
        #expect(actions([ClientFrame(opcode: 8)]) == [.confirmClose(ByteBuffer())])
        for code: UInt16 in [0, 999, 1_004, 1_005, 1_006, 1_015, 1_016, 1_100, 2_000, 2_999, 5_000, 65_535] {
            #expect(actions([.close(code)]) == [.fail(.protocolFault)], "\(code)")
        }
        #expect(actions([.close(1_000, [0xC3])]) == [.fail(.notUTF8)])
    }

    @Test("messages and frames that are too long fail with 1009, by their sum and in the fragment that exceeds it")
    func tooLarge() {
        let full = [UInt8](repeating: 1, count: 1_024)
        #expect(actions([.binary(full)]) == [.deliverBinary(ByteBuffer(bytes: full))])
        #expect(actions([.binary(full + [1])]) == [.fail(.tooLarge)])
        #expect(actions([.binary(full, isFinal: false), .more([]), .more([1])]) == [.nothing, .nothing, .fail(.tooLarge)])
        var machine = Machine(maximumMessageBytes: 1_024)
        same(machine.decodingFailed(NIOWebSocketError.invalidFrameLength), .fail(.tooLarge))
        var other = Machine(maximumMessageBytes: 1_024)
        same(other.decodingFailed(NIOWebSocketError.fragmentedControlFrame), .fail(.protocolFault))
    }

    @Test("endless fragments fail with 1008, empty ones too; each message has its own count")
    func tooMany() {
        #expect(Machine(maximumMessageBytes: 65_536).maximumFragments == 1_024)
        var machine = Machine(maximumMessageBytes: 2_048)
        for _ in 0..<3 {
            same(machine.received(ClientFrame.binary([], isFinal: false).frame), .nothing)
            for _ in 0..<30 { same(machine.received(ClientFrame.more([]).frame), .nothing) }
            same(machine.received(ClientFrame.more([], isFinal: true).frame), .deliverBinary(ByteBuffer()))
        }
        same(machine.received(ClientFrame.binary([], isFinal: false).frame), .nothing)
        for _ in 0..<31 { same(machine.received(ClientFrame.more([]).frame), .nothing) }
        same(machine.received(ClientFrame.more([]).frame), .fail(.tooManyFragments))
    }

    @Test("nothing counts after a fault or a close frame, and nothing leaves")
    func over() {
        for last in [ClientFrame.close(1_000), ClientFrame(opcode: 3)] {
            var machine = Machine(maximumMessageBytes: 1_024)
            _ = machine.received(last.frame)
            #expect(!machine.mayWrite)
            same(machine.received(ClientFrame.text("a").frame), .nothing)
            same(machine.received(ClientFrame(opcode: 9).frame), .nothing)
            same(machine.received(ClientFrame.close(1_000).frame), .nothing)
            same(machine.decodingFailed(NIOWebSocketError.invalidFrameLength), .nothing)
            same(machine.beginClosing(), false)
        }
    }

    @Test("once the server closes, only the peer's close frame counts, and ends it")
    func serverCloses() {
        var machine = Machine(maximumMessageBytes: 1_024)
        _ = machine.received(ClientFrame.text("a", isFinal: false).frame)
        same(machine.beginClosing(), true)
        same(machine.beginClosing(), false)
        #expect(!machine.mayWrite)
        same(machine.received(ClientFrame.text("a").frame), .nothing)
        same(machine.received(ClientFrame(opcode: 9).frame), .nothing)
        same(machine.received(ClientFrame(opcode: 3).frame), .nothing)
        same(machine.received(ClientFrame.close(1_000).frame), .hangUp)
        same(machine.received(ClientFrame.close(1_000).frame), .nothing)
        var torn = Machine(maximumMessageBytes: 1_024)
        _ = torn.beginClosing()
        same(torn.decodingFailed(NIOWebSocketError.invalidFrameLength), .hangUp)
    }
}
