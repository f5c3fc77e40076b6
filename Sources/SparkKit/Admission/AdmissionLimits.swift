/// A resource that the server limits in total, for each network and for each person.
public enum AdmissionResource: String, CaseIterable, Sendable {
    /// Open sockets of every kind: HTTP, WebSocket, event stream, poll.
    case connections
    /// Requests in progress from clients behind a trusted proxy, whose connections belong to the proxy.
    case requests
    /// Bytes of request bodies that have begun to arrive and are not yet answered.
    case bodies
    /// Bytes of answers that slow clients have not taken.
    case answers
    /// Bytes of memory that running password hashes use.
    case hashing
    /// Exports in progress.
    case exports
    /// Text searches in progress.
    case searches
    /// Open WebSockets, event streams and polls.
    case streams

    /// The unit of an amount.
    public var unit: String {
        switch self {
        case .bodies, .answers, .hashing: "bytes"
        case .connections, .requests, .exports, .searches, .streams: "at once"
        }
    }

    /// The position in `allCases`.
    var index: Int {
        switch self {
        case .connections: 0
        case .requests: 1
        case .bodies: 2
        case .answers: 3
        case .hashing: 4
        case .exports: 5
        case .searches: 6
        case .streams: 7
        }
    }
}

/// The limit that refused: for the whole server, a network, a person, or a person's day.
public enum AdmissionScope: String, CaseIterable, Sendable {
    case total, network, person, day
}

/// The limits of one resource; nil means unlimited.
public struct AdmissionLimit: Hashable, Sendable {
    /// For the whole server.
    public var total: Int?
    /// For one client network: an IPv4 address or an IPv6 /64.
    public var perNetwork: Int?
    /// For one person.
    public var perPerson: Int?
    /// The amount that one person may begin in a UTC day.
    public var perPersonDay: Int?

    /// Creates limits; all are unlimited by default.
    public init(total: Int? = nil, perNetwork: Int? = nil, perPerson: Int? = nil, perPersonDay: Int? = nil) {
        self.total = total
        self.perNetwork = perNetwork
        self.perPerson = perPerson
        self.perPersonDay = perPersonDay
    }

    /// The limit of a scope.
    public subscript(scope: AdmissionScope) -> Int? {
        switch scope {
        case .total: total
        case .network: perNetwork
        case .person: perPerson
        case .day: perPersonDay
        }
    }
}

/// The limits of all resources.
public struct AdmissionLimits: Hashable, Sendable {
    private var limits: [AdmissionLimit]
    /// The lowest rate at which a request's body must arrive.
    public var bodyRate = DataRate.unbounded
    /// How fast a client must take its answers.
    public var answerRule = AnswerRule.standard

    /// Creates limits. A resource that is left out is unlimited.
    public init(_ limits: [AdmissionResource: AdmissionLimit] = [:]) {
        self.limits = AdmissionResource.allCases.map { limits[$0] ?? AdmissionLimit() }
    }

    /// The limits of one resource.
    public subscript(resource: AdmissionResource) -> AdmissionLimit {
        get { limits[resource.index] }
        set { limits[resource.index] = newValue }
    }

    /// The default limits on a machine with 20,000 file descriptors and 8 GiB of memory; for tests.
    public static let standard =
        AdmissionPlan(.defaults, machine: AdmissionMachine(descriptors: 20_000, memoryBytes: 8 << 30, processors: 2)).limits
}

/// The section `limits`: how much clients may use at once. 0 makes the server derive a value from the machine.
public struct AdmissionConfiguration: ModuleConfiguration {
    /// Open connections.
    public let connections: Int
    /// Open connections of one network.
    public let connectionsPerNetwork: Int
    /// Requests in progress from one network behind trusted proxies.
    public let requestsPerNetwork: Int
    /// Bytes of unanswered request bodies.
    public let bodyBytes: Int
    /// Bytes of unanswered request bodies of one network.
    public let bodyBytesPerNetwork: Int
    /// Bytes of memory for password hashes.
    public let hashingBytes: Int
    /// Exports in progress.
    public let exports: Int
    /// Exports that one person may begin in a UTC day.
    public let exportsPerPersonPerDay: Int
    /// Message searches in progress.
    public let searches: Int
    /// Message searches in progress of one person.
    public let searchesPerPerson: Int
    /// The lowest rate of request bodies.
    public let bodyRate: DataRate
    /// Bytes of answers that slow clients have not taken.
    public let answerBytes: Int
    /// How fast clients must take answers.
    public let answerRule: AnswerRule

