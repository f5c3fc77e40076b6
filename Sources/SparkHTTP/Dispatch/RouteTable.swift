import HTTPTypes
import NIOHTTP1
import SparkKit

/// The routes of one entrance by path and method, with their metrics. Answers requests.
struct RouteTable: Sendable {
    /// Longer targets get 404.
    static let longestTarget = 4_096

    /// A path template with its routes.
    private struct Row: Sendable {
        /// The parameters' names and their places in the path.
        let parameters: [(name: String, place: Int)]
        let routes: [(method: HTTPMethod, route: Route)]
        /// The methods for `Allow`, sorted.
        let methods: [String]
        let metrics: EdgeMetrics.Row

        /// The route for a method. GET answers HEAD too.
        func route(for method: HTTPMethod) -> Route? {
            let method = method == .HEAD && !routes.contains { $0.method == .HEAD } ? .GET : method
            return routes.first { $0.method == method }?.route
        }
    }

    /// One segment of the paths. A literal segment is preferred to a parameter.
    private final class Node: Sendable {
        let literals: [Substring: Node]
        let parameter: Node?
        let row: Row?

        /// - Parameter rows: the rows below this node, with what is left of their paths.
        init(_ rows: [(rest: ArraySlice<Substring>, row: Row)]) {
            row = rows.first { $0.rest.isEmpty }?.row
            let below = rows.filter { !$0.rest.isEmpty }
            let groups = Dictionary(grouping: below) { $0.rest.first.map { $0.hasPrefix("{") ? "{" : $0 } ?? "" }
                .mapValues { Node($0.map { ($0.rest.dropFirst(), $0.row) }) }
            parameter = groups["{"]
            literals = groups.filter { $0.key != "{" }
        }

        func row(at segments: ArraySlice<Substring>) -> Row? {
            guard let first = segments.first else { return row }
            return literals[first]?.row(at: segments.dropFirst()) ?? parameter?.row(at: segments.dropFirst())
        }
    }

    private let root: Node
    /// The rows without parameters, by their whole path. They need no walk.
    private let fixed: [Substring: Row]
    /// The first segments of all paths, as UTF-8.
    private let beginnings: [[UInt8]]
    private let dispatcher: Dispatcher
    /// Counts requests that match no route.
    let unmatched: EdgeMetrics.Row

    /// - Parameters:
    ///   - routes: with their full paths, free of clashes.
    ///   - probes: further routes, which do not count for the service level.
    ///   - isService: whether the other routes count, and requests that match none.
    init(routes: [Route], probes: [Route], isService: Bool, dispatcher: Dispatcher, metrics: EdgeMetrics) {
        let uncounted = Set(probes.map(\.path))
        let rows = Dictionary(grouping: routes + probes, by: \.path).map { path, routes in
            let segments = path.split(separator: "/")
            let methods = Set(routes.map(\.method.rawValue))
            return (
                rest: segments[...],
                row: Row(
                    parameters: segments.enumerated().filter { $0.element.hasPrefix("{") }.map {
                        (String($0.element.dropFirst().dropLast()), $0.offset)
                    },
                    routes: routes.map { (HTTPMethod(rawValue: $0.method.rawValue), $0) },
                    methods: (methods.contains("GET") ? methods.union(["HEAD"]) : methods).sorted(),
                    metrics: metrics.row(path, isService: isService && !uncounted.contains(path)))
            )
        }
        self.root = Node(rows)
        self.fixed = Dictionary(
            rows.filter { $0.row.parameters.isEmpty }.map { ("/\($0.rest.joined(separator: "/"))", $0.row) },
            uniquingKeysWith: { first, _ in first })
        self.beginnings = root.literals.keys.map { Array($0.utf8) }
        self.dispatcher = dispatcher
        self.unmatched = metrics.row(EdgeMetrics.unmatched, isService: isService)
    }

    /// Whether some route's path may match. Only a quick check, before more is spent on a request.
    func mayKnow(_ path: Substring) -> Bool {
        let first = path.utf8.drop { $0 == UInt8(ascii: "/") }.prefix { $0 != UInt8(ascii: "/") }
        return beginnings.contains { first.elementsEqual($0) }
    }

    /// Answers a request: 404 for a path without a route, 405 with `Allow` for a path without the method, 426 for a late upgrade.
    func respond(to request: EdgeRequest) async -> EdgeAnswer {
        guard request.target.text.utf8.count <= Self.longestTarget, let (row, segments) = row(at: request.target.path) else {
            return await refuse(EdgeError.notFound, request)
        }
        // An existing path is counted under its template, whatever the method.
        let measurement = row.metrics.begin()
        var answer: EdgeAnswer
        if let route = row.route(for: request.method) {
            let parameters = row.parameters.map { (name: $0.name, value: String(segments[$0.place])) }
            answer = await dispatcher.respond(to: request, as: route, parameters)
        } else {
            answer = await dispatcher.answerToOtherMethod(request, methods: row.methods)
        }
        row.metrics.end(measurement, request, &answer)
        return answer
    }

    /// Refuses a request that matches no route. It is counted and logged as such.
    func refuse(_ error: any Error, _ request: EdgeRequest) async -> EdgeAnswer {
        let measurement = unmatched.begin()
        var answer = await dispatcher.refuse(error, request)
        unmatched.end(measurement, request, &answer)
        return answer
    }

    /// The row of a path, and the path's segments if the row has parameters.
    private func row(at path: Substring) -> (Row, [Substring])? {
        if let row = fixed[path] { return (row, []) }
        guard let segments = Self.segments(of: path), let row = root.row(at: segments[...]) else { return nil }
        return (row, segments)
    }

    /// The segments of a path; nil if one between others is empty: one resource would have many paths, of which a proxy knows
    /// only one.
    private static func segments(of path: Substring) -> [Substring]? {
        var segments: [Substring] = []
        let bytes = path.utf8
        var begin = bytes.startIndex
        if bytes.first == UInt8(ascii: "/") { begin = bytes.index(after: begin) }
        while begin < bytes.endIndex {
            let end = bytes[begin...].firstIndex(of: UInt8(ascii: "/")) ?? bytes.endIndex
            if end == begin { return nil }
            segments.append(path[begin..<end])
            begin = end < bytes.endIndex ? bytes.index(after: end) : end
        }
        return segments
    }
}
