import SparkCore
import SparkKit
import Synchronization

/// Forwards typing signals, at most one per second from one member to the other. Further ones are dropped.
final class TypingSignals: Sendable {
    private static let distance = Duration.seconds(1)
    /// The most directions that are remembered, in two generations.
    private static let capacity = 50_000

    private struct Direction: Hashable {
        let conversation: ConversationID
        let from: UserID
    }

    private struct State {
        var recent: [Direction: Timestamp] = [:]
        var older: [Direction: Timestamp] = [:]
    }

    private let companions: ConversationMembersCache
    private let stream: any EventStreaming
    private let state = Mutex(State())

    init(companions: ConversationMembersCache, stream: any EventStreaming) {
        self.companions = companions
        self.stream = stream
    }

    /// Forwards a signal. Never suspends.
    func signal(_ isOn: Bool, in conversation: ConversationID, by user: UserID, at now: Timestamp) {
        guard admit(Direction(conversation: conversation, from: user), at: now) else { return }
        if let known = companions.peek(conversation) { return pass(isOn, known, conversation, user) }
        Task { await load(isOn, conversation, user) }
    }

    /// Preloads the members of a conversation, so that its next signal is forwarded at once.
    func warm(_ conversation: ConversationID) async throws -> ConversationMembers? {
        try await companions.companions(of: conversation)
    }

    /// Loads the members for the first signal of a conversation. Best effort: the next signal follows within a second.
    private func load(_ isOn: Bool, _ conversation: ConversationID, _ user: UserID) async {
        guard let found = try? await companions.companions(of: conversation) else { return }
        pass(isOn, found, conversation, user)
    }

    private func pass(_ isOn: Bool, _ companions: ConversationMembers, _ conversation: ConversationID, _ user: UserID) {
        guard let other = companions.other(than: user), stream.isConnected(other) else { return }
        stream.notify(other, ChatServerFrames.typing(conversation, by: user, isOn: isOn))
    }

    /// A snapshot begins without signals.
    func register(in registrar: inout ModuleRegistrar) {
        registrar.fixtureState { [self] in state.withLock { $0 = State() } }
    }

    private func admit(_ direction: Direction, at now: Timestamp) -> Bool {
        state.withLock { state in
            if let last = state.recent[direction] ?? state.older[direction], now >= last,
                now - last < Self.distance
            {
                return false
            }
            if state.recent.count >= Self.capacity / 2 { (state.older, state.recent) = (state.recent, [:]) }
            state.recent[direction] = now
            return true
        }
    }
}
