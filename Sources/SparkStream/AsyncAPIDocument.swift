package import SparkCore
import SparkHTTP
import SparkKit

/// The AsyncAPI 3.0 document of the stream, generated from the registered frames only.
package struct AsyncAPIDocument: Sendable {
    private let frames: FrameTable
    private let version: String

    /// - Parameters:
    ///   - frames: every frame of the stream.
    ///   - version: the value of `info.version`.
    package init(frames: FrameTable, version: String) {
        self.frames = frames
        self.version = version
    }

    /// The document as JSON.
    package var json: JSONValue {
        [
            "asyncapi": "3.0.0",
            "info": [
                "title": "Spark stream", "version": .string(version),
                "description": "One JSON object per text frame, named by its type; subprotocol spark.v1.",
            ],
            "defaultContentType": "application/json",
            "channels": [
                "stream": [
                    "address": .string(StreamGateway.path),
                    "description": "A token in Authorization, or a ticket in the query that opens one WebSocket.",
                    "messages": .object(
                        (frames.clientFrames.map { clientKey($0.type) } + frames.serverFrames.map { serverKey($0.type) }).map {
                            JSONMember($0, ["$ref": .string("#/components/messages/\($0)")])
                        }),
                    "bindings": ["ws": ["method": "GET", "bindingVersion": "0.1.0"]],
                ]
            ],
            "operations": .object(
                frames.clientFrames.map { operation($0) } + [
                    JSONMember(
                        "send",
                        [
                            "action": "send", "channel": channel,
                            "messages": .array(frames.serverFrames.map { reference(serverKey($0.type)) }),
                        ])
                ]),
            "components": [
                "messages": .object(messages.map(\.member)), "schemas": messages.map(\.schema).components,
            ],
        ]
    }

    private let channel: JSONValue = ["$ref": "#/channels/stream"]

    // A frame type used in both directions (auth, typing, unread, history) becomes two messages.
    private func clientKey(_ type: String) -> String { "client.\(type)" }
    private func serverKey(_ type: String) -> String { "server.\(type)" }
    private func reference(_ key: String) -> JSONValue { ["$ref": .string("#/channels/stream/messages/\(key)")] }

    private func operation(_ frame: ClientFrame) -> JSONMember {
        var members: [JSONMember] = [
            JSONMember("action", "receive"), JSONMember("channel", channel), JSONMember("summary", .string(frame.summary)),
            JSONMember("messages", [reference(clientKey(frame.type))]),
        ]
        let answers = frame.answers.filter { type in frames.serverFrames.contains { $0.type == type } }
        if !answers.isEmpty {
            members.append(
                JSONMember(
                    "reply", ["channel": channel, "messages": .array(answers.map { reference(serverKey($0)) })]))
        }
        return JSONMember("receive.\(frame.type)", .object(members))
    }

    private var messages: [Message] { frames.clientFrames.map(message) + frames.serverFrames.map(message) }

    private func message(_ frame: ClientFrame) -> Message {
        Message(key: clientKey(frame.type), type: frame.type, summary: frame.summary, schema: frame.schema)
    }

    private func message(_ frame: ServerFrame) -> Message {
        Message(key: serverKey(frame.type), type: frame.type, summary: frame.summary, schema: frame.schema)
    }
}

/// A frame as the document describes it.
private struct Message {
    let key: String
    let type: String
    let summary: String
    let schema: SchemaReference

    var member: JSONMember {
        JSONMember(
            key,
            [
                "name": .string(type), "summary": .string(summary), "contentType": "application/json",
                "payload": schema.schema.named(schema.name).json, "examples": [["payload": schema.schema.example]],
            ])
    }
}
