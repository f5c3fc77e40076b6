import Foundation
import Glibc
import Logging
import Spark
import SparkBackup
import SparkServer

/// An upgrade of a copy of a data directory.
struct UpgradeTrial: Sendable {
    private static let prefix = ".spark-upgrade-"

    /// Of a server that reaches nobody.
    let configuration: LoadedConfiguration
    let people: Int
    /// The old program, as the operator named it.
    let old: String?
    /// That of the running server.
    let runningProgram: String?
    /// Where the copies go; nil for beside the data directory.
    let scratch: URL?
    /// Arguments of every verb that a program runs with.
    let settings: [String]

    /// - Throws: `BackupError`, `StorageOpenError`, `AnsweringServer.CannotAnswer`, `CancellationError`. Nothing is left then.
    func run() async throws -> UpgradeOutcome {
        let process: ServerConfiguration = configuration.section("server")
        let directory = URL(filePath: process.dataDirectory, directoryHint: .isDirectory).absoluteURL.standardizedFileURL
        let parent = scratch?.absoluteURL ?? directory.deletingLastPathComponent()
        try Self.refuse(parent, in: directory)
        // The lock of one who looks keeps a server from starting while its files are copied.
        let look = try DataDirectory(inspecting: directory.path)
        let folder: ScratchFolder
        do {
            if let loss = try look.findDatabase() {
                throw StorageOpenError(operation: "open data directory", path: directory.path, hint: loss)
            }
            folder = try ScratchFolder(in: parent, prefix: Self.prefix)
        } catch {
            look.release()
            throw BackupError.of(error, during: "make copies in \(parent.path)")
        }
        do {
            let outcome = try await run(look, in: folder.url)
            await Self.remove(folder)
            return outcome
        } catch {
            await Self.remove(folder)
            throw error
        }
    }

    private func run(_ look: DataDirectory, in folder: URL) async throws -> UpgradeOutcome {
        let (newCopy, oldCopy) = (folder.appending(path: "new"), folder.appending(path: "old"))
        let program = old ?? (look.readOnly == .server ? runningProgram : nil)
        do {
            try await copy(look, to: newCopy)
        } catch {
            look.release()
            throw error
        }
        look.release()
        if program != nil {
            try await OwnThread.run { try FileManager.default.copyItem(at: newCopy, to: oldCopy) }
        }
        let upgraded = UpgradedCopy(
            modules: sparkModules, configuration: configuration, logger: CommandLogger.make(configuration, atLeast: .error))
        let result = try await upgraded.upgrade(newCopy, people: people)
        var outcome = UpgradeOutcome(result)
        guard !result.people.isEmpty, result.report.faults.isEmpty else { return outcome }
        try Task.checkCancellation()
        let new = try await AnsweringServer.start(
            "/proc/\(getpid())/exe", on: newCopy, settings: settings, errors: folder.appending(path: "new.log"))
        var before: AnsweringServer?
        do {
            if let program {
                try await upgraded.silence(oldCopy)
                before = try await oldServer(program, on: oldCopy, folder, &outcome)
            } else {
                outcome.notes.append("no server runs and --old names no program, so only the copy was asked")
            }
            let bar = ProgressBar(total: result.people.count)
            var replay = ReadReplay(new: new, old: before)
            replay.progress = { bar.show("asking", $0) }
            outcome.replay = try await replay.run(result.people)
        } catch {
            await new.stop()
            await before?.stop()
            throw error
        }
        await new.stop()
        await before?.stop()
        return outcome
    }

    /// The old program on its copy. The program of a running server may not be readable; that of the operator must start.
    private func oldServer(
        _ program: String, on copy: URL, _ folder: URL, _ outcome: inout UpgradeOutcome
    ) async throws -> AnsweringServer? {
        do {
            return try await AnsweringServer.start(
                program, on: copy, settings: settings, errors: folder.appending(path: "old.log"))
        } catch let error as AnsweringServer.CannotAnswer where old == nil {
            outcome.notes.append("only the copy of the new version was asked, name the old program with --old: \(error)")
            return nil
        }
    }

    private func copy(_ look: DataDirectory, to target: URL) async throws {
        let backup: BackupConfiguration = configuration.section("backup")
        var copy = DirectoryCopy(of: look.url, isServed: look.readOnly == .server)
        copy.maximumLogBytes = backup.maximumLogBytes
        let bar = LazyProgressBar()
        copy.progress = { bar.show("copying", $0, of: $1) }
        try Self.refuse(target.deletingLastPathComponent(), withoutRoomFor: copy.bytes)
        try await copy.run(into: target)
    }

