import Foundation
import Glibc
import Logging
import ServiceLifecycle
import SparkCore
import SparkKit
import Synchronization

/// The operator's way into a running server: a socket that belongs to the data directory, for the user who runs the server and for root.
///
/// A request is one line, `{"action":"user.suspend","members":{...}}`; the answer is one line, `{"ok":true,"result":...,"audit":...}` or
/// `{"ok":false,"problem":...}`. A long answer goes on in pieces: a line with their length before each, `0` at the end. One request a
/// connection. Threads of its own do the waiting, so that neither event loops nor tasks are held up.
final class OperatorSocket: Service, Sendable {
    /// Longer requests are refused.
    static let longestRequest = 65_536
    /// Connections that are served beside each other; more are closed at once.
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

    /// Connections are taken in from now on, and answered once the service runs. A data directory that holds no sockets is no reason
    /// not to serve: the verbs then work only without a running server.
    func open() {
        do {
            let socket = try UnixSocket.listen(forServerOf: directory)
            listener.withLock { $0 = socket }
        } catch {
            let code = (error as? UnixSocket.Failure)?.code ?? 0
            logger.warning("no operator socket", metadata: ["error": "\(String(cString: strerror(code)))"])
        }
    }

    /// Nobody is served any more.
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

    /// On the accepting thread.
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

    /// On a thread of the connection's own.
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
                // Without the end the other side knows that something is missing.
                logger.error("operator answer failed", metadata: ["error": "\(type(of: error))"])
                return
            }
        }
    }

    /// Waits on this thread for what a task does.
    private func waiting<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) -> Result<Value, any Error> {
        let box = ResultBox<Value>()
        let done = DispatchSemaphore(value: 0)
        Task {
            do {
                let value = try await body()
                box.set(.success(value))
            } catch {
                box.set(.failure(error))
            }
            done.signal()
        }
        done.wait()
        return box.take() ?? .failure(OperatorError.failed)
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

/// Where a task leaves its result for the thread that waits.
private final class ResultBox<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)
    func set(_ new: Result<Value, any Error>) { result.withLock { $0 = new } }
    func take() -> Result<Value, any Error>? { result.withLock { $0 } }
}
