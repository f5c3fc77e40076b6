import Foundation
public import Logging
public import SparkCore

/// Writes each log event as one line of text or one JSON object.
public struct LineLogHandler: LogHandler {
    /// The format of a line.
    public enum Format: String, Sendable {
        /// `2026-03-01T12:00:00.000Z info spark: message key=value`.
        case text
        /// `{"time":…,"level":…,"message":…,"key":…}`.
        case json
    }

    /// The least severe level that is logged.
    public var logLevel = Logger.Level.info
    /// Metadata that every line includes.
    public var metadata: Logger.Metadata = [:]
    /// A source of further metadata.
    public var metadataProvider: Logger.MetadataProvider?
    private let format: Format
    private let output: LogOutput
    private let isBuffered: Bool
    private let clock: any WallClock

    /// - Parameter isBuffered: whether a separate thread writes the lines, in which case excess lines are dropped and counted;
    ///   otherwise each line is written before the call returns.
    public init(
        format: Format, output: LogOutput, isBuffered: Bool = false, clock: any WallClock = SystemWallClock()
    ) {
        self.format = format
        self.output = output
        self.isBuffered = isBuffered
        self.clock = clock
    }

    /// The value of one metadata key.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one event.
    public func log(event: LogEvent) {
        let members = Self.members(of: event, metadata, metadataProvider)
        let bytes: [UInt8]
        switch format {
        case .text: bytes = text(event, members)
        case .json: bytes = json(event, members)
        }
        if isBuffered { output.buffer(bytes) } else { output.write(bytes) }
    }

    /// The metadata of an event, its own before that of its logger, sorted by key.
    static func members(
        of event: LogEvent, _ metadata: Logger.Metadata, _ provider: Logger.MetadataProvider?
    ) -> [(key: String, value: Logger.Metadata.Value)] {
        var all = provider?.get() ?? [:]
        all.merge(metadata) { $1 }
        if let own = event.metadata { all.merge(own) { $1 } }
        return all.sorted { $0.key < $1.key }
    }

    /// The message and the metadata on one line: `message key=value`.
    static func sentence(_ event: LogEvent, _ members: [(key: String, value: Logger.Metadata.Value)]) -> String {
        members.reduce(onOneLine(event.message.description)) { "\($0) \($1.key)=\(quoted(text($1.value)))" }
    }

    private func text(_ event: LogEvent, _ members: [(key: String, value: Logger.Metadata.Value)]) -> [UInt8] {
        Array("\(clock.now()) \(event.level.rawValue) spark: \(Self.sentence(event, members))\n".utf8)
    }

    private func json(_ event: LogEvent, _ members: [(key: String, value: Logger.Metadata.Value)]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("time", "\(clock.now())")
            writer.field("level", event.level.rawValue)
            writer.field("message", event.message.description)
            for (key, value) in members where !["time", "level", "message"].contains(key) {
                writer.field(key, Self.json(value))
            }
        }
        return writer.bytes + [0x0A]
    }

    /// Numbers and booleans keep their type, so that programs can compare them; everything else becomes text.
    private static func json(_ value: Logger.Metadata.Value) -> JSONValue {
        guard case .stringConvertible(let value) = value else { return .string(text(value)) }
        switch value {
        case let flag as Bool: return .bool(flag)
        case let number as any BinaryInteger:
            return Int64(exactly: number).map { .integer($0) } ?? .string(value.description)
        case let number as any BinaryFloatingPoint:
            let double = Double(number)
            return double.isFinite ? .number(double) : .string(value.description)
        default: return .string(value.description)
        }
    }

    /// Escapes line breaks, so that an event never spans two lines.
    private static func onOneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isBreaking) else { return text }
        return text.unicodeScalars.map { isBreaking($0) ? "\\u{\(String($0.value, radix: 16))}" : String($0) }.joined()
    }

    private static func isBreaking(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }

    private static func quoted(_ text: String) -> String {
        let line = onOneLine(text)
        guard line.isEmpty || line.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" }) else { return line }
        return "\"\(line.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }

    static func text(_ value: Logger.Metadata.Value) -> String {
        switch value {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .array(let values): "[\(values.map { Self.text($0) }.joined(separator: ", "))]"
        case .dictionary(let members):
            "{\(members.sorted { $0.key < $1.key }.map { "\($0.key): \(Self.text($0.value))" }.joined(separator: ", "))}"
        }
    }
}
