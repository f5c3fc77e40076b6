import Metrics
import SparkCore
import SparkKit

/// Streams the export of one person. Each page is read in a short transaction after the previous page was consumed, so that
/// neither memory nor the write-ahead log grows with the amount of data.
///
/// The export breaks off when the person's session ends.
actor PersonalExport {
    private static let pageBytes = 256 * 1_024
    private static let longestRest = Duration.milliseconds(100)

    /// The session ended before the export did.
    struct BrokenOff: Error {}

    private enum Stage { case beginning, within(ExportPosition), end }

    /// Reads the next part and returns the position after it.
    typealias Read = @Sendable (ExportPosition, _ maximumBytes: Int) async throws -> (bytes: [UInt8], next: ExportPosition)?

    private let exportedAt: Timestamp
    private let isOpen: @Sendable () async throws -> Bool
    private let read: Read
    private let metrics: AccountsMetrics
    private let permit: AdmissionPermit?
    private var stage = Stage.beginning
    /// How long the last page took to read.
    private var effort = Duration.zero

    /// - Parameters:
    ///   - permit: returned when the export ends in any way; nil for an export that is not counted.
    ///   - isOpen: whether the session is still open; called before every page.
    init(
        at now: Timestamp, metrics: AccountsMetrics, permit: AdmissionPermit?,
        isOpen: @escaping @Sendable () async throws -> Bool,
        read: @escaping Read
    ) {
        self.exportedAt = now
        self.isOpen = isOpen
        self.read = read
        self.metrics = metrics
        self.permit = permit
    }

    deinit {
        if case .end = stage { return metrics.exportsWhole.increment() }
        metrics.exportsBroken.increment()
    }

    /// The next part of the JSON object; nil after the last.
    func next() async throws -> [UInt8]? {
        switch stage {
        case .beginning:
            stage = .within(ExportPosition())
            return Array(#"{"exported_at":"\#(exportedAt)""#.utf8)
        case .within(let position):
            do {
                return try await part(at: position)
            } catch {
                permit?.end()
                throw error
            }
        case .end: return nil
        }
    }

    private func part(at position: ExportPosition) async throws -> [UInt8] {
        // Leaves two thirds of the time to other work.
        try await Task.sleep(for: min(effort * 2, Self.longestRest))
        guard try await isOpen() else { throw BrokenOff() }
        let begin = ContinuousClock.now
        let piece = try await read(position, Self.pageBytes)
        effort = ContinuousClock.now - begin
        guard let piece else {
            stage = .end
            permit?.end()
            return Array("}".utf8)
        }
        stage = .within(piece.next)
        return piece.bytes
    }
}
