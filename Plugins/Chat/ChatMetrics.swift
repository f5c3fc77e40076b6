import Metrics
import SparkCore
import SparkKit

/// The metrics of Chat.
struct ChatMetrics: Sendable {
    static let declarations = [
        MetricDeclaration(
            sentName, .counter, labels: ["kind"], help: "Messages stored, by kind; repeated ones are not counted."),
        MetricDeclaration(
            deliveryName, .histogram,
            help: "Time from receiving a message until it is handed to the connections after its commit, in seconds."),
        MetricDeclaration(
            repliesName, .counter, help: "Conversations in which the recipient answered for the first time."),
        MetricDeclaration(heldName, .counter, help: "Messages held by a policy."),
        MetricDeclaration(scannedName, .counter, help: "Messages that searches read."),
    ]

    private static let sentName = "spark_messages_sent_total"
    private static let deliveryName = "spark_message_delivery_duration_seconds"
    private static let repliesName = "spark_first_replies_total"
    private static let heldName = "spark_messages_held_total"
    private static let scannedName = "spark_message_search_scanned_total"

    private let sent: [Counter]
    private let delivery = Metrics.Timer(label: deliveryName)
    private let firstReplies = Counter(label: repliesName)
    private let heldCount = Counter(label: heldName)
    private let scanned = Counter(label: scannedName)

    init() {
        sent = MessageContent.allCases.map { Counter(label: Self.sentName, dimensions: [("kind", $0.wire)]) }
    }

    func sent(_ content: MessageContent, in duration: Duration) {
        let index = Int(content.rawValue)
        if sent.indices.contains(index) { sent[index].increment() }
        delivery.record(duration: duration)
    }

    func firstReplied() { firstReplies.increment() }

    func held() { heldCount.increment() }

    func searched(_ messages: Int) { scanned.increment(by: messages) }
}