    /// - Throws: `BackupError` for a place in the data directory, which nothing is written to.
    private static func refuse(_ parent: URL, in directory: URL) throws {
        let (place, data) = (parent.standardizedFileURL.path, directory.path)
        guard place == data || place.hasPrefix(data + "/") else { return }
        throw BackupError.refused("\(place) is in the data directory, which is not changed; name another place with --scratch")
    }

    /// - Throws: `BackupError` unless there is room for two copies, and for one of them the copy before the upgrade and its log.
    private static func refuse(_ folder: URL, withoutRoomFor bytes: Int64) throws {
        var disk = statvfs()
        guard statvfs(folder.path, &disk) == 0 else { return }
        let free = UInt64(disk.f_bavail) * UInt64(disk.f_frsize)
        let (needed, isTooMuch) = UInt64(clamping: bytes).multipliedReportingOverflow(by: 4)
        guard isTooMuch || free < needed else { return }
        throw BackupError.refused(
            "the copies need \(needed >> 20) MiB, and \(free >> 20) MiB are free on the disk of "
                + "\(folder.deletingLastPathComponent().path); name a place on another one with --scratch")
    }

    private static func remove(_ folder: ScratchFolder) async { try? await OwnThread.run { folder.remove() } }
}

/// What a trial found.
struct UpgradeOutcome: Sendable {
    let upgrade: UpgradedCopy.Outcome
    var notes: [String]
    /// Nil if nobody was asked for.
    var replay: ReplayReport?

    init(_ upgrade: UpgradedCopy.Outcome) { (self.upgrade, self.notes) = (upgrade, upgrade.report.notes) }

    var isWell: Bool { upgrade.report.faults.isEmpty && (replay?.different ?? 0) == 0 }

    private var differences: [(key: ReplayReport.Difference, value: Int)] {
        (replay?.differences ?? [:]).sorted { ($0.key.route, $0.key.after) < ($1.key.route, $1.key.after) }
    }

    var json: JSONValue {
        let isCompared = replay?.isCompared == true
        let answered = JSONValue.integer(Int64(replay?.answered ?? 0))
        return [
            "sound": .bool(upgrade.report.faults.isEmpty), "faults": .array(upgrade.report.faults.map { .string($0) }),
            "steps": .array(upgrade.steps.map { .string($0) }), "upgrade_seconds": .number(upgrade.duration.inSeconds),
            "people": .integer(Int64(replay?.people ?? 0)), "reads": .integer(Int64(replay?.reads ?? 0)),
            "compared": .bool(isCompared), "answered": answered, "equal": isCompared ? answered : .null,
            "different": .integer(Int64(replay?.different ?? 0)),
            "differences": .array(
                differences.map { difference, count -> JSONValue in
                    [
                        "route": .string(difference.route), "old_status": difference.before.map { .integer(Int64($0)) } ?? .null,
                        "new_status": .integer(Int64(difference.after)), "count": .integer(Int64(count)),
                    ]
                }),
            "p95_ms": ["old": Self.milliseconds(replay?.oldTimes ?? []), "new": Self.milliseconds(replay?.newTimes ?? [])],
            "notes": .array(notes.map { .string($0) }),
        ]
    }

    private static func milliseconds(_ times: [Duration]) -> JSONValue {
        ReplayReport.p95(times).map { .number(($0.inSeconds * 100_000).rounded() / 100) } ?? .null
    }

    var lines: [String] {
        let steps =
            upgrade.steps.isEmpty ? "The copy needed no step" : "The copy took \(Terminal.count(upgrade.steps.count, "step"))"
        var lines = ["\(steps), in \(String(format: "%.1f", upgrade.duration.inSeconds)) s."]
        lines += upgrade.report.faults
        lines.append(
            upgrade.report.faults.isEmpty
                ? "The upgraded copy is sound." : "\(Terminal.count(upgrade.report.faults.count, "fault")).")
        if let replay {
            let new = ReplayReport.p95(replay.newTimes).map { String(format: "%.1f ms", $0.inSeconds * 1_000) } ?? "-"
            let old = ReplayReport.p95(replay.oldTimes).map { String(format: "%.1f ms", $0.inSeconds * 1_000) }
            lines += differences.map { difference, count in
                "Different: GET \(difference.route), \(difference.before.map { "status \($0) before, " } ?? "")"
                    + "status \(difference.after) now, \(count) times."
            }
            lines.append(
                replay.isCompared
                    ? "\(replay.reads) reads of \(Terminal.count(replay.people, "person", "people")): \(replay.answered) equal, "
                        + "\(replay.different) different. 95 % of the answers came within \(new), before within \(old ?? "-")."
                    : "\(replay.reads) reads of \(Terminal.count(replay.people, "person", "people")): \(replay.answered) answered, "
                        + "\(replay.different) not. 95 % of the answers came within \(new).")
        }
        return lines + notes.map { "Note: \($0)." }
    }
}