    /// The keys of the section `limits`.
    public static let settings: [Setting] = [
        .integer(
            "connections", 0...1_000_000, default: 0,
            "Open connections at once; 0: as many as file descriptors and memory allow."),
        .integer(
            "connections_per_network", 0...1_000_000, default: 0,
            "Open connections from one network (an IPv4 address or an IPv6 /64); 0: 1,024, but at most a quarter of all."),
        .integer(
            "requests_per_network", 1...1_000_000, default: 256,
            "Requests under way from one network behind trusted proxies, whose own connections are not counted by network."),
        .integer(
            "body_bytes", 0...68_719_476_736, default: 0,
            "Bytes of unfinished and unanswered request bodies in memory; 0: 64 MiB, or more when http.max_body_bytes is large."),
        .integer(
            "body_bytes_per_network", 0...68_719_476_736, default: 0,
            "The same from one network; 0: a quarter of limits.body_bytes."),
        .integer(
            "answer_bytes", 0...68_719_476_736, default: 0,
            "Bytes of answers that slow clients have not taken; 0: an eighth of the memory, but 64 MiB at least."),
        .integer(
            "hashing_bytes", 0...68_719_476_736, default: 0,
            "Memory of password hashes under way, 128 MiB each; 0: 256 MiB, or 128 MiB on a machine with less than 768 MiB."),
        .integer("exports", 1...1_000, default: 4, "Exports of personal data at once."),
        .integer("exports_per_person_per_day", 5...10_000, default: 24, "Exports that one person may begin in a day (UTC)."),
        .integer("searches", 1...10_000, default: 16, "Searches in messages at once."),
        .integer("searches_per_person", 1...1_000, default: 2, "Searches in messages of one person at once."),
        .integer(
            "body_bytes_per_second", 0...1_000_000_000, default: 240,
            "Lowest speed of a request's body, on average after the grace; 0 lifts the bound."),
        .integer(
            "answer_bytes_per_second", 0...1_000_000_000, default: 240,
            "A client must take its answers at least so fast, on average since its connection began; 0 lifts the bound."),
        .integer(
            "answer_pause_seconds", 1...86_400, default: 3_600,
            "How long a client may take nothing of an answer, however much its system took before."),
        .integer(
            "slow_grace_seconds", 1...300, default: 10, "How long a slow client's bytes may stand still beyond the average."),
    ]

    /// Reads the section.
    public init(_ values: SettingValues) {
        connections = values.integer("connections")
        connectionsPerNetwork = values.integer("connections_per_network")
        requestsPerNetwork = values.integer("requests_per_network")
        bodyBytes = values.integer("body_bytes")
        bodyBytesPerNetwork = values.integer("body_bytes_per_network")
        hashingBytes = values.integer("hashing_bytes")
        exports = values.integer("exports")
        exportsPerPersonPerDay = values.integer("exports_per_person_per_day")
        searches = values.integer("searches")
        searchesPerPerson = values.integer("searches_per_person")
        let grace = values.seconds("slow_grace_seconds")
        bodyRate = DataRate(bytesPerSecond: values.integer("body_bytes_per_second"), grace: grace)
        answerBytes = values.integer("answer_bytes")
        answerRule = AnswerRule(
            rate: DataRate(bytesPerSecond: values.integer("answer_bytes_per_second"), grace: grace),
            longestPause: values.seconds("answer_pause_seconds"))
    }
}

