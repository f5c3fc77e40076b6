import SparkClient
import SparkCore
import SparkTestSupport
import Synchronization

/// Where the server is; it changes with each start.
final class ServerAddress: Sendable {
    private let url = Mutex<String?>(nil)
    var current: String? { url.withLock { $0 } }
    func set(_ new: String?) { url.withLock { $0 = new } }
}

/// A device as an app's author would write it by the protocol: it keeps what it has yet to send until that is acknowledged, resends
/// the oldest first, remembers the last offset it has shown, and comes back whenever it is cut off.
actor ChatDevice {
    let token: String
    private let address: ServerAddress
    private let conversation: String
    private let name: String
    private var epoch: String?
    private(set) var offset: Int64 = 0
    /// The shown messages: each by its place, as often as it was shown.
    private(set) var shown: [Int64: Int] = [:]
    private(set) var acknowledged: [String: Int64] = [:]
    private(set) var faults: [String] = []
    private var outbox: [String]
    private var inFlight: Set<String> = []
    private let onAcknowledgement: @Sendable () -> Void
    private var random: SplitMix64
    private(set) var connections = 0
    private var connection: StreamClient?
    private(set) var unread: JSONValue = .null
    private var isStopped = false

    /// Messages that may be under way at once.
    private static let window = 8

    init(
        name: String, token: String, address: ServerAddress, conversation: String, messages: Int, seed: UInt64,
        onAcknowledgement: @escaping @Sendable () -> Void
    ) {
        self.name = name
        self.token = token
        self.address = address
        self.conversation = conversation
        self.outbox = (0..<messages).map { "\(name)-\($0)" }
        self.random = SplitMix64(seed: seed)
        self.onAcknowledgement = onAcknowledgement
    }

    var isDone: Bool { outbox.isEmpty }

    /// Stays connected until it must stop.
    func run() async {
        while !isStopped, !Task.isCancelled {
            guard let url = address.current,
                let stream = try? await StreamClient.connect(to: SparkClient(patient: url), token: token)
            else {
                try? await Task.sleep(for: .milliseconds(20))
                continue
            }
            connections += 1
            connection = stream
            inFlight = []
            var hello: [JSONMember] = [
                JSONMember("type", "hello"), JSONMember("v", 1), JSONMember("offset", .integer(offset)),
            ]
            if let epoch { hello.append(JSONMember("epoch", .string(epoch))) }
            stream.send(.object(hello))
            // Ends when the connection does.
            while let frame = try? await stream.next() { heard(frame, on: stream) }
            connection = nil
        }
    }

    func stop() {
        isStopped = true
        connection?.close()
    }

    func askUnread() {
        unread = .null
        connection?.send(["type": "unread"])
    }

    private func heard(_ frame: JSONValue, on stream: StreamClient) {
        if let number = frame["offset"]?.integer, !["welcome", "live"].contains(frame["type"]?.string) {
            guard number > offset else { return faults.append("\(name): offset \(number) came again after \(offset)") }
            if number != offset + 1 { faults.append("\(name): offset \(number) came after \(offset)") }
            offset = number
        }
        switch frame["type"]?.string {
        case "welcome":
            if let epoch, epoch != frame["epoch"]?.string { faults.append("\(name): another epoch") }
            epoch = frame["epoch"]?.string
        case "resync": faults.append("\(name): resync")
        case "live": send(on: stream)
        case "ack":
            guard let id = frame["client_id"]?.string, let seq = frame["seq"]?.integer else { return }
            if let before = acknowledged[id], before != seq {
                faults.append("\(name): \(id) acknowledged as \(before) and \(seq)")
            }
            if acknowledged[id] == nil { onAcknowledgement() }
            acknowledged[id] = seq
            outbox.removeAll { $0 == id }
            inFlight.remove(id)
            send(on: stream)
        case "nack":
            guard frame["temporary"]?.bool == true, let id = frame["client_id"]?.string else {
                return faults.append("\(name): refused for good: \(frame["code"]?.string ?? "")")
            }
            inFlight.remove(id)
            send(on: stream)
        case "message":
            guard let seq = frame["seq"]?.integer else { return }
            shown[seq, default: 0] += 1
            if Int.random(in: 0..<4, using: &random) == 0 {
                stream.send([
                    "type": "message.read", "conversation": .string(conversation), "seq": .integer(max(1, seq - 2)),
                ])
            }
        case "unread": if frame["total"] != nil { unread = frame }
        // Read marks beyond the limit of a connection per second: the next one covers them.
        case "error" where frame["temporary"]?.bool == true: break
        case "error": faults.append("\(name): \(frame["code"]?.string ?? "?")")
        default: break
        }
    }

    /// The oldest first; what is under way is resent only on a new connection.
    private func send(on stream: StreamClient) {
        for id in outbox where inFlight.count < Self.window && !inFlight.contains(id) {
            inFlight.insert(id)
            stream.send([
                "type": "message.send", "client_id": .string(id), "conversation": .string(conversation), "kind": "text",
                "text": .string("This is \(id)."),
            ])
        }
    }
}
