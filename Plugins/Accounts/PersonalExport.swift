import Metrics
import SparkCore
import SparkKit

/// The export of one person: read page by page in short transactions, each page when the one before has been taken, so that
/// neither the memory nor the write-ahead log grows with what is stored.
///
/// The person's session must stay open to the end; when it does not, the export breaks off.
actor PersonalExport {
    private static let pageBytes = 256 * 1_024
    private static let longestRest = Duration.milliseconds(100)

    /// The session ended before the export did.
    struct BrokenOff: Error {}

    private enum Stage { case beginning, within(ExportPosition), end }

    /// The next part of what is stored, and where the one after it begins.
    typealias Read = @Sendable (ExportPosition, _ maximumBytes: Int) async throws -> (bytes: [UInt8], next: ExportPosition)?

    private let exportedAt: Timestamp
    private let isOpen: @Sendable () throws -> Bool
    private let read: Read
    private let metrics: AccountsMetrics
    private let permit: AdmissionPermit?
    private var stage = Stage.beginning
    /// How long the last page took to read.
    private var effort = Duration.zero

    /// - Parameters:
    ///   - permit: given back when the export ends, however it does; nil for one that is not counted.
    ///   - isOpen: whether the session goes on; asked before every page.
    init(
        at now: Timestamp, metrics: AccountsMetrics, permit: AdmissionPermit?, isOpen: @escaping @Sendable () throws -> Bool,
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

    /// The next part of one JSON object; nil after the last.
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
        // Two thirds of the time are left to others.
        try await Task.sleep(for: min(effort * 2, Self.longestRest))
        guard try isOpen() else { throw BrokenOff() }
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
