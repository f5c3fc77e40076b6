import DequeModule
import Dispatch
public import Foundation
public import Logging
public import SparkCore
import SparkFiles
public import SparkStorage
import Synchronization

/// The continuous archive of a database: each commit reaches a store within about a second, so that any state can be restored.
///
/// A thread of its own reads the write-ahead log from the page cache, and writes committed frames compressed into segments in the spool.
/// `run` stores the segments in order. A writer waits for the archive only before the log begins anew, for the frames that came after
/// the checkpoint that made this possible.
///
/// A failing archive never stops the writer. While the store cannot be reached the spool grows to its limit, and then the log by at most
/// a quarter of that; then the generation is given up, and another one begins when the store answers again.
public final class LogArchive: LogObserver {
    /// Bounds of an archive.
    public struct Settings: Sendable {
        /// The longest time from a commit to the end of its segment.
        public var interval: Duration = .milliseconds(750)
        /// The most bytes in the spool.
        public var spoolBytes: Int64 = 1 << 30

        /// The default bounds.
        public init() {}
    }

    /// What the writer's thread tells; its lock is never held for long.
    private struct Live {
        /// The last frame of each commit that was not read yet, and when it was committed.
        var times: Deque<(frame: UInt32, time: Int64)> = []
        /// The length of the log.
        var frames: UInt32 = 0
        var isScheduled = false
        var isClosed = false
        /// The time for commits that were made before this run.
        var earlier: Int64?
    }

    private struct Counts {
        var status = ArchiveStatus()
        /// The generation ended while the store could not be reached; the next one begins when it can.
        var waitsForStore = false
        /// The spool had no room for all that is in the log.
        var isFull = false
        /// The store may have lost segments: it was not looked at since the start, since a failure, or for a while.
        var isDoubtful = true
    }

    /// The most commits whose times are kept apart while the archive is behind.
    private static let mostTimes = 1 << 18
    /// How many bytes over its limit the spool may get while the writer waits.
    private var slack: Int64 { settings.spoolBytes / 16 }

