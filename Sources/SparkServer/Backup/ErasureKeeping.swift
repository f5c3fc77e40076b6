import Foundation
import Logging
import SparkBackup
import SparkCore
import SparkKit
import Synchronization

/// Keeps the list of erased people apart from the backups: in the data directory before an erasure is committed, and in the place of the
/// backups within a minute.
///
/// An erasure whose commit fails is in the list too early. That does no harm: it has begun, and nothing brings the person back.
final class ErasureKeeping: Sendable {
    /// How often new entries go to the place of the backups.
    private static let interval = Duration.seconds(20)

    private struct State {
        /// In the file, but not in the place of the backups.
        var unsent: [Erasure] = []
        var hasSentAll = false
        /// Why the last attempt to send failed, in the words of the log; empty if it did not.
        var fault = ""
    }

    private let directory: URL
    private let file: ErasureFile
    private let place: BackupPlace?
    private let clock: any WallClock
    private let logger: Logger
    private let isKept: Bool
    private let state = Mutex(State())

    /// - Parameters:
    ///   - place: where the backups go; nil for none.
    ///   - isKept: false for a server whose data is removed at the end.
    init(_ directory: DataDirectory, place: BackupPlace?, clock: any WallClock, logger: Logger, isKept: Bool) {
        (self.place, self.clock, self.logger, self.isKept) = (place, clock, logger, isKept)
        self.directory = directory.url
        self.file = ErasureFile(in: directory.url)
    }

    /// Notes the identifier of an erased person, in the transaction that erases the last row. Waits for the disk, as the commit does.
    var hook: EventHook {
        EventHook(
            module: "backup", AccountErased.self,
            .inTransaction { [self] event, _ in
                guard isKept, let event = event as? AccountErased else { return }
                // The clock may be behind: nobody was erased before the backups that have the person.
                let erasure = Erasure(user: event.user, at: BackupRecord(in: directory).time(at: clock.now()))
                try file.append([erasure])
                state.withLock { $0.unsent.append(erasure) }
            })
    }

    /// Sends what is new every 20 seconds.
    var work: TimedWork {
        .upkeep("server.erasures", every: Self.interval) { if self.isKept { await self.send() } }
    }

    /// Sends what is new to the place of the backups: everything once, then what was added.
    func send() async {
        guard let place else { return }
        let (unsent, hasSentAll) = state.withLock { ($0.unsent, $0.hasSentAll) }
        guard !hasSentAll || !unsent.isEmpty else { return }
        do {
            let directory = directory
            let lists = try await OwnThread.run { BackupRecord(in: directory).lists.count }
            if hasSentAll, lists < BackupPlace.mostLists { try await place.send(unsent) } else { try await place.sendErasures() }
            state.withLock { state in
                state.unsent.removeFirst(min(unsent.count, state.unsent.count))
                state.hasSentAll = true
                state.fault = ""
            }
        } catch {
            guard !Task.isCancelled else { return }
            let isNew = state.withLock { state in
                defer { state.fault = "\(error)" }
                return state.fault != "\(error)"
            }
            guard isNew else { return }
            logger.warning("the list of erased people could not be stored with the backups", metadata: ["error": "\(error)"])
        }
    }

    /// Lets the next round send everything as one list. Called after backups expired.
    func sendAllAgain() { state.withLock { $0.hasSentAll = false } }

    /// Forgets people who can be in no backup any more.
    /// - Parameters:
    ///   - oldest: the time of the oldest backup; nil if there is none.
    ///   - age: how long backups are kept.
    func forget(before oldest: Timestamp?, age: Duration) async {
        let (now, directory) = (clock.now(), directory)
        do {
            let count = try await OwnThread.run {
                // A backup may have been made some time after its name.
                try SentErasures(in: directory).keep { erasure in
                    erasure.at + age + .days(1) > now || oldest.map { erasure.at + .days(1) >= $0 } ?? false
                }
            }
            guard count > 0 else { return }
            sendAllAgain()
            logger.info("erased people who are in no backup left the list", metadata: ["count": .stringConvertible(count)])
        } catch {
            logger.warning("the list of erased people could not be shortened", metadata: ["error": "\(error)"])
        }
    }
}
