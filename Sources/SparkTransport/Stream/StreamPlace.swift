import SparkKit

/// The place of one socket, event stream or poll among all that admission lets in. Free again from `end` on, at the latest when nobody
/// holds it any more.
final class StreamPlace: Sendable {
    /// Counts up: an older connection has a lower one.
    let number: UInt64
    private let permit: AdmissionPermit

    init(number: UInt64, _ permit: AdmissionPermit) {
        self.number = number
        self.permit = permit
    }

    /// A second time does nothing.
    func end() { permit.end() }
}
