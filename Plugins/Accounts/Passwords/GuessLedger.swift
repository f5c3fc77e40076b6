import Crypto
import SparkCore

/// An attempt at a password: whose, and from where.
struct Guess: Hashable, Sendable {
    /// What stands for the account, whether or not there is one: a hash of its address.
    let account: SHA256Digest
    /// The client's network; for an attempt by a session, that session.
    let origin: String
    let trust: Trust

    enum Trust: Hashable, Sendable {
        /// Nobody signed in to the account from this network yet.
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

/// Bounds how often passwords are guessed, without letting anybody lock an account.
///
/// Failures make further attempts wait, at most a few seconds. Attempts from a network that signed in to the account before wait for
/// that network's failures alone; those of strangers wait for the failures of all strangers. The places for waiting are bounded
/// by account and network. What is refused for long is a network with many failures at accounts that are none of its own.
/// Pure: time comes in, verdicts go out.
struct GuessLedger: Sendable {
    struct Limits: Sendable {
        /// Failures before attempts wait.
        var free: Int
        var window: Duration
        var longestWait: Duration
        /// Failures of one network at accounts that never signed in from it, before it is refused.
        var perNetwork: Int
        /// Attempts of one network that wait for the same account.
        var places = 4
        /// Attempts of strangers that wait for the same account.
        var strangerPlaces = 128
        /// Attempts that wait, of known networks and of strangers each.
        var totalPlaces = 1_024
        /// Entries of each table.
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
    /// Attempts of a network within the window, the current one with them, until it counts as a busy one.
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

    /// Entries of all tables.
    var size: Int { pairs.size + strangers.size + networks.size + loads.size + waitingPairs.count + waitingStrangers.count }

    /// Counts an attempt as failed until told otherwise, so that attempts at the same time cannot pass a limit together; and takes a
    /// place if it has to wait, until `waited`.
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

    /// The wait is over, or given up.
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

    /// The password was right: this network begins anew at this account.
    mutating func succeeded(_ guess: Guess) {
        withdraw(guess)
        pairs.forget(Pair(account: guess.account, origin: guess.origin))
    }

    /// The attempt was never decided: it does not count as a guess.
    /// - Parameter keepsLoad: whether it counts as something that the network asked for.
    mutating func withdraw(_ guess: Guess, keepsLoad: Bool = false) {
        pairs.withdraw(Pair(account: guess.account, origin: guess.origin))
        networks.withdraw(guess.origin)
        if guess.trust == .stranger {
            strangers.withdraw(guess.account)
            if !keepsLoad { loads.withdraw(guess.origin) }
        }
    }

    /// Counts work that was done for a network that gave no proof of anything.
    mutating func worked(for network: String, at now: Timestamp) { loads.add(network, at: now) }

    /// Where work for a stranger's network stands in the queue.
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
