import Foundation
import Glibc
import Logging
import SparkCore
import SparkFiles
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkServer

@Suite("What a data directory remembers")
struct DirectoryTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        try await withDataDirectory { path in
            let url = URL(filePath: path, directoryHint: .isDirectory)
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            try await body(url)
        }
    }

    @Test("a directory that was released can be opened at once, even if a child process still has a copy of the descriptor")
    func releasedBesideCopy() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "spark-lock-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = try DataDirectory(path: path)
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
        let lock = try #require(
            descriptors.first {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?.hasSuffix(
                    "\(path.split(separator: "/").last ?? "")/lock") == true
            })
        let copy = dup(lock)
        defer { close(copy) }
        first.release()
        let second = try DataDirectory(path: path)
        second.release()
    }

    @Test("marks are read as they were written, also in their old form, and recognize a copy of themselves")
    func marks() async throws {
        try await withFolder { folder in
            #expect(try DirectoryMarks.read(in: folder) == nil)
            var marks = DirectoryMarks()
            marks.known = ["", "17"]
            marks.database = FileIdentity(device: 1, inode: 2, born: 3)
            marks.rest = .init(commits: 4, modified: 5, bytes: 6)
            marks.needsNewEpoch = true
            try marks.write(in: folder)
            var read = try #require(try DirectoryMarks.read(in: folder))
            let path = folder.appending(path: DirectoryMarks.name).path
            #expect(read.own == FileStatus(path: path)?.identity)
            read.own = nil
            #expect(read == marks)
            let old = DirectoryMarks("12\n13\n")
            #expect(old.isOld)
            #expect(old.known == ["12", "13"])
            for text in ["", "spark-marks 2\nmark\n\ndatabase x\ncommits y\n", "\u{0}"] { _ = DirectoryMarks(text) }
        }
    }

    @Test("the count of commits is read as it was written, and a copy written over it is recognized")
    func commitLog() async throws {
        try await withFolder { folder in
            #expect(CommitLog.read(in: folder) == nil)
            let log = try CommitLog(in: folder, commits: 7)
            log.note(8)
            #expect(CommitLog.read(in: folder) == .init(commits: 8, isOriginal: true))
            let path = folder.appending(path: CommitLog.name).path
            var times = [timespec(tv_sec: 1_000, tv_nsec: 0), timespec(tv_sec: 1_000, tv_nsec: 0)]
            #expect(utimensat(AT_FDCWD, path, &times, 0) == 0)
            #expect(CommitLog.read(in: folder) == .init(commits: 8, isOriginal: false))
            try Data("no count at all, and no count at all ...".utf8).write(to: URL(filePath: path))
            #expect(CommitLog.read(in: folder) == nil)
        }
    }

    @Test("temporary directories whose process is gone are removed; locked ones, young ones and other folders are not")
    func leftovers() async throws {
        try await withFolder { parent in
            // Above every process id of Linux.
            let gone = Int32.max
            func make(_ name: String) throws -> URL {
                let url = parent.appending(path: name, directoryHint: .isDirectory)
                try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
                try Data().write(to: url.appending(path: "lock"))
                return url
            }
            let left = try make("spark-\(gone)-1")
            let locked = try make("spark-\(gone)-2")
            let young = try make("spark-\(getpid())-3")
            let others = [try make("spark-bench-4"), try make("spark-\(gone)-5x"), try make("other-\(gone)-6")]
            let unlocked = parent.appending(path: "spark-\(gone)-7", directoryHint: .isDirectory)
            try FileManager.default.createDirectory(at: unlocked, withIntermediateDirectories: true)
            let descriptor = open(locked.appending(path: "lock").path, O_RDWR)
            #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
            defer { close(descriptor) }
            #expect(TemporaryLeftovers.sweep(parent) == 1)
            #expect(!FileManager.default.fileExists(atPath: left.path))
            for url in [locked, young, unlocked] + others {
                #expect(FileManager.default.fileExists(atPath: url.path), "\(url.path)")
            }
        }
    }

    @Test("a folder that others use stays open to them; Spark's files in it do not")
    func sharedFolder() async throws {
        try await withFolder { folder in
            for name in ["spark.db", "holiday.jpg"] {
                let path = folder.appending(path: name).path
                try Data([1]).write(to: URL(filePath: path))
                #expect(chmod(path, 0o644) == 0)
            }
            #expect(chmod(folder.path, 0o755) == 0)
            DirectoryModes.tighten(folder, logger: logger)
            func mode(_ path: String) throws -> Int? {
                (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
            }
            #expect(try mode(folder.appending(path: "spark.db").path) == 0o600)
            #expect(try mode(folder.appending(path: "holiday.jpg").path) == 0o644)
            #expect(try mode(folder.path) == 0o755)
            try FileManager.default.removeItem(at: folder.appending(path: "holiday.jpg"))
            DirectoryModes.tighten(folder, logger: logger)
            #expect(try mode(folder.path) == 0o700)
        }
    }

    @Test("copies made before migrations are removed at their age, backups are not")
    func oldCopies() async throws {
        try await withFolder { folder in
            let directory = try DataDirectory(path: folder.path)
            defer { directory.release() }
            try FileManager.default.createDirectory(at: directory.backups, withIntermediateDirectories: true)
            let names = ["before-chat.007_x.db", "before-chat.008_y.db", "daily.db"]
            for name in names { try Data([1]).write(to: directory.backups.appending(path: name)) }
            let now = Timestamp(milliseconds: FileStatus.kernelTime / 1_000_000)
            var times = [timespec(), timespec()]
            for index in times.indices { times[index].tv_sec = Int(now.milliseconds / 1_000) - 31 * 86_400 }
            for name in [names[0], names[2]] {
                #expect(utimensat(AT_FDCWD, directory.backups.appending(path: name).path, &times, 0) == 0)
            }
            let keeping = CopyKeeping(directory: directory, age: .hours(24 * 30), clock: ManualClock(now), logger: logger)
            keeping.sweep(isOwner: true)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.backups.path).sorted() == Array(names[1...]))
        }
    }
}

@Suite("A disk that failed")
struct StorageWatchTests {
    @Test("ends the server after a while, with what failed")
    func ends() async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: StorageFailure.self)
        let watch = StorageWatch(failures: stream, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, grace: .zero)
        continuation.yield(StorageFailure(code: 1_034, systemError: EIO, path: "/data/spark.db"))
        let failure = await #expect(throws: StorageFailure.self) { try await watch.run() }
        #expect(failure?.description.contains("SQLITE_IOERR_FSYNC") == true)
        #expect(failure?.description.contains("Input/output error (EIO)") == true)
    }
}