    private let settings: Settings
    private let clock: any WallClock
    private let logger: Logger
    private let thread = DispatchQueue(label: "spark.archive", qos: .utility)
    private let recorder: Mutex<ArchiveRecorder>
    private let live = Mutex(Live())
    private let counts = Mutex(Counts())
    /// Signals that there is something to store.
    let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - database: The database file.
    ///   - folder: The folder of the spool.
    public init(database: URL, folder: URL, settings: Settings, clock: any WallClock, logger: Logger) {
        self.settings = settings
        self.clock = clock
        self.logger = logger
        self.recorder = Mutex(ArchiveRecorder(database: database, folder: folder, spoolLimit: settings.spoolBytes))
        (self.signals, self.signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: Beginning and end

    /// Continues the last generation, or begins one, and copies what an unclean end left in the log. Call it before the database is
    /// opened: opening may begin the log anew. Blocks.
    /// - Parameters:
    ///   - isSameHistory: False if the database is not the one that the last run left.
    ///   - mayBegin: False for a process that only continues a generation.
    /// - Returns: False if a generation would have to begin, and may not: then nothing is archived. Other failures are logged, and the
    ///   archive stays off until the store answers.
    @discardableResult
    public func open(isSameHistory: Bool, logWritten: Timestamp?, mayBegin: Bool = true) -> Bool {
        live.withLock { $0.earlier = logWritten?.milliseconds }
        do {
            if let reason = try recorder.withLock({ try $0.resume(isSameHistory: isSameHistory) }) {
                guard mayBegin else { return false }
                try begin(because: reason)
            }
            while try step(bound: nil) == .read {}
        } catch {
            guard mayBegin else { return false }
            giveUp(Self.text(error))
        }
        live.withLock { $0.earlier = nil }
        finishSealed()
        return true
    }

    private func begin(because reason: String) throws {
        let time = clock.now()
        let name = Self.name(at: time)
        let frames = live.withLock { $0.frames }
        guard try recorder.withLock({ try $0.begin(name, at: time.milliseconds, frames: frames > 0 ? frames : nil) }) else {
            return
        }
        counts.withLock { counts in
            counts.status.generations += 1
            counts.waitsForStore = false
            counts.status.fault = nil
        }
        logger.notice(
            "the archive begins a generation, which needs a backup of its own",
            metadata: ["generation": .string(name), "reason": .string(reason)])
    }

    private static func name(at time: Timestamp) -> String {
        let digits = time.description.prefix(19).replacing("-", with: "").replacing(":", with: "")
        let suffix = String(UInt32.random(in: 0 ... .max), radix: 16)
        return "\(digits)Z-\(String(repeating: "0", count: 8 - suffix.count))\(suffix)"
    }

    /// Closes the last segment, and records how the database was left. Call it after the database was closed in order.
    public func close() async {
        live.withLock { $0.isClosed = true }
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            thread.async {
                self.settle()
                do {
                    try self.recorder.withLock { try $0.rest() }
                } catch {
                    self.logger.warning(
                        "the archive's end could not be noted, so it begins anew", metadata: ["error": "\(error)"])
                }
                continuation.resume()
            }
        }
        signal.finish()
    }

    /// Copies everything that is committed now. Blocks its own thread, not the caller's.
    /// - Returns: The position after it; nil if there is no generation.
    public func catchUp() async -> ArchivePosition? {
        await withCheckedContinuation { continuation in
            thread.async {
                self.settle()
                continuation.resume(returning: self.position)
            }
        }
    }

    /// The last commit that was read; nil if there is no generation.
    public var position: ArchivePosition? { recorder.withLock { $0.position } }

    // MARK: The log

    public func committed(frames: Int) {
        let frames = UInt32(clamping: frames)
        let time = clock.now().milliseconds
        let mustSchedule = live.withLock { live in
            // A shorter log is another one, and the commits of the last one were read before it began.
            if let last = live.times.last, last.frame >= frames { live.times.removeAll(keepingCapacity: true) }
            if live.times.count < Self.mostTimes {
                live.times.append((frames, time))
            } else {
                live.times[live.times.count - 1] = (frames, time)
            }
            live.frames = frames
            guard !live.isScheduled, !live.isClosed else { return false }
            live.isScheduled = true
            return true
        }
        if mustSchedule { schedule() }
    }

    public func mayCheckpoint() -> Bool {
        do {
            while true {
                switch try step(bound: nil) {
                case .read: continue
                case .caughtUp, .off: return true
                case .full:
                    counts.withLock { $0.isFull = true }
                    guard isTooFarBehind() else { return false }
                    throw ArchiveRecorder.Loss.spoolFull
                }
            }
        } catch {
            return failed(error)
        }
    }

    /// Whether the log has grown too much while it waited for the archive.
    private func isTooFarBehind() -> Bool {
        let (read, size) = recorder.withLock { ($0.frame, $0.pageSize) }
        let waiting = live.withLock { live in
            // One large transaction is waited for, however large it is.
            Int64(live.frames) - Int64(live.times.first { $0.frame > read }?.frame ?? read)
        }
        return waiting * Int64(size + LogTail.frameHeaderBytes) > settings.spoolBytes / 4
    }

    public func logEnds(next: LogSalts?) {
        do {
            loop: while true {
                switch try step(bound: nil, slack: slack) {
                case .read: continue
                case .off: return
                case .caughtUp: break loop
                case .full: throw ArchiveRecorder.Loss.spoolFull
                }
            }
            let frames = live.withLock { $0.frames }
            try recorder.withLock { recorder in
                if recorder.hasLog, recorder.frame < frames { throw ArchiveRecorder.Loss.unread }
                try recorder.endLog(next: next)
            }
            live.withLock { live in
                live.times.removeAll(keepingCapacity: true)
                live.frames = 0
            }
        } catch {
            giveUp(Self.text(error))
        }
    }

    /// Copies the next frames. The lock is held for one batch at a time, so that a writer who waits for it waits for one batch.
    private func step(bound: UInt32?, slack: Int64 = 0) throws(ArchiveRecorder.Loss) -> ArchiveRecorder.Step {
        let result = recorder.withLock { recorder in
            Result { () throws(ArchiveRecorder.Loss) in
                try recorder.step(bound: bound, slack: slack) { self.time(of: $0) }
            }
        }
        return try result.get()
    }

    /// When the commit whose last frame is `frame` was made.
    private func time(of frame: UInt32) -> Int64 {
        let known: Int64? = live.withLock { live in
            let index = live.times.firstIndex { $0.frame >= frame } ?? live.times.count
            let time = index < live.times.count ? live.times[index].time : nil
            // The entry itself stays until the next commit is read: commits that were not noted apart share it.
            live.times.removeFirst(index)
            return time ?? live.earlier
        }
        return known ?? clock.now().milliseconds
    }

    // MARK: Rounds

    private func schedule() {
        thread.asyncAfter(deadline: .now() + settings.interval.inSeconds) {
            self.live.withLock { $0.isScheduled = false }
            self.settle()
        }
    }

    /// Copies what is committed, and closes the segment.
    private func settle() {
        do {
            loop: while true {
                switch try step(bound: bound) {
                case .read: continue
                case .caughtUp, .off: break loop
                case .full:
                    counts.withLock { $0.isFull = true }
                    note(fault: ArchiveRecorder.Loss.spoolFull.text)
                    break loop
                }
            }
            let result = recorder.withLock { recorder in Result { () throws(FileFault) in try recorder.close() } }
            do throws(FileFault) { try result.get() } catch { throw ArchiveRecorder.Loss.disk(error) }
        } catch {
            _ = failed(error)
        }
        finishSealed()
    }

    /// The frames that were reported; nil before the first report.
    private var bound: UInt32? {
        live.withLock { $0.frames > 0 ? $0.frames : nil }
    }

    /// Puts the closed segments on the disk, without the lock: a writer does not wait for it.
    private func finishSealed() {
        var segments = recorder.withLock { $0.takeSealed() }
        guard !segments.isEmpty else { return }
        do throws(FileFault) {
            for index in segments.indices { try segments[index].finish() }
        } catch {
            return giveUp(ArchiveRecorder.Loss.disk(error).text)
        }
        let done = segments
        recorder.withLock { $0.add(done) }
        signal.yield()
    }

    /// Notes a failed step.
    /// - Returns: Whether the log may change nevertheless, because the generation was given up.
    private func failed(_ error: any Error) -> Bool {
        guard case .disk? = error as? ArchiveRecorder.Loss else {
            giveUp(Self.text(error))
            return true
        }
        note(fault: Self.text(error))
        guard isTooFarBehind() else { return false }
        giveUp(Self.text(error))
        return true
    }

    private func note(fault: String) {
        let isNew = counts.withLock { counts in
            counts.status.failures += 1
            defer { counts.status.fault = fault }
            return counts.status.fault != fault
        }
        if isNew { logger.warning("the archive is behind", metadata: ["reason": .string(fault)]) }
    }

    private func giveUp(_ reason: String) {
        let name = recorder.withLock { recorder in
            defer { recorder.giveUp() }
            return recorder.position?.generation
        }
        counts.withLock { counts in
            counts.status.losses += name == nil ? 0 : 1
            counts.status.failures += 1
            counts.status.fault = reason
            counts.waitsForStore = true
        }
        live.withLock { $0.times.removeAll() }
        logger.error(
            "the archive gave its generation up: later states can be restored only from the next backup on",
            metadata: ["generation": .string(name ?? "none"), "reason": .string(reason)])
        signal.yield()
    }

    private static func text(_ error: any Error) -> String { (error as? ArchiveRecorder.Loss)?.text ?? "\(error)" }
}

/// For the task that stores segments.
extension LogArchive {
    /// The oldest segment that is not in the store.
    var nextSegment: SealedSegment? { recorder.withLock { $0.spool.next } }