/// The machine's capacity, as far as the process may use it.
public struct AdmissionMachine: Hashable, Sendable {
    /// The most file descriptors that the process may open (RLIMIT_NOFILE).
    public let descriptors: Int
    /// The machine's memory, or the control group's limit if that is less.
    public let memoryBytes: Int
    /// The number of processors.
    public let processors: Int

    /// Describes a machine.
    public init(descriptors: Int, memoryBytes: Int, processors: Int) {
        self.descriptors = descriptors
        self.memoryBytes = memoryBytes
        self.processors = processors
    }
}

/// File descriptors that are reserved for everything except client connections, so that connections can never use up the last
/// one.
public enum DescriptorReserve {
    /// The writer, 4 pooled readers and 8 point readers with three files each, and temporary files.
    static let database = 48
    /// The cache's files on disk.
    private static let spill = 16
    /// Push providers, webhooks and name resolution.
    private static let outgoing = 40
    /// Standard streams, the lock, log and history files, listing /proc (libdispatch reads it to count its threads), the
    /// control socket.
    static let process = 32
    /// The operators' listener.
    public static let operators = 32
    /// Refused or shed connections that are closing. When these are used up, the server accepts nothing until some have closed.
    public static let closing = 32
    /// The epoll, eventfd and timerfd of each event loop.
    private static let perProcessor = 3

    /// The reserve on a machine with that many processors.
    public static func total(processors: Int) -> Int {
        database + spill + outgoing + process + operators + closing + perProcessor * max(1, processors)
    }
}

/// The limits on this machine, the origin of each value, and the conflicts between them. Pure.
public struct AdmissionPlan: Sendable {
    /// Settings of other sections that concern the same resources.
    public struct Neighbours: Sendable {
        /// `http.max_body_bytes`.
        public var maximumBodyBytes = 65_536
        /// `stream.connections`.
        public var streams = 100_000
        /// `stream.connections_per_address`; 0 means unlimited.
        public var streamsPerNetwork = 512
        /// `stream.connections_per_user`.
        public var streamsPerPerson = 8
        /// True for tests, whose load comes from few addresses.
        public var isGenerous = false

        /// The defaults of those settings.
        public init() {}
    }

    /// One limit, as `spark limits` prints it.
    public struct Row: Hashable, Sendable {
        /// The limited resource.
        public let resource: AdmissionResource
        /// The scope of the limit.
        public let scope: AdmissionScope
        /// The value, in the resource's unit.
        public let value: Int
        /// The configuration key that sets it.
        public let key: String
        /// How the value was derived; nil if the key gives it.
        public let derivation: String?
    }

    /// The memory of one idle connection in bytes, rounded up. The connection limit is derived from it.
    public static let connectionBytes = 48 << 10
    /// The memory of one password hash in bytes.
    public static let hashBytes = 128 << 20
    /// The server does not start with fewer.
    private static let fewestConnections = 16
    private static let mostConnections = 100_000

    /// The resulting limits.
    public private(set) var limits = AdmissionLimits()
    /// Every limit with its origin, in the order of the report.
    public private(set) var rows: [Row] = []
    /// What the configuration or the machine cannot satisfy. The server starts only if this is empty.
    public private(set) var conflicts: [SettingFault] = []
    /// The conflicts, one sentence each.
    public var faults: [String] { conflicts.map { "\($0.keys.first ?? ""): \($0.reason)" } }
    /// The machine that the plan is for.
    public let machine: AdmissionMachine
    /// The number of reserved file descriptors.
    public let reserve: Int

