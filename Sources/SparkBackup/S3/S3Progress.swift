import NIOHTTP1
import SparkCore
import Synchronization

/// What the answers said about an object that is being downloaded.
final class S3Progress: Sendable {
    private struct State {
        var size: Int64?
        var digest: String?
        var tag: String?
    }

    private let state = Mutex(State())

    /// In bytes; nil if the storage does not say.
    var size: Int64? { state.withLock { $0.size } }
    /// SHA-256 of all of it, if it was stored with the object.
    var digest: String? { state.withLock { $0.digest } }
    /// Identifies the content, so that the rest of the same content can be asked for.
    var tag: String? { state.withLock { $0.tag } }

    func forget() { state.withLock { $0 = State() } }

    /// Takes the headers of a success.
    /// - Parameters:
    ///   - isRest: whether the answer is a part (206).
    ///   - offset: where the part must begin.
    func note(_ headers: HTTPHeaders, isRest: Bool, at offset: Int64) throws(S3Fault) {
        let size: Int64?
        if isRest {
            // bytes 100-199/200
            let words = headers.first(name: "content-range")?.split { " -/".contains($0) } ?? []
            guard words.count == 4, words[0] == "bytes", Int64(words[1]) == offset, let whole = Int64(words[3]) else {
                throw .temporary("the storage sent another part than was asked for")
            }
            size = whole
        } else {
            size = headers.first(name: "content-length").flatMap { Int64($0) }
        }
        let digest = headers.first(name: "x-amz-meta-sha256").map { $0.lowercased() }
        guard size != nil || digest != nil else { throw .temporary("the storage does not say how long the object is") }
        state.withLock { $0 = State(size: size, digest: digest, tag: headers.first(name: "etag")) }
    }
}

extension Timestamp {
    /// A time as S3 writes it, `2026-03-01T09:30:00.000Z`; nil for any other text.
    init?(s3 text: String) {
        let words = text.split { "T:.Z".contains($0) }
        guard words.count >= 4, let date = CivilDate(words[0]), let hours = Int64(words[1]), let minutes = Int64(words[2]),
            let seconds = Int64(words[3]), (0..<24).contains(hours), (0..<60).contains(minutes), (0...60).contains(seconds)
        else { return nil }
        self = Timestamp(milliseconds: date.startOfDay.milliseconds + (hours * 3_600 + minutes * 60 + seconds) * 1_000)
    }
}
