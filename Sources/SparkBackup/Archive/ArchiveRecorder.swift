import Foundation
import SparkCore
import SparkFiles
import SparkStorage

/// Copies the write-ahead log of one database into the segments of a spool. All state of an archive that must agree is here; it does not
/// wait for anything but the disk. One thread at a time uses it.
///
/// A generation is an unbroken sequence of commits. It ends when commits were lost for it: when the log began anew before it was read,
/// when the spool has no room, or when another program changed the database. Then another generation begins, and states between the two
/// cannot be restored.
struct ArchiveRecorder: ~Copyable {
    /// What one step did.
    enum Step: Hashable {
        /// Everything that is committed is in the spool.
        case caughtUp
        /// Some frames were copied; there may be more.
        case read
        /// The spool has no room.
        case full
        /// There is no generation.
        case off
    }

    /// Why a generation ended.
    enum Loss: Error {
        case logBeganAnew
        case otherPageSize
        case spoolFull
        case disk(FileFault)
        case unread

        var text: String {
            switch self {
            case .logBeganAnew: "the write-ahead log began anew before it was read: another program wrote into the database"
            case .otherPageSize: "the size of the database's pages changed"
            case .spoolFull: "the store could not be reached for so long that the spool is full"
            case .disk(let fault): "the spool cannot be written: \(fault)"
            case .unread: "the write-ahead log could not be read to its end"
            }
        }
    }

    private struct Generation {
        var name: String
        var began: Int64
        /// The number of the next segment.
        var number: Int64 = 1
        /// The digest of the last closed segment.
        var previous = [UInt8](repeating: 0, count: SegmentFormat.digestBytes)
        /// The number of commits.
        var commits: Int64 = 0
        /// The time of the last commit.
        var time: Int64
        var place: LogPlace
        /// Nil until the first log was seen.
        var pageSize: Int?
    }

    let spoolLimit: Int64
    let segmentBytes: Int
    private let database: URL
    private var tail: LogTail
    private(set) var spool: ArchiveSpool
    private var generation: Generation?
    private var open: SegmentWriter?
    /// Closed segments that are not on the disk yet.
    private(set) var sealed: [SealedSegment] = []
    /// Those that are put on the disk at this moment.
    private var finishing: [SealedSegment] = []

    init(database: URL, folder: URL, spoolLimit: Int64, segmentBytes: Int = 8 << 20) {
        self.database = database
        self.spoolLimit = spoolLimit
        self.segmentBytes = segmentBytes
        self.tail = LogTail(path: database.path + "-wal")
        self.spool = ArchiveSpool(folder)
    }

    var isOn: Bool { generation != nil }

    /// The last commit that is in the spool or in the store.
    var position: ArchivePosition? {
        generation.map { ArchivePosition(generation: $0.name, commit: $0.commits, at: Timestamp(milliseconds: $0.time)) }
    }

    /// The number of frames of the present log that were read.
    var frame: UInt32 { generation.map { $0.place.isEnd ? 0 : $0.place.frame } ?? 0 }

    /// Whether part of a log was read, and its end was not.
    var hasLog: Bool { generation?.place.isEnd == false }

    var pageSize: Int { generation?.pageSize ?? 4_096 }

    /// The bytes of all segments in the spool.
    var spoolBytes: Int64 { spool.bytes + (finishing + sealed).reduce(0) { $0 + $1.bytes } + openBytes }

    /// The bytes of the segment that is not closed yet.
    var openBytes: Int64 {
        guard open != nil else { return 0 }
        return Int64(open?.bytes ?? 0)
    }

    /// The time of the oldest commit that is not in the store; nil if all are.
    var oldest: Int64? {
        if let next = spool.next { return next.name.first }
        if let next = finishing.first ?? sealed.first { return next.name.first }
        guard open != nil else { return nil }
        return open?.times?.lowerBound
    }

    // MARK: Beginning

