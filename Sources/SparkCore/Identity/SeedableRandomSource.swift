import Synchronization

/// Random numbers that become repeatable once a test gives a seed; until then they come from another source.
///
/// Each branch has a sequence of its own, so what one part of the server draws does not change what another part gets.
package final class SeedableRandomSource: RandomSource {
    private struct State {
        /// Nil until the first seed.
        var seed: UInt64?
        /// How often a test gave a seed.
        var seedings: UInt64 = 0
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
            if let seed = state.seed { branch.begin(Self.seed(seed, of: name)) }
            state.branches[name] = branch
            return branch
        }
    }

    /// From now on this source and its branches give numbers that depend on the seed and on how many seeds came before: the same seed for
    /// a second time gives others, because rows with the first ones may still be there.
    package func seed(_ seed: UInt64) {
        let number = state.withLock { state in
            state.seedings += 1
            return state.seedings
        }
        begin(number == 1 ? seed : SplitMix64.mix(seed ^ SplitMix64.mix(number)))
    }

    private func begin(_ seed: UInt64) {
        let branches = state.withLock { state in
            state.seed = seed
            state.generator = SplitMix64(seed: seed)
            return state.branches
        }
        for (name, branch) in branches { branch.begin(Self.seed(seed, of: name)) }
    }

    private static func seed(_ seed: UInt64, of branch: String) -> UInt64 { seed ^ SplitMix64.mix(of: branch) }

    /// Where this source and its branches are in their sequences.
    package var position: Position {
        let (own, branches) = state.withLock { state in
            (Position(seed: state.seed, seedings: state.seedings, generator: state.generator), state.branches)
        }
        var position = own
        position.branches = branches.mapValues(\.position)
        return position
    }

    /// Goes on from a position. Branches that were made since begin anew.
    package func resume(at position: Position) {
        let branches = state.withLock { state in
            (state.seed, state.seedings, state.generator) = (position.seed, position.seedings, position.generator)
            return state.branches
        }
        for (name, branch) in branches {
            if let place = position.branches[name] {
                branch.resume(at: place)
            } else if let seed = position.seed {
                branch.begin(Self.seed(seed, of: name))
            } else {
                branch.resume(at: Position())
            }
        }
    }

    /// The place in a sequence of random numbers.
    package struct Position: Sendable {
        fileprivate var seed: UInt64?
        fileprivate var seedings: UInt64 = 0
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