    /// The newest segment of the generation that is in the store; nil if this process stored none of it.
    var lastStored: SegmentName? {
        recorder.withLock { recorder in recorder.position.flatMap { recorder.spool.lastStored(of: $0.generation) } }
    }

    /// Gives the generation up, because the store has lost a segment of it.
    func lost(_ segment: Int64, of generation: String) {
        guard position?.generation == generation else { return }
        giveUp("segment \(segment) of the archive is missing in its place")
    }

    /// Whether a generation must begin once the store answers.
    var waitsForStore: Bool { counts.withLock { $0.waitsForStore } }

    /// Begins a generation after one was given up, because the store answers again. Blocks its own thread.
    func beginAgain() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            thread.async {
                do {
                    if self.waitsForStore { try self.begin(because: "the last one was given up") }
                } catch {
                    self.note(fault: Self.text(error))
                }
                continuation.resume()
            }
        }
    }

    /// Notes that a segment is in the store.
    func stored(_ name: SegmentName) {
        counts.withLock { counts in
            counts.status.storedSegments += 1
            if !counts.waitsForStore { counts.status.fault = nil }
        }
        recorder.withLock { $0.stored(name) }
        // The spool has room again for what waits in the log.
        let wasFull = counts.withLock { counts in
            defer { counts.isFull = false }
            return counts.isFull
        }
        if wasFull { thread.async { self.settle() } }
    }

    /// Notes a failed attempt to store a segment.
    func storeFailed(_ error: any Error) {
        doubt()
        note(fault: "a segment cannot be stored: \(error)")
    }

    /// Notes that the store may have lost segments.
    func doubt() { counts.withLock { $0.isDoubtful = true } }

    /// Whether it must be looked whether the store has lost segments; then the caller does.
    func takeDoubt() -> Bool {
        guard lastStored != nil else { return false }
        return counts.withLock { counts in
            defer { counts.isDoubtful = false }
            return counts.isDoubtful
        }
    }

    /// Notes a failed attempt to make the backup that a generation needs.
    func baseFailed(_ error: any Error) { note(fault: "the backup that the archive needs cannot be made: \(error)") }

    /// What merges small segments in the store.
    func compactor(of store: any BackupStore) -> ArchiveCompactor {
        let folder = recorder.withLock { $0.spool.folder }
        return ArchiveCompactor(
            store: store, scratch: folder.appending(path: ArchiveCompactor.folder, directoryHint: .isDirectory))
    }

    /// The time now.
    var now: Timestamp { clock.now() }

    /// Notes that segments could not be merged. They stay as they are, and the next round tries again.
    func mergeFailed(_ error: any Error) {
        logger.warning("segments of the archive could not be merged", metadata: ["error": "\(error)"])
    }

    /// The state now.
    public var status: ArchiveStatus {
        var status = counts.withLock { $0.status }
        let (position, oldest, bytes, stored, read, size) = recorder.withLock { recorder in
            (
                recorder.position, recorder.oldest, recorder.spoolBytes, recorder.spool.storedBytes, recorder.frame,
                recorder.pageSize
            )
        }
        let (first, frames) = live.withLock { ($0.times.first { $0.frame > read }?.time, $0.frames) }
        status.position = position
        status.generation = position?.generation
        status.spoolBytes = bytes
        if let since = oldest ?? first { status.lag = .milliseconds(max(0, clock.now().milliseconds - since)) }
        let unread = position == nil ? 0 : Int64(frames > read ? frames - read : 0)
        status.lagBytes = bytes - stored + unread * Int64(size + LogTail.frameHeaderBytes)
        return status
    }
}