    /// Continues the generation of the spool, if nothing that was committed since is missing. Call it before any connection to the
    /// database is opened.
    /// - Parameter isSameHistory: False if the database is not the one that the last run left.
    /// - Returns: Why it does not continue; nil if it does.
    mutating func resume(isSameHistory: Bool) throws -> String? {
        guard let found = try spool.load() else { return "it is the first" }
        var generation: Generation
        do {
            guard let read = try resume(found) else { return "the spool has no whole segment" }
            generation = read
        } catch let error as ArchiveError {
            open = nil
            return error.description
        }
        guard isSameHistory else {
            open = nil
            return "the database is not in the state that the last run left"
        }
        let rest = ArchiveRest.read(in: spool.folder)
        if let rest, rest.generation == generation.name, rest.commits == generation.commits,
            rest.database == ArchiveRest.state(of: database)
        {
            // Whatever the log has came after.
            generation.place = LogPlace(isEnd: true)
            self.generation = generation
            try write(generation.place)
            return nil
        }
        guard let pageSize = generation.pageSize, let header = try tail.header(), header.pageSize == pageSize else {
            open = nil
            return "the database changed while no archive was kept"
        }
        let isSame = try tail.contains(generation.place, pageSize: pageSize)
        guard isSame || generation.place.next == header.start.salts && generation.place.isEnd else {
            open = nil
            return "the database changed while no archive was kept"
        }
        // More may have been committed in this log since.
        if isSame { generation.place.isEnd = false }
        self.generation = generation
        return nil
    }

    /// Reads the end of the newest generation in the spool, and cuts off what is not whole.
    private mutating func resume(_ found: ArchiveSpool.Finding) throws -> Generation? {
        var result: Generation?
        if let last = found.last {
            let reader = try SegmentReader(URL(filePath: last.path), name: last.name.file)
            let summary = try reader.read()
            guard let end = summary.end, let trailer = summary.trailer else { return nil }
            result = Generation(
                name: found.generation, began: summary.header.began, number: summary.header.number + 1, previous: trailer.digest,
                commits: summary.commits, time: trailer.last, place: end, pageSize: summary.header.pageSize)
        }
        for number in found.open {
            let path = spool.folder(of: found.generation).appending(path: "\(number)\(SegmentWriter.suffix)").path
            let reader = try SegmentReader(URL(filePath: path))
            let summary = try? reader.scan()
            guard number == result?.number ?? 1, let summary,
                summary.header.previous == result?.previous ?? summary.header.previous,
                let end = summary.end
            else {
                try DurableFile.remove(path)
                continue
            }
            var next =
                result ?? Generation(name: found.generation, began: summary.header.began, time: summary.header.began, place: end)
            (next.pageSize, next.commits, next.place) = (summary.header.pageSize, summary.commits, end)
            next.time = summary.times?.upperBound ?? next.time
            next.number = number + 1
            if let trailer = summary.trailer {
                var segment = SealedSegment(
                    name: SegmentName(
                        generation: found.generation, number: number, commits: trailer.commits, first: trailer.first,
                        last: trailer.last),
                    path: path, bytes: Int64(summary.bytes), digest: trailer.digest)
                try segment.finish()
                spool.add(segment)
                next.previous = trailer.digest
            } else {
                open = try SegmentWriter(reader, summary, path: path)
            }
            result = next
        }
        return result
    }

    /// Begins a generation after everything that is committed now.
    /// - Parameters:
    ///   - name: A name that sorts after those of earlier generations.
    ///   - frames: The length of the log in frames; nil if it is not known, before the database is opened.
    /// - Returns: False if the log is about to change; then it must be tried again.
    mutating func begin(_ name: String, at time: Int64, frames: UInt32?) throws -> Bool {
        discardOpen()
        spool.removeEmpty(but: name)
        try DurableFile.makeDirectory(spool.folder(of: name).path)
        var next = Generation(name: name, began: time, time: time, place: LogPlace(isEnd: true))
        if let header = try tail.header() {
            next.pageSize = header.pageSize
            if let frames {
                guard let place = try tail.place(after: frames, of: header, isCommit: true) else { return false }
                next.place = place
            } else {
                next.place = try tail.lastCommit(after: header.start, pageSize: header.pageSize) ?? header.start
            }
            generation = next
            try write(next.place)
        } else {
            generation = next
        }
        return true
    }

    // MARK: Reading

    /// Copies the next frames.
    /// - Parameters:
    ///   - bound: The number of frames up to which the log may be read; nil for all that is committed in the file.
    ///   - slack: How many bytes the spool may be larger than its limit.
    ///   - times: The times of commits, by the number of their last frame.
    /// - Throws: `Loss` if the generation cannot continue.
    mutating func step(bound: UInt32?, slack: Int64 = 0, times: (UInt32) -> Int64) throws(Loss) -> Step {
        let (step, loss): (Step, Loss?)
        do throws(FileFault) {
            (step, loss) = try attempt(bound: bound, slack: slack, times: times)
        } catch {
            throw .disk(error)
        }
        if let loss { throw loss }
        return step
    }