    /// Derives the limits. Problems end up in `faults`.
    public init(
        _ configuration: AdmissionConfiguration, machine: AdmissionMachine, neighbours: Neighbours = Neighbours()
    ) {
        self.machine = machine
        self.reserve = DescriptorReserve.total(processors: machine.processors)
        setConnections(configuration, neighbours)
        setBodies(configuration, neighbours)
        setAnswers(configuration)
        setHashing(configuration)
        limits.bodyRate = configuration.bodyRate
        limits.answerRule = configuration.answerRule
        set(.requests, .network, "limits.requests_per_network", configuration.requestsPerNetwork)
        set(.exports, .total, "limits.exports", configuration.exports)
        set(.exports, .person, "limits.exports", 1, "always 1")
        set(.exports, .day, "limits.exports_per_person_per_day", configuration.exportsPerPersonPerDay)
        set(.searches, .total, "limits.searches", configuration.searches)
        set(.searches, .person, "limits.searches_per_person", configuration.searchesPerPerson)
        require(
            configuration.searchesPerPerson <= configuration.searches, "limits.searches_per_person", "limits.searches",
            reason:
                "limits.searches_per_person is \(configuration.searchesPerPerson) and must not be more than limits.searches, which is "
                + "\(configuration.searches)")
        setMemory(configuration)
    }

    private mutating func setConnections(_ configuration: AdmissionConfiguration, _ neighbours: Neighbours) {
        let room = machine.descriptors - reserve
        let needed = reserve + Self.fewestConnections
        guard room >= Self.fewestConnections else {
            require(
                false, "limits.connections",
                reason: "the process may open only \(machine.descriptors) files, but needs at least \(needed): "
                    + "\(reserve) for itself and \(Self.fewestConnections) for connections; raise the limit (ulimit -n, LimitNOFILE)"
            )
            return
        }
        let byMemory = max(Self.fewestConnections, machine.memoryBytes / 4 / Self.connectionBytes)
        let derived = min(room, byMemory, Self.mostConnections)
        let total = configuration.connections == 0 ? derived : configuration.connections
        require(
            total <= room, "limits.connections",
            reason: "\(total) connections do not fit into \(machine.descriptors) file descriptors, of which \(reserve) "
                + "are kept back; at most \(room), or raise the limit (ulimit -n, LimitNOFILE)")
        set(
            .connections, .total, "limits.connections", total,
            configuration.connections > 0
                ? nil
                : derived == room
                    ? "\(machine.descriptors) descriptors less \(reserve) kept back"
                    : derived == byMemory ? "a quarter of the memory" : "the most by default")
        let isGenerous = neighbours.isGenerous
        let share = max(1, isGenerous ? total / 2 : min(1_024, total / 4))
        let perNetwork = configuration.connectionsPerNetwork == 0 ? share : configuration.connectionsPerNetwork
        require(
            perNetwork <= total, "limits.connections_per_network", "limits.connections",
            reason:
                "limits.connections_per_network is \(perNetwork) and must not be more than limits.connections, which is \(total)"
                + (configuration.connections == 0 ? " on this machine" : ""))
        set(
            .connections, .network, "limits.connections_per_network", perNetwork,
            configuration.connectionsPerNetwork > 0
                ? nil
                : isGenerous ? "half of all, on an ephemeral server" : share == 1_024 ? "default" : "a quarter of all")

        set(
            .streams, .total, "stream.connections", min(neighbours.streams, total),
            neighbours.streams > total ? "no more than limits.connections" : nil)
        if neighbours.streamsPerNetwork > 0 {
            let streams = isGenerous ? perNetwork : min(neighbours.streamsPerNetwork, perNetwork)
            set(
                .streams, .network, "stream.connections_per_address", streams,
                isGenerous || neighbours.streamsPerNetwork > perNetwork ? "as limits.connections_per_network" : nil)
        }
        set(.streams, .person, "stream.connections_per_user", neighbours.streamsPerPerson)
    }

