import SparkCore
import SparkKit
import SparkStorage

/// Reads users' numbered events from the store, as the frames that devices are sent.
struct StreamReader: Sendable {
    struct Page: Sendable {
        let frames: [(offset: Int64, frame: [UInt8])]
    }

    /// Events read at once.
    static let pageLength = 200
    /// Half of what may wait for a slow reader.
    static let pageBytes = SendBacklog.maximumBytes / 2

    let storage: Storage
    let frames: FrameTable

    func bounds(of user: UserID) throws -> InboxBounds {
        try storage.pointRead { try Inbox.bounds(of: user, in: $0) }
    }

    /// The next events, as many as fit a page's length and bytes; at least one if there is one.
    func page(of user: UserID, after offset: Int64, limit: Int = pageLength) throws -> Page {
        try storage.pointRead { reader in
            var frames: [(offset: Int64, frame: [UInt8])] = []
            var bytes = 0
            for row in try Inbox.rows(of: user, after: offset, limit: limit, in: reader) {
                let frame = try frame(row, for: user, in: reader)
                bytes += frame.count
                guard frames.isEmpty || bytes <= Self.pageBytes else { break }
                frames.append((row.offset, frame))
            }
            return Page(frames: frames)
        }
    }

    private func frame(_ row: InboxRow, for user: UserID, in reader: PointReader) throws -> [UInt8] {
        var members = row.event.members
        if members.isEmpty, let render = frames.render(row.event.type) {
            members = try render(row.event, user, reader) ?? Self.gone
        }
        return Frame.numbered(row.event.type, offset: row.offset, members: members)
    }

    /// Of what is no more, the number stays.
    private static let gone = Array(#""gone":true"#.utf8)
}