    private mutating func attempt(
        bound: UInt32?, slack: Int64, times: (UInt32) -> Int64
    ) throws(FileFault) -> (Step, Loss?) {
        guard let current = generation else { return (.off, nil) }
        // Without a log, it was cut off after everything was read, or has not begun.
        guard let header = try tail.header() else { return (.caughtUp, current.place.isEnd ? nil : .logBeganAnew) }
        var place = current.place
        if header.start.salts != place.salts {
            guard place.isFollowed(by: header.start.salts) else { return (.off, .logBeganAnew) }
            guard current.pageSize ?? header.pageSize == header.pageSize else { return (.off, .otherPageSize) }
            place = header.start
            generation?.pageSize = header.pageSize
            try write(place)
            generation?.place = place
        }
        if spoolBytes - spool.storedBytes >= spoolLimit + slack { return (.full, nil) }
        let frames = try tail.frames(after: place, pageSize: header.pageSize, limit: SegmentFormat.batchFrames, bound: bound)
        guard frames.count > 0 else { return (.caughtUp, nil) }
        var ends: [Int64] = []
        for (index, pages) in frames.commits.enumerated() where pages != 0 { ends.append(times(place.frame + UInt32(index) + 1)) }
        try openSegment()
        try open?.append(frames, times: ends)
        generation?.place = frames.end
        generation?.commits += Int64(ends.count)
        if let last = ends.last { generation?.time = last }
        if let bytes = open?.bytes, bytes >= segmentBytes { try close() }
        return (.read, nil)
    }

    /// Notes that the log was read to its end, and that another one follows.
    /// - Parameter next: Its salts; nil if they are not known yet.
    mutating func endLog(next: LogSalts?) throws(FileFault) {
        guard var place = generation?.place, !place.isEnd || next != nil && next != place.next else { return }
        (place.isEnd, place.next) = (true, next ?? place.next)
        try write(place)
        generation?.place = place
    }

    // MARK: Segments

    private mutating func write(_ place: LogPlace) throws(FileFault) {
        guard generation?.pageSize != nil else { return }
        try openSegment()
        try open?.append(place)
    }

    private mutating func openSegment() throws(FileFault) {
        guard open == nil, let current = generation, let pageSize = current.pageSize else { return }
        open = try SegmentWriter(
            SegmentHeader(
                generation: current.name, number: current.number, pageSize: pageSize, commits: current.commits,
                previous: current.previous, began: current.began), in: spool.folder(of: current.name))
        generation?.number += 1
    }

    /// Closes the open segment, if it has anything.
    mutating func close() throws(FileFault) {
        guard open != nil, open?.isEmpty == false, let time = generation?.time else { return }
        guard let segment = try open?.end(after: time) else { return }
        sealed.append(segment)
        generation?.previous = segment.digest
        open = nil
    }

    /// Takes the closed segments that are not on the disk yet.
    mutating func takeSealed() -> [SealedSegment] {
        (finishing, sealed) = (sealed, [])
        return finishing
    }

    /// Adds segments that are on the disk.
    mutating func add(_ segments: [SealedSegment]) {
        finishing = []
        for segment in segments { spool.add(segment) }
    }

    /// Notes that a segment is in the store.
    mutating func stored(_ name: SegmentName) { spool.stored(name) }

    // MARK: Ending

    /// Ends the generation: commits were lost for it. Its closed segments stay, because they are whole.
    mutating func giveUp() {
        generation = nil
        finishing = []
        discardOpen()
    }

    private mutating func discardOpen() {
        guard open != nil else { return }
        // Best effort: the next start removes it.
        if let path = open?.path { try? DurableFile.remove(path, isLasting: false) }
        open = nil
    }

    /// Records the state of the database after it was closed in order.
    mutating func rest() throws {
        guard let current = generation, current.place.isEnd, try tail.header() == nil, let state = ArchiveRest.state(of: database)
        else {
            return
        }
        try ArchiveRest(generation: current.name, commits: current.commits, database: state).write(in: spool.folder)
    }
}
