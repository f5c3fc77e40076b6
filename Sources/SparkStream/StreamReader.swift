import SparkCore
import SparkKit
import SparkStorage

/// Reads users' numbered events from the store and renders them as frames.
struct StreamReader: Sendable {
    struct Page: Sendable {
        let frames: [(offset: Int64, frame: [UInt8])]
    }

    /// The most events per page.
    private static let pageLength = 200
    /// The size at which a page ends: half of the backlog of a slow reader.
    private static let pageBytes = SendBacklog.maximumBytes / 2

    let storage: any Storage
    let frames: FrameTable

    func bounds(of user: UserID) async throws -> UserEventBounds {
        try await storage.pointRead { try UserEventLog.bounds(of: user, in: $0) }
    }

    /// The next events, up to the page's count and bytes; at least one if there is one.
    func page(of user: UserID, after offset: Int64, limit: Int = pageLength) async throws -> Page {
        try await storage.pointRead { session in
            var frames: [(offset: Int64, frame: [UInt8])] = []
            var bytes = 0
            for row in try UserEventLog.rows(of: user, after: offset, limit: limit, in: session) {
                let frame = try frame(row, for: user, in: session)
                bytes += frame.count
                guard frames.isEmpty || bytes <= Self.pageBytes else { break }
                frames.append((row.offset, frame))
            }
            return Page(frames: frames)
        }
    }

    private func frame(_ row: LoggedUserEvent, for user: UserID, in session: SQLSession) throws -> [UInt8] {
        var members = row.event.members
        if members.isEmpty, let render = frames.render(row.event.type) {
            members = try render(row.event, user, session) ?? Self.gone
        }
        return Frame.numbered(row.event.type, offset: row.offset, members: members)
    }

    /// The content of a deleted event. The event keeps its offset.
    private static let gone = Array(#""gone":true"#.utf8)
}
