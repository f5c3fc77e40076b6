import SparkStorage

/// A place in SQLite's write-ahead log: after a frame of a log. A log is one pass over the file, from the writing of its header on; each
/// has its own salts.
struct LogPlace: Hashable, Sendable {
    /// The salts of the log; zero if the log has not begun yet.
    var salts = LogSalts(first: 0, second: 0)
    /// The number of frames before this place.
    var frame: UInt32 = 0
    /// The checksum of everything in the log up to here.
    var sums = LogSalts(first: 0, second: 0)
    var isBigEndian = false
    /// Everything of the log was read, and the next log follows without a gap.
    var isEnd = false
    /// The salts of the next log; zero if they are not known yet.
    var next = LogSalts(first: 0, second: 0)

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for number in [salts.first, salts.second, frame, sums.first, sums.second, next.first, next.second] {
            bytes.append(number: number)
        }
        bytes.append(number: UInt32(isBigEndian ? 1 : 0) | (isEnd ? 2 : 0))
        return bytes
    }
}

extension LogPlace {
    init?(_ cursor: inout ByteCursor) {
        guard let salt1 = cursor.number(UInt32.self), let salt2 = cursor.number(UInt32.self),
            let frame = cursor.number(UInt32.self),
            let sum1 = cursor.number(UInt32.self), let sum2 = cursor.number(UInt32.self), let next1 = cursor.number(UInt32.self),
            let next2 = cursor.number(UInt32.self), let flags = cursor.number(UInt32.self)
        else { return nil }
        self.init(
            salts: LogSalts(first: salt1, second: salt2), frame: frame, sums: LogSalts(first: sum1, second: sum2),
            isBigEndian: flags & 1 != 0, isEnd: flags & 2 != 0,
            next: LogSalts(first: next1, second: next2))
    }

    /// Whether a log with these salts is the next one: SQLite announces them before it overwrites the last one. After an orderly end, and
    /// before the first log, any log is.
    func isFollowed(by salts: LogSalts) -> Bool { isEnd && (self.salts.isZero && next.isZero || next == salts) }
}

extension LogSalts {
    var isZero: Bool { first == 0 && second == 0 }
}
