import SparkCore
import Testing

@Suite("Random numbers that a test can repeat")
struct SeedableRandomSourceTests {
    private func source() -> SeedableRandomSource { SeedableRandomSource(SeededRandomSource(seed: 7)) }

    @Test("come from the other source until there is a seed")
    func before() {
        let other = SeededRandomSource(seed: 7)
        let source = source()
        for _ in 0..<3 { #expect(source.next() == other.next()) }
    }

    @Test("are the same after the same seed, whatever was drawn before")
    func repetition() {
        let (first, second) = (source(), source())
        for _ in 0..<5 { _ = second.next() }
        first.seed(42)
        second.seed(42)
        let numbers = first.next(count: 4)
        #expect(numbers == second.next(count: 4))
        second.seed(43)
        #expect(numbers != second.next(count: 4))
        // A second time the same seed gives others, and again the same in another server.
        let (third, fourth) = (source(), source())
        for source in [third, fourth] { for _ in 0..<2 { source.seed(42) } }
        let others = third.next(count: 4)
        #expect(others != numbers && others == fourth.next(count: 4))
        #expect(third.branch("a").next(count: 2) == fourth.branch("a").next(count: 2))
    }

    @Test("of one branch do not depend on those of another, and differ from them")
    func branches() {
        let (first, second) = (source(), source())
        for source in [first, second] { _ = (source.branch("a"), source.branch("b")) }
        first.seed(1)
        second.seed(1)
        for _ in 0..<10 { _ = (second.next(), second.branch("b").next()) }
        let numbers = first.branch("a").next(count: 4)
        #expect(numbers == second.branch("a").next(count: 4))
        #expect(numbers != first.branch("b").next(count: 4))
        #expect(first.branch("a") === first.branch("a"))
    }

    @Test("go on where they were after a return to an earlier place")
    func position() {
        let source = source()
        let branch = source.branch("a")
        source.seed(5)
        _ = branch.next()
        let position = source.position
        let numbers = branch.next(count: 3) + source.branch("b").next(count: 3) + source.next(count: 3)
        source.resume(at: position)
        #expect(numbers == branch.next(count: 3) + source.branch("b").next(count: 3) + source.next(count: 3))
    }
}
