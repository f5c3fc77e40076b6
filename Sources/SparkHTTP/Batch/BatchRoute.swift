import HTTPTypes
import NIOHTTP1
import SparkCore
package import SparkKit
import SparkStorage

/// `POST /api/v1/batch`: several requests in one, such as all that an app reads when it starts.
///
/// Each request goes through the same table of routes and the same dispatcher as alone, with the batch's token and address. It is
/// authenticated, charged, deduplicated, counted and logged by itself, so a batch allows nothing that its requests do not. The
/// table has only routes of the API; those that cannot be in a batch refuse there.
package struct BatchRoute: Sendable {
    /// So many requests of a batch run side by side.
    private static let mostAtOnce = 8
    /// The length of the answers to requests that change nothing, together: they are in memory until the client has read them all.
    /// A change is never kept from the client.
    private static let mostBytes = 256 * 1_024

    private static let prefix = "/api/v1"
    /// What applies to each request of a batch as it would if the client sent it alone.
    private static let inherited = ["Authorization", "Accept-Language", "User-Agent", "X-Forwarded-For"]
    private static let answerFields = Dictionary(
        uniqueKeysWithValues: (CrossOriginSharing.answerFields + ["Allow"]).map { ($0.lowercased(), $0) })

    private let table: RouteTable
    private let dispatcher: Dispatcher
    private let admission: Admission

    /// - Parameter routes: every route of the public entrance, with its full path.
    init(routes: [Route], dispatcher: Dispatcher, metrics: EdgeMetrics, admission: Admission) {
        let api = (routes + [Self.documented]).filter { $0.path.hasPrefix(Self.prefix + "/") }
        self.table = RouteTable(
            routes: api.map { $0.isBatchable ? $0 : Self.refusing($0) }, probes: [], isService: true, dispatcher: dispatcher,
            metrics: metrics)
        self.dispatcher = dispatcher
        self.admission = admission
    }

    /// The route as the OpenAPI document describes it.
    package static let documented = route { _ in throw BatchError.unavailable }

    /// The route.
    var route: Route { Self.route { try await reply(to: $0) } }

    private static func route(_ handler: @escaping Route.Handler) -> Route {
        Route(
            .post, prefix + "/batch", "Carry out up to 20 requests side by side", rateLimit: .batch, body: .of(BatchBody.self),
            answer: .of(BatchAnswer.self), idempotency: .refused, isBatchable: false,
            errors: [BatchError.invalid([]), EdgeError.idempotencyKeyUnsupported], handler: handler)
    }

    /// A route in place of one that cannot be in a batch. It charges the same, and never sees a ticket.
    private static func refusing(_ route: Route) -> Route {
        Route(
            route.method, route.path, route.summary, access: route.access == .open ? .open : .user, rateLimit: route.rateLimit,
            idempotency: .meaningless
        ) { _ in throw BatchError.unavailable }
    }

    private func reply(to call: Call) async throws -> Reply {
        // Only the edge makes calls.
        guard let batch = call.source as? EdgeRequest else { throw BatchError.unavailable }
        let requests = try Self.requests(in: call)
        // Each request has conditions of its own. The batch's would outlive a session that one of them ends.
        let answers = await WriteCondition.$current.withValue(nil) { await self.answers(to: requests, of: batch) }
        return .json(BatchAnswer(responses: zip(requests, answers).map { Self.response(to: $0.request, $1) }))
    }

    /// The requests, each with the bytes of its body as the client wrote them.
    private static func requests(in call: Call) throws -> [(request: BatchRequest, body: ArraySlice<UInt8>)] {
        let value = try call.bodyValue()
        let batch: BatchBody
        do throws(InvalidInput) {
            batch = try BatchBody.read(value)
        } catch {
            throw BatchError.invalid(error.violations)
        }
        let slices = JSONSlice(call.bodyBytes).member("requests", of: value)?.values ?? []
        let objects = value["requests"]?.array ?? []
        // Rather nothing is carried out than something without its body.
        guard slices.count == batch.requests.count else { throw InternalFault() }
        return try batch.requests.indices.map { index in
            guard !batch.requests[index].content.isNull else { return (batch.requests[index], []) }
            guard let body = slices[index].member("body", of: objects[index]) else { throw InternalFault() }
            return (batch.requests[index], body.bytes)
        }
    }

    /// The answers in the order of the requests.
    private func answers(
        to requests: [(request: BatchRequest, body: ArraySlice<UInt8>)], of batch: EdgeRequest
    ) async -> [EdgeAnswer] {
        await withTaskGroup(of: (Int, EdgeRequest, EdgeAnswer).self) { group in
            var answers = [EdgeAnswer?](repeating: nil, count: requests.count)
            var waiting = requests.indices
            var room = Self.mostBytes
            func startNext() {
                guard let index = waiting.popFirst() else { return }
                let request = edgeRequest(requests[index].request, requests[index].body, of: batch)
                group.addTask { (index, request, await answer(to: request)) }
            }
            for _ in 0..<Self.mostAtOnce { startNext() }
            while let (index, request, answer) = await group.next() {
                startNext()
                var answer = answer.hasJSON ? answer : answer.refused(BatchError.unavailable)
                if request.isRead, answer.length ?? 0 > room { answer = answer.refused(BatchError.answersTooLong) }
                room -= min(room, answer.length ?? 0)
                answers[index] = answer
            }
            return answers.compactMap(\.self)
        }
    }

    private func answer(to request: EdgeRequest) async -> EdgeAnswer {
        let permit: AdmissionPermit?
        do {
            permit = try admission.permit(for: request, behind: dispatcher.configuration.trustedProxies)
        } catch {
            return await table.refuse(error, request)
        }
        defer { permit?.end() }
        return await table.respond(to: request)
    }

    /// The request as it would have come alone.
    private func edgeRequest(_ request: BatchRequest, _ body: ArraySlice<UInt8>, of batch: EdgeRequest) -> EdgeRequest {
        var headers = HTTPHeaders()
        for name in Self.inherited {
            for value in batch.headers[name] { headers.add(name: name, value: value) }
        }
        for field in request.headers { headers.replaceOrAdd(name: field.name, value: field.value) }
        if !body.isEmpty {
            headers.add(name: "Content-Length", value: "\(body.count)")
            if !headers.contains(name: "Content-Type") { headers.add(name: "Content-Type", value: "application/json") }
        }
        let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: request.path, headers: headers)
        let fields = RequestFields(head)
        return EdgeRequest(
            head, fields: fields, requestID: fields.requestID ?? RequestID.fresh(dispatcher.random), peer: batch.peer,
            presence: batch.presence, body: .whole(Array(body)))
    }

    private static func response(to request: BatchRequest, _ answer: EdgeAnswer) -> BatchResponse {
        var headers: [BatchField] = []
        answer.forEachField { name, value in
            if let name = answerFields[name.lowercased()] { headers.append(BatchField(name: name, value: value)) }
        }
        var body: [UInt8] = []
        if case .whole(let bytes) = answer.body, !answer.isHead { body = bytes }
        return BatchResponse(
            id: request.id, status: answer.status.code, headers: headers, body: body.isEmpty ? Array("null".utf8) : body)
    }
}

extension EdgeAnswer {
    /// Whether the body is JSON that is complete, or empty.
    fileprivate var hasJSON: Bool {
        guard case .whole(let bytes) = body else { return isHead }
        let type = contentType ?? headers[.contentType] ?? ""
        return bytes.isEmpty || isHead || type.hasPrefix("application/json") || type.hasPrefix("application/problem+json")
    }

    /// The answer with an error in its place. A body that is not complete will not be sent.
    fileprivate func refused(_ error: BatchError) -> EdgeAnswer {
        whenSent?(0)
        let reply = ProblemDocument(error: error, requestID: requestID).reply
        return EdgeAnswer(
            status: reply.status, headers: reply.headers, requestID: requestID, limits: limits, body: .whole(reply.body))
    }
}
