import Synchronization

/// Carries what a replay found out of a closure that runs once.
final class ReplayResult: Sendable {
    private let state = Mutex<(position: ArchivePosition?, undone: LogEntry?)>((nil, nil))

    var position: ArchivePosition? { state.withLock { $0.position } }
    var undone: LogEntry? { state.withLock { $0.undone } }

    func set(_ position: ArchivePosition) { state.withLock { $0.position = position } }

    func set(undone entry: LogEntry) { state.withLock { $0.undone = entry } }
}
