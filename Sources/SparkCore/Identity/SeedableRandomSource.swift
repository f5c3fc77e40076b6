import Synchronization

/// Random numbers that become repeatable once a test gives a seed; until then they come from another source.
///
/// Each branch has a sequence of its own, so what one part of the server draws does not change what another part gets.
package final class SeedableRandomSource: RandomSource {
    private struct State {
        /// Nil until the first seed.
        var seed: UInt64?
        var generator: SplitMix64?
        var branches: [String: SeedableRandomSource] = [:]
    }

    private let base: any RandomSource
    private let state = Mutex(State())

    /// A source that passes the numbers of another one on.
    package init(_ base: any RandomSource) { self.base = base }

    package func next() -> UInt64 { state.withLock { $0.generator?.next() } ?? base.next() }

    /// The source of one part of the server. The same name gives the same source.
    package func branch(_ name: String) -> SeedableRandomSource {
        state.withLock { state in
            if let branch = state.branches[name] { return branch }
            let branch = SeedableRandomSource(base)
            if let seed = state.seed { branch.seed(Self.seed(seed, of: name)) }
            state.branches[name] = branch
            return branch
        }
    }

    /// From now on this source and its branches give the numbers of a seed, whatever they gave before.
    package func seed(_ seed: UInt64) {
        let branches = state.withLock { state in
            state.seed = seed
            state.generator = SplitMix64(seed: seed)
            return state.branches
        }
        for (name, branch) in branches { branch.seed(Self.seed(seed, of: name)) }
    }

    private static func seed(_ seed: UInt64, of branch: String) -> UInt64 { seed ^ SplitMix64.mix(of: branch) }

    /// Where this source and its branches are in their sequences.
    package var position: Position {
        let (seed, generator, branches) = state.withLock { ($0.seed, $0.generator, $0.branches) }
        return Position(seed: seed, generator: generator, branches: branches.mapValues(\.position))
    }

    /// Goes on from a position. Branches that were made since begin anew.
    package func resume(at position: Position) {
        let branches = state.withLock { state in
            (state.seed, state.generator) = (position.seed, position.generator)
            return state.branches
        }
        for (name, branch) in branches {
            if let place = position.branches[name] {
                branch.resume(at: place)
            } else if let seed = position.seed {
                branch.seed(Self.seed(seed, of: name))
            } else {
                branch.resume(at: Position())
            }
        }
    }

    /// The place in a sequence of random numbers.
    package struct Position: Sendable {
        fileprivate var seed: UInt64?
        fileprivate var generator: SplitMix64?
        fileprivate var branches: [String: Position] = [:]
    }
}

extension SplitMix64 {
    /// A hash of a text, the same in every process.
    static func mix(of text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { mix($0 ^ UInt64($1)) }
    }
}
