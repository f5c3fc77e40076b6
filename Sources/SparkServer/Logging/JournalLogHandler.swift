public import Logging

/// Sends each log event to systemd's journal: the message with its metadata as text, and each value of the metadata as a field.
public struct JournalLogHandler: LogHandler {
    /// The least severe level that is logged.
    public var logLevel = Logger.Level.info
    /// Metadata that every entry includes.
    public var metadata: Logger.Metadata = [:]
    /// A source of further metadata.
    public var metadataProvider: Logger.MetadataProvider?
    private let output: JournalOutput
    private let isBuffered: Bool

    /// - Parameter isBuffered: whether a separate thread sends the entries in any case; otherwise that happens only when the journal
    ///   does not take an entry at once.
    public init(output: JournalOutput, isBuffered: Bool = false) {
        self.output = output
        self.isBuffered = isBuffered
    }

    /// The value of one metadata key.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Sends one event.
    public func log(event: LogEvent) {
        let members = LineLogHandler.members(of: event, metadata, metadataProvider)
        output.send(
            JournalEntry(
                level: event.level, message: LineLogHandler.sentence(event, members),
                fields: members.map { ($0.key, LineLogHandler.text($0.value)) }),
            isBuffered: isBuffered)
    }
}