    private mutating func setBodies(_ configuration: AdmissionConfiguration, _ neighbours: Neighbours) {
        let longest = neighbours.maximumBodyBytes
        let total =
            configuration.bodyBytes == 0
            ? max(64 << 20, 16 * longest, 4 * configuration.bodyBytesPerNetwork) : configuration.bodyBytes
        let perNetwork = configuration.bodyBytesPerNetwork == 0 ? total / 4 : configuration.bodyBytesPerNetwork
        if configuration.bodyBytesPerNetwork == 0 {
            // The share of a network derives from the total, so the total is what must grow.
            require(
                perNetwork >= longest, "limits.body_bytes", "http.max_body_bytes",
                reason: "limits.body_bytes is \(total), of which a quarter is for one network; that must hold one body of "
                    + "http.max_body_bytes (\(longest)): at least \(4 * longest), or set limits.body_bytes_per_network")
        } else {
            require(
                perNetwork <= total, "limits.body_bytes_per_network", "limits.body_bytes",
                reason:
                    "limits.body_bytes_per_network is \(perNetwork) and must not be more than limits.body_bytes, which is \(total)"
            )
            require(
                perNetwork >= longest, "limits.body_bytes_per_network", "http.max_body_bytes",
                reason:
                    "limits.body_bytes_per_network is \(perNetwork) and must hold one body: at least http.max_body_bytes, which is "
                    + "\(longest)")
        }
        set(
            .bodies, .total, "limits.body_bytes", total,
            configuration.bodyBytes > 0 ? nil : total == 64 << 20 ? "default" : "16 times http.max_body_bytes or more")
        set(
            .bodies, .network, "limits.body_bytes_per_network", perNetwork,
            configuration.bodyBytesPerNetwork > 0 ? nil : "a quarter of limits.body_bytes")
    }

    private mutating func setAnswers(_ configuration: AdmissionConfiguration) {
        let least = 64 << 20
        let derived = max(least, machine.memoryBytes / 8)
        set(
            .answers, .total, "limits.answer_bytes", configuration.answerBytes == 0 ? derived : configuration.answerBytes,
            configuration.answerBytes > 0 ? nil : derived == least ? "the least by default" : "an eighth of the memory")
    }

    private mutating func setHashing(_ configuration: AdmissionConfiguration) {
        let isSmall = machine.memoryBytes < 6 * Self.hashBytes
        let total = configuration.hashingBytes == 0 ? (isSmall ? 1 : 2) * Self.hashBytes : configuration.hashingBytes
        require(
            total >= Self.hashBytes, "limits.hashing_bytes",
            reason: "\(total) is less than one password hash needs; at least \(Self.hashBytes), or 0")
        set(
            .hashing, .total, "limits.hashing_bytes", total,
            configuration.hashingBytes > 0 ? nil : isSmall ? "one hash at once: little memory" : "two hashes at once")
    }

    private mutating func set(
        _ resource: AdmissionResource, _ scope: AdmissionScope, _ key: String, _ value: Int, _ derivation: String? = nil
    ) {
        switch scope {
        case .total: limits[resource].total = value
        case .network: limits[resource].perNetwork = value
        case .person: limits[resource].perPerson = value
        case .day: limits[resource].perPersonDay = value
        }
        rows.append(Row(resource: resource, scope: scope, value: value, key: key, derivation: derivation))
    }

    /// What an operator asks for must fit into the machine's memory. Derived values always do.
    private mutating func setMemory(_ configuration: AdmissionConfiguration) {
        let memory = machine.memoryBytes
        for (key, bytes) in [
            ("limits.body_bytes", configuration.bodyBytes), ("limits.body_bytes_per_network", configuration.bodyBytesPerNetwork),
            ("limits.hashing_bytes", configuration.hashingBytes),
        ] {
            require(
                bytes <= memory, key,
                reason: "\(bytes) bytes are more than the memory that this process may use (\(memory)); less than that, or 0")
        }
        let (connections, most) = (configuration.connections, memory / Self.connectionBytes)
        require(
            connections <= most, "limits.connections",
            reason:
                "\(connections) connections of \(Self.connectionBytes) bytes each do not fit into the memory that this process may use "
                + "(\(memory)); at most \(most), or 0")
    }

    private mutating func require(_ holds: Bool, _ keys: String..., reason: String) {
        if !holds { conflicts.append(SettingFault(keys: keys, reason: reason)) }
    }
}
