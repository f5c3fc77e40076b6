import NIOCore
import Testing

@testable import SparkWebSocket

@Suite("UTF-8 in pieces")
struct UTF8CheckTests {
    private func isText(_ pieces: [ArraySlice<UInt8>]) -> Bool {
        var check = UTF8Check()
        return pieces.allSatisfy { check.accepts(ByteBuffer(bytes: $0)) } && check.isComplete
    }

    private func isText(_ bytes: [UInt8]) -> Bool { isText([bytes[...]]) }

    @Test("characters from all over Unicode pass, whole and byte by byte")
    func characters() {
        let edges: [UInt32] = [0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF]
        let scalars = (edges + stride(from: 0, through: 0x10FFFF, by: 61)).compactMap { Unicode.Scalar($0) }
        var failed = 0
        for scalar in scalars {
            let bytes = Array(String(Character(scalar)).utf8)
            if !isText(bytes) || !isText(bytes.map { [$0][...] }) { failed += 1 }
        }
        #expect(failed == 0)
    }

    @Test("it agrees with the standard library on every sequence of two bytes, and on three and four of those at the edges")
    func sequences() {
        let edges: [UInt8] = [
            0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
            0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFE, 0xFF,
        ]
        var different: [[UInt8]] = []
        func compare(_ bytes: [UInt8]) {
            if isText(bytes) != (String(validating: bytes, as: UTF8.self) != nil) { different.append(bytes) }
        }
        for first in UInt8.min...UInt8.max { for second in UInt8.min...UInt8.max { compare([first, second]) } }
        for first in edges {
            for second in edges {
                for third in edges {
                    compare([first, second, third])
                    for fourth: UInt8 in [0x41, 0x7F, 0x80, 0xBF, 0xC2] where first >= 0xF0 {
                        compare([first, second, third, fourth])
                    }
                }
            }
        }
        #expect(different.isEmpty)
    }

    @Test("it makes no difference how text is split, also among long runs of ASCII")
    func pieces() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            var bytes: [UInt8] = []
            while bytes.count < 60 {
                switch UInt8.random(in: 0..<4, using: &random) {
                case 0: bytes += Array(repeating: 0x61, count: Int.random(in: 1...20, using: &random))
                case 1: bytes += Array("é€😀".utf8)
                case 2: bytes += Array("\u{10FFFF}".utf8)
                default: if Int.random(in: 0..<8, using: &random) == 0 { bytes.append(.random(in: 0...255, using: &random)) }
                }
            }
            let cuts = [0, Int.random(in: 0...bytes.count), Int.random(in: 0...bytes.count), bytes.count].sorted()
            let split = zip(cuts, cuts.dropFirst()).map { bytes[$0..<$1] }
            #expect(isText(split) == (String(validating: bytes, as: UTF8.self) != nil), "\(bytes) \(cuts)")
        }
    }
}
