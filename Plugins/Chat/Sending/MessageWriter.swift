import SparkCore
import SparkKit
import SparkStorage
import Synchronization

/// Stores messages: in one transaction a row, the conversation's new end, and one event for each member. Every check precedes the
/// first row, so a refused message needs no rollback.
final class MessageWriter: Sendable {
    private let stream: any EventStreaming
    private let identifiers: IdentifierGenerator
    private let policies: Contributions<any MessagePolicy>
    private let liveness: any SessionLiveness
    private let metrics: ChatMetrics
    private let quota: MessageQuota
    /// The last identifier given to a message. Search relies on identifiers that rise within a conversation, so they rise even if
    /// the clock goes back.
    private let lastID = Mutex<Int64?>(nil)

    init(
        stream: any EventStreaming, identifiers: IdentifierGenerator, policies: Contributions<any MessagePolicy>,
        liveness: any SessionLiveness, metrics: ChatMetrics, quota: MessageQuota
    ) {
        self.stream = stream
        self.identifiers = identifiers
        self.policies = policies
        self.liveness = liveness
        self.metrics = metrics
        self.quota = quota
    }

    /// Stores or refuses each message of a batch in order, and delivers the outcomes after the commit.
    func write(_ batch: [PendingSend], in transaction: WriteTransaction) throws {
        let policies = policies.all
        var tally = quota.tally()
        var outcomes: [(PendingSend, SendOutcome)] = []
        outcomes.reserveCapacity(batch.count)
        for pending in batch {
            let outcome = try decide(pending, policies, &tally, in: transaction)
            if case .stored(let message, let other, _) = outcome {
                transaction.publish(
                    MessageSent(
                        message: message.id, conversation: message.conversation, seq: message.seq, from: message.from, to: other))
            }
            outcomes.append((pending, outcome))
        }
        tally.keep(after: transaction)
        // After the events: a client that receives a message must read the new state.
        transaction.afterCommit { [self, outcomes] in tell(outcomes) }
    }

    /// Tells the senders that nothing was stored and that they may try again.
    func refuse(_ batch: [PendingSend], _ error: any ClientError) {
        tell(batch.map { ($0, .refused(error)) })
    }

    private func tell(_ outcomes: [(PendingSend, SendOutcome)]) {
        var deliveries: [StreamDelivery] = []
        deliveries.reserveCapacity(outcomes.count * 3)
        var answers: [() -> Void] = []
        for (pending, outcome) in outcomes {
            let result: Result<SendReceipt, any Error>
            var events: [StreamDelivery] = []
            switch outcome {
            case .stored(let message, _, let stored):
                result = .success(message.receipt)
                events = stored
            case .duplicate(let receipt): result = .success(receipt)
            case .refused(let error): result = .failure(error)
            }
            switch pending.reply {
            case .connection(let connection):
                deliveries.append(.reply(connection, frame: Self.answer(to: pending.clientID, result)))
            case .call(let answer): answers.append { answer(result) }
            }
            deliveries += events
        }
        stream.deliver(deliveries)
        for answer in answers { answer() }
        let now = ContinuousClock.now
        for case (let pending, .stored(let message, _, _)) in outcomes {
            metrics.sent(message.content, in: now - pending.receivedAt)
        }
    }

    private static func answer(to clientID: String, _ result: Result<SendReceipt, any Error>) -> [UInt8] {
        switch result {
        case .success(let receipt): ChatServerFrames.ack(receipt, clientID: clientID)
        case .failure(let error): Frame.nack(clientID: clientID, error as? any ClientError ?? ChatError.busy)
        }
    }

    /// Makes the counts of a day part of snapshots. The next identifier is read from the store again.
    func register(in registrar: inout ModuleRegistrar) {
        quota.register(in: &registrar)
        registrar.fixtureState { [self] in lastID.withLock { $0 = nil } }
    }

    // MARK: In the transaction

    private func decide(
        _ pending: PendingSend, _ policies: [any MessagePolicy], _ tally: inout MessageQuota.Tally,
        in transaction: WriteTransaction
    ) throws -> SendOutcome {
        let session = transaction.session
        if let principal = pending.principal, try !liveness.isLive(principal, in: transaction) {
            return .refused(EdgeError.unauthenticated)
        }
        if let known = try MessageRows.known(pending, in: session) { return known }
        guard let (conversation, other) = try ConversationRows.findLive(pending.conversation, of: pending.sender, in: session)
        else { return .refused(ChatError.gone) }
        if !pending.isReviewed {
            // A released message was counted when it was held.
            if let refusal = try tally.refusal(to: pending.sender, bytes: pending.text.utf8.count, in: transaction) {
                return .refused(refusal)
            }
            let draft = MessageDraft(
                conversation: conversation.id, from: pending.sender, to: other, content: pending.content, text: pending.text,
                isOpening: conversation.openedBy == nil)
            for policy in policies {
                switch try policy.judge(draft, at: transaction.now, in: transaction) {
                case .allow: continue
                case .deny(let error): return .refused(error)
                case .hold:
                    try tally.count(pending.sender, bytes: pending.text.utf8.count, in: transaction)
                    try MessageRows.hold(pending, id: identifiers.next(), at: transaction.now, in: session)
                    metrics.held()
                    return .refused(ChatError.held)
                }
            }
        }
        if !pending.isReviewed { try tally.count(pending.sender, bytes: pending.text.utf8.count, in: transaction) }
        return try store(pending, in: conversation, to: other, transaction)
    }

    private func store(
        _ pending: PendingSend, in conversation: Conversation, to other: UserID, _ transaction: WriteTransaction
    ) throws -> SendOutcome {
        let (session, now) = (transaction.session, transaction.now)
        let message = Message(
            id: try nextID(in: session), conversation: conversation.id, seq: conversation.lastSeq + 1, from: pending.sender,
            clientID: pending.clientID, content: pending.content, text: pending.text, sentAt: now)
        if try MessageRows.isFirstReply(message, in: conversation, session) {
            transaction.afterCommit { [metrics] in metrics.firstReplied() }
        }
        try MessageRows.insert(message, in: session)
        try ConversationRows.extend(conversation, by: message, in: session)
        let (event, members) = ChatEvents.message(message)
        let events = [
            try stream.record(event, members: members, for: message.from, at: now, in: session),
            try stream.record(event, members: members, for: other, at: now, in: session),
        ]
        return .stored(message, to: other, events: events)
    }

    private func nextID(in session: SQLSession) throws -> MessageID {
        try lastID.withLock { last in
            let floor = try last ?? MessageRows.highestID(in: session)
            let next: MessageID = identifiers.next()
            let id = max(next.rawValue, floor + 1)
            last = id
            return MessageID(rawValue: id)
        }
    }
}

extension Message {
    var receipt: SendReceipt {
        SendReceipt(id: id, conversation: conversation, seq: seq, sentAt: sentAt, isDuplicate: false)
    }
}
