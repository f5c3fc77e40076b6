import Crypto
import SparkCore

/// An attempt at a password: its account and its origin.
struct Guess: Hashable, Sendable {
    /// A hash of the account's address. It is the same whether or not the account exists.
    let account: SHA256Digest
    /// The client's network; for an attempt from a session, that session.
    let origin: String
    let trust: Trust

    enum Trust: Hashable, Sendable {
        /// The account was never signed in to from this network.
        case stranger
        /// The account was signed in to from this network before.
        case network
        /// The attempt comes from a session of the account.
        case session
    }

    init(email: String, origin: String, trust: Trust) {
        self.account = SHA256.hash(data: Array(email.utf8))
        self.origin = origin
        self.trust = trust
    }
}

/// Limits how often passwords are guessed, without letting an attacker lock an account.
///
/// Failures delay further attempts, by a few seconds at most. Attempts from a network that signed in to the account before wait
/// only for that network's failures; attempts of strangers wait for the failures of all strangers. Waiting attempts are limited
/// per account and network. Only a network with many failures at accounts that never signed in from it is refused for long.
/// Pure: takes times as arguments and returns verdicts.
struct GuessLedger: Sendable {
    struct Limits: Sendable {
        /// Failures allowed before attempts have to wait.
        var free: Int
        var window: Duration
        var longestWait: Duration
        /// Failures of one network, at accounts that never signed in from it, after which it is refused.
        var perNetwork: Int
        /// Waiting attempts of one network for the same account.
        var places = 4
        /// Waiting attempts of strangers for the same account.
        var strangerPlaces = 128
        /// Waiting attempts in total; known networks and strangers are counted apart.
        var totalPlaces = 1_024
        /// Entries per table.
        var capacity = 50_000
    }

    enum Verdict: Equatable, Sendable {
        case check(after: Duration)
        /// Not checked, and not counted.
        case refuse(retryAfter: Duration)
    }

    private struct Pair: Hashable, Sendable {
        let account: SHA256Digest
        let origin: String
    }

    private static let firstWait = Duration.milliseconds(500)
    /// Attempts of a network within the window, including the current one, up to which its load is light.
    private static let lightLoad = 4

    private let limits: Limits
    private var pairs: FailureWindows<Pair>
    private var strangers: FailureWindows<SHA256Digest>
    private var networks: FailureWindows<String>
    private var loads: FailureWindows<String>
    private var waitingPairs: [Pair: Int] = [:]
    private var waitingStrangers: [SHA256Digest: Int] = [:]
    private var waitingTotal = (known: 0, strangers: 0)

    init(_ limits: Limits) {
        self.limits = limits
        self.pairs = FailureWindows(window: limits.window, capacity: limits.capacity)
        self.strangers = FailureWindows(window: limits.window, capacity: limits.capacity)
        self.networks = FailureWindows(window: limits.window, capacity: limits.capacity)
        self.loads = FailureWindows(window: limits.window, capacity: limits.capacity)
    }

    /// Entries in all tables.
    var size: Int { pairs.size + strangers.size + networks.size + loads.size + waitingPairs.count + waitingStrangers.count }

    /// Counts an attempt as failed in advance, so that concurrent attempts cannot pass a limit together. If the attempt has to
    /// wait, it occupies a place until `waited`.
    mutating func begin(_ guess: Guess, at now: Timestamp) -> Verdict {
        let pair = Pair(account: guess.account, origin: guess.origin)
        if guess.trust != .network, networks.count(of: guess.origin, at: now) >= limits.perNetwork {
            return .refuse(retryAfter: networks.rest(of: guess.origin, at: now))
        }
        var wait = wait(after: pairs.count(of: pair, at: now))
        if guess.trust == .stranger { wait = max(wait, self.wait(after: strangers.count(of: guess.account, at: now))) }
        if wait > .zero {
            guard takePlace(pair, isStranger: guess.trust == .stranger) else { return .refuse(retryAfter: limits.longestWait) }
        }
        pairs.add(pair, at: now)
        networks.add(guess.origin, at: now)
        if guess.trust == .stranger {
            strangers.add(guess.account, at: now)
            loads.add(guess.origin, at: now)
        }
        return .check(after: wait)
    }

    /// Frees the place of an attempt whose wait has ended or was cancelled.
    mutating func waited(_ guess: Guess) {
        let pair = Pair(account: guess.account, origin: guess.origin)
        Self.lower(&waitingPairs, pair)
        if guess.trust == .stranger {
            Self.lower(&waitingStrangers, guess.account)
            waitingTotal.strangers = max(0, waitingTotal.strangers - 1)
        } else {
            waitingTotal.known = max(0, waitingTotal.known - 1)
        }
    }

    /// The password was right: the network's failures at this account are forgotten.
    mutating func succeeded(_ guess: Guess) {
        withdraw(guess)
        pairs.forget(Pair(account: guess.account, origin: guess.origin))
    }

    /// The attempt was never decided, so it does not count as a guess.
    /// - Parameter keepsLoad: whether it still counts as load of the network.
    mutating func withdraw(_ guess: Guess, keepsLoad: Bool = false) {
        pairs.withdraw(Pair(account: guess.account, origin: guess.origin))
        networks.withdraw(guess.origin)
        if guess.trust == .stranger {
            strangers.withdraw(guess.account)
            if !keepsLoad { loads.withdraw(guess.origin) }
        }
    }

    /// Counts work done for a network that has proven nothing.
    mutating func worked(for network: String, at now: Timestamp) { loads.add(network, at: now) }

    /// The lane in which work for a stranger's network queues.
    func lane(of network: String, at now: Timestamp) -> HashLane {
        switch loads.count(of: network, at: now) {
        case ...1: .fresh
        case ...Self.lightLoad: .light
        default: .heavy
        }
    }

    private func wait(after failures: Int) -> Duration {
        guard failures >= limits.free else { return .zero }
        return min(limits.longestWait, Self.firstWait * (1 << min(failures - limits.free, 10)))
    }

    private mutating func takePlace(_ pair: Pair, isStranger: Bool) -> Bool {
        guard waitingPairs[pair, default: 0] < limits.places else { return false }
        if isStranger {
            guard waitingTotal.strangers < limits.totalPlaces,
                waitingStrangers[pair.account, default: 0] < limits.strangerPlaces
            else { return false }
            waitingStrangers[pair.account, default: 0] += 1
            waitingTotal.strangers += 1
        } else {
            guard waitingTotal.known < limits.totalPlaces else { return false }
            waitingTotal.known += 1
        }
        waitingPairs[pair, default: 0] += 1
        return true
    }

    private static func lower<Key: Hashable>(_ table: inout [Key: Int], _ key: Key) {
        let left = (table[key] ?? 0) - 1
        table[key] = left > 0 ? left : nil
    }
}
