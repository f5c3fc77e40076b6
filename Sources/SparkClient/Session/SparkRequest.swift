public import SparkCore

/// A request of a route.
public struct SparkRequest: Sendable {
    /// The HTTP method.
    public let method: String
    /// Without the query.
    public let path: String
    /// The query with its question mark; empty for none.
    public let query: String
    /// The body; nil for none.
    public let body: JSONValue?
    /// The key that makes a repeated request the same one; nil for a route that honours none.
    public let idempotencyKey: String?

    /// Creates a request.
    /// - Parameters:
    ///   - query: Parameters with their values; those that are nil are left out.
    ///   - idempotencyKey: The caller's own key.
    ///   - takesKey: The route honours a key, so one is made if none is given.
    public init(
        _ method: String, _ path: String, query: [(name: String, value: String?)] = [], body: JSONValue? = nil,
        idempotencyKey: String? = nil, takesKey: Bool = false
    ) {
        self.method = method
        self.path = path
        let pairs = query.compactMap { name, value in value.map { "\(name)=\($0)" } }
        self.query = pairs.isEmpty ? "" : "?\(pairs.joined(separator: "&"))"
        self.body = body
        self.idempotencyKey = idempotencyKey ?? (takesKey ? Self.key() : nil)
    }

    /// Whether the request has the same effect if it is sent twice.
    var isRepeatable: Bool { method == "GET" || idempotencyKey != nil }

    /// A value as one segment of a path.
    public static func segment(_ value: some SparkValue) -> String { escaped(text(value.json)) }

    /// A value as a parameter: the elements of an array are joined by commas. Nil stays nil.
    public static func parameter(_ value: (some SparkValue)?) -> String? {
        value.map { value in
            guard case .array(let elements) = value.json else { return escaped(text(value.json)) }
            return elements.map { escaped(text($0)) }.joined(separator: ",")
        }
    }

    private static func text(_ json: JSONValue) -> String { json.string ?? JSONWriter.string(of: json) }

    /// Percent-encodes every byte that is not unreserved (RFC 3986, section 2.3).
    package static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let hexadecimal = Array("0123456789ABCDEF".utf8)

    /// A key that nobody else has.
    static func key() -> String {
        var generator = SystemRandomNumberGenerator()
        let numbers = [generator.next(), generator.next()]
        return numbers.map { String(repeating: "0", count: 16 - String($0, radix: 16).count) + String($0, radix: 16) }.joined()
    }
}

/// What has a method for each route: see `SparkSession`.
public protocol SparkRoutes: Sendable {
    /// Sends a request and reads its answer.
    /// - Throws: `SparkProblem` for what the server refuses, `SparkUnreachable` if there is no answer, `UnexpectedJSON`.
    func call<Answer: SparkValue>(_ request: SparkRequest) async throws -> Answer

    /// Sends a request whose answer has no body.
    /// - Throws: `SparkProblem` for what the server refuses, `SparkUnreachable` if there is no answer.
    func call(_ request: SparkRequest) async throws
}

/// No answer came: the server cannot be reached, the connection broke, or it took too long.
public struct SparkUnreachable: Error, CustomStringConvertible {
    /// The request, without its query.
    public let request: String
    /// The transport's error.
    public let cause: any Error

    /// The request and the transport's error.
    public var description: String { "\(request): \(cause)" }
}

/// The elements of all pages of a list. Each page is read when its first element is asked for.
public struct SparkPages<Element: SparkValue>: AsyncSequence, Sendable {
    private let page: @Sendable (String?) async throws -> ([Element], String?)

    init(_ page: @escaping @Sendable (String?) async throws -> ([Element], String?)) { self.page = page }

    /// An iterator at the first page.
    public func makeAsyncIterator() -> Iterator { Iterator(page: page) }

    /// Goes through the pages.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let page: @Sendable (String?) async throws -> ([Element], String?)
        private var waiting: ArraySlice<Element> = []
        private var cursor: String?
        private var hasEnded = false

        fileprivate init(page: @escaping @Sendable (String?) async throws -> ([Element], String?)) { self.page = page }

        /// The next element; nil after the last one.
        /// - Throws: What the call for a page throws. A further call asks for that page again.
        public mutating func next() async throws -> Element? {
            while waiting.isEmpty {
                guard !hasEnded else { return nil }
                let (elements, next) = try await page(cursor)
                (waiting, cursor, hasEnded) = (elements[...], next, next == nil)
            }
            return waiting.removeFirst()
        }
    }

    /// All elements.
    public func all() async throws -> [Element] {
        var elements: [Element] = []
        for try await element in self { elements.append(element) }
        return elements
    }
}
