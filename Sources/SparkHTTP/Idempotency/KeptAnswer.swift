import Crypto
import Foundation
import HTTPTypes
import SparkKit

/// A response as stored under an idempotency key: status, header fields, entity tag and body, sealed.
///
/// The format is the byte 255, the status in two bytes, the number of fields in two, each field's name and value, the entity tag
/// and the body, each with its length in four bytes. Responses of the first version begin with the status and have only the body.
struct KeptAnswer {
    private static let mark: UInt8 = 0xFF

    let reply: Reply

    init(_ reply: Reply) { self.reply = reply }

    /// - Throws: `EdgeError.idempotencyAnswerLost` when the bytes cannot be opened or are not a response.
    init(sealed: [UInt8], with key: SymmetricKey, for associatedData: [UInt8]) throws {
        guard let box = try? AES.GCM.SealedBox(combined: sealed),
            let plain = try? AES.GCM.open(box, using: key, authenticating: associatedData), let reply = Self.reply(Array(plain))
        else { throw EdgeError.idempotencyAnswerLost }
        self.reply = reply
    }

    func sealed(with key: SymmetricKey, for associatedData: [UInt8]) throws -> [UInt8] {
        let box = try AES.GCM.seal(plain, using: key, authenticating: associatedData)
        return Array(box.combined ?? Data())
    }

    private var plain: [UInt8] {
        let fields = reply.headers.filter { $0.name != .idempotencyReplayed }
        var bytes: [UInt8] = [Self.mark]
        bytes += Self.number(reply.status.code, bytes: 2) + Self.number(fields.count, bytes: 2)
        for field in fields {
            bytes += Self.counted(Array(field.name.rawName.utf8)) + Self.counted(Array(field.value.utf8))
        }
        bytes += Self.counted(Array((reply.entityTag ?? "").utf8)) + Self.counted(reply.body)
        return bytes
    }

    private static func number(_ number: Int, bytes: Int) -> [UInt8] {
        (0..<bytes).map { UInt8(truncatingIfNeeded: number >> ((bytes - 1 - $0) * 8)) }
    }

    private static func counted(_ bytes: [UInt8]) -> [UInt8] { number(bytes.count, bytes: 4) + bytes }

    private static func reply(_ bytes: [UInt8]) -> Reply? {
        var rest = bytes[...]
        func number(_ count: Int) -> Int? {
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
        }
        func counted() -> [UInt8]? {
            guard let count = number(4), rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        func text() -> String? { counted().map { String(decoding: $0, as: UTF8.self) } }
        guard bytes.first == mark else {
            guard let status = number(2), (200..<600).contains(status) else { return nil }
            return Reply(HTTPResponse.Status(code: status), headers: [.idempotencyReplayed: "true"], json: Array(rest))
        }
        rest = rest.dropFirst()
        guard let status = number(2), (200..<600).contains(status), let count = number(2) else { return nil }
        var headers = HTTPFields()
        for _ in 0..<count {
            guard let name = text().flatMap({ HTTPField.Name($0) }), let value = text() else { return nil }
            headers.append(HTTPField(name: name, value: value))
        }
        guard let tag = text(), let body = counted() else { return nil }
        headers[.idempotencyReplayed] = "true"
        return Reply(HTTPResponse.Status(code: status), headers: headers, json: body, entityTag: tag.isEmpty ? nil : tag)
    }
}
