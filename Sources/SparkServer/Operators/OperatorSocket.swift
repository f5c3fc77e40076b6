import Foundation
import Glibc
import Logging
import ServiceLifecycle
import SparkCore
import SparkKit
import Synchronization

/// The operator's entrance to a running server: a socket that belongs to the data directory, for the user that runs the server
/// and for root.
///
/// A request is one line, `{"action":"user.suspend","members":{...}}`; the answer is one line,
/// `{"ok":true,"result":...,"audit":...}` or `{"ok":false,"problem":...}`. A long answer continues in pieces: a line with the
/// length before each piece, and `0` at the end. A connection carries one request. Dedicated threads do the waiting, so that they
/// block neither event loops nor tasks.
final class OperatorSocket: Service, Sendable {
    /// The size limit of a request, in bytes; a longer one is refused.
    private static let longestRequest = 65_536
    /// The most connections served at once; more are closed immediately.
    private static let limit = 8
    private static let requestDeadline = Duration.seconds(10)
    private static let closingTime = Duration.seconds(5)

    private let directory: URL
    private let desk: OperatorDesk
    private let logger: Logger
    private let listener = Mutex<UnixSocket?>(nil)
    private let active = Atomic<Int>(0)

    init(directory: URL, desk: OperatorDesk, logger: Logger) {
        self.directory = directory
        self.desk = desk
        self.logger = logger
    }

    /// Opens the socket; requests are answered once the service runs. A server runs even if its data directory cannot have a
    /// socket: the verbs then work only without a running server.
    func open() {
        do {
            let socket = try UnixSocket.listen(forServerOf: directory)
            listener.withLock { $0 = socket }
        } catch {
            let code = (error as? UnixSocket.Failure)?.code ?? 0
            logger.warning("no operator socket", metadata: ["error": "\(String(cString: strerror(code)))"])
        }
    }

    /// Closes the socket.
    func close() {
        guard
            let socket = listener.withLock({ listener in
                defer { listener = nil }
                return listener
            })
        else { return }
        socket.close()
    }

    func run() async throws {
        guard let socket = listener.withLock({ $0 }) else {
            try? await gracefulShutdown()
            return
        }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            logger.warning("no operator socket", metadata: ["error": "\(String(cString: strerror(errno)))"])
            close()
            try? await gracefulShutdown()
            return
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (wakeReader, wakeWriter) = (ends[0], ends[1])
        let accepting = Task {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                Thread.detachNewThread {
                    while let connection = socket.accept(wake: wakeReader) { self.take(connection) }
                    continuation.resume()
                }
            }
        }
        try? await gracefulShutdown()
        Glibc.close(wakeWriter)
        await accepting.value
        Glibc.close(wakeReader)
        close()
        let deadline = ContinuousClock.now + Self.closingTime
        while active.load(ordering: .acquiring) > 0, .now < deadline, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Runs on the accepting thread.
    private func take(_ connection: UnixSocket) {
        guard let user = connection.peerUser(), user == geteuid() || user == 0,
            active.load(ordering: .relaxed) < Self.limit
        else { return connection.close() }
        active.add(1, ordering: .acquiringAndReleasing)
        Thread.detachNewThread { [self] in
            serve(connection, actor: "uid:\(user)")
            connection.close()
            active.subtract(1, ordering: .acquiringAndReleasing)
        }
    }

    /// Runs on the connection's own thread.
    private func serve(_ connection: UnixSocket, actor: String) {
        connection.setTimeouts(read: 5, write: 30)
        var reader = SocketReader(connection)
        let line = reader.line(limit: Self.longestRequest, until: .now + Self.requestDeadline)
        guard let line, let request = try? JSONParser.parse(line), let action = request["action"]?.string else {
            _ = connection.write(Self.refusal(OperatorError.malformed))
            return
        }
        let members = request["members"] ?? .object([])
        let (desk, logger) = (desk, logger)
        switch waiting({ try await desk.perform(action, members: members, actor: actor) }) {
        case .success(let outcome):
            guard connection.write(Self.answer(outcome)), let next = outcome.nextPiece else { return }
            sendPieces(next, over: connection)
        case .failure(let error):
            if !(error is any ClientError) {
                logger.error("operator action failed", metadata: ["action": "\(action)", "error": "\(type(of: error))"])
            }
            _ = connection.write(Self.refusal(error as? any ClientError ?? OperatorError.failed))
        }
    }

    private func sendPieces(_ next: @escaping OperatorAnswer.NextPiece, over connection: UnixSocket) {
        while true {
            switch waiting({ try await next() }) {
            case .success(let piece?):
                guard piece.isEmpty || connection.write(Array("\(piece.count)\n".utf8) + piece) else { return }
            case .success(nil):
                _ = connection.write(Array("0\n".utf8))
                return
            case .failure(let error):
                // The missing end marker tells the client that the answer is incomplete.
                logger.error("operator answer failed", metadata: ["error": "\(type(of: error))"])
                return
            }
        }
    }

    /// Blocks this thread until an asynchronous operation has finished.
    private func waiting<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) -> Result<Value, any Error> {
        let result = Mutex<Result<Value, any Error>?>(nil)
        let done = DispatchSemaphore(value: 0)
        Task {
            let outcome: Result<Value, any Error>
            do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
            result.withLock { $0 = outcome }
            done.signal()
        }
        done.wait()
        return result.withLock { $0 } ?? .failure(OperatorError.failed)
    }

    private static func answer(_ outcome: OperatorOutcome) -> [UInt8] {
        var writer = JSONWriter(capacity: 1_024)
        writer.object { writer in
            writer.field("ok", true)
            writer.field("result", outcome.result)
            writer.field("audit", outcome.line)
            writer.field("continued", outcome.nextPiece != nil)
        }
        return writer.bytes + [0x0A]
    }

    private static func refusal(_ error: any ClientError) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("ok", false)
            writer.field("problem", OperatorProblem(error))
        }
        return writer.bytes + [0x0A]
    }
}
