import SparkCore
import Synchronization

/// The database behind the replay: it knows the version of every entry and makes its value.
final class DatingOrigin: Sendable {
    static let begin = Timestamp(milliseconds: 1_770_000_000_000)

    private struct State {
        var versions: [UInt32]
        var serial: UInt32 = 1
        var loads = 0
        var bytesGiven = 0
    }

    private let trace: DatingTrace
    private let texts = SampleTexts()
    private let state: Mutex<State>

    init(_ trace: DatingTrace) {
        self.trace = trace
        self.state = Mutex(State(versions: [UInt32](repeating: 0, count: trace.objectCount)))
    }

    /// The number of the next value.
    var serial: UInt32 { state.withLock { $0.serial } }
    var loads: Int { state.withLock { $0.loads } }
    /// Raw bytes of all values that were made.
    var bytesGiven: Int { state.withLock { $0.bytesGiven } }

    func version(_ key: Int) -> UInt32 { state.withLock { $0.versions[key] } }
    func change(_ key: Int) { state.withLock { $0.versions[key] &+= 1 } }

    func load(_ key: Int) -> [UInt8] {
        state.withLock { $0.loads += 1 }
        return make(key)
    }

    /// The value as a write leaves it.
    func write(_ key: Int) -> [UInt8] { make(key) }

    private func make(_ key: Int) -> [UInt8] {
        let bytes = trace.size(of: key)
        let (version, serial) = state.withLock { state in
            state.bytesGiven += bytes
            defer { state.serial += 1 }
            return (state.versions[key], state.serial)
        }
        return texts.value(key, version: version, serial: serial, bytes: bytes)
    }

    static func head(of value: [UInt8]) -> (key: UInt32, version: UInt32, serial: UInt32)? { SampleTexts.head(of: value) }
}
