import Foundation
import SparkBench
import Testing

@Suite("The dating trace through the real cache")
struct ReplayTests {
    @Test("every answer is of the key that was asked for and of its newest version, with a disk and without")
    func answers() async throws {
        let trace = DatingTrace(people: 200, hours: 6, seed: 6)
        var ratios: [Double] = []
        for disk in [0, 8 << 20] {
            let directory = FileManager.default.temporaryDirectory.appendingPathComponent("spark-bench-\(UUID().uuidString)")
            let outcome = try await DatingReplay(trace, memory: 1 << 20, disk: disk, directory: directory).run()
            #expect(outcome.wrongAnswers == 0)
            #expect(outcome.reads > 1_000)
            #expect((outcome.diskHits > 0) == (disk > 0))
            #expect(outcome.loads >= outcome.misses)
            #expect(!FileManager.default.fileExists(atPath: directory.path))
            ratios.append(outcome.hitRatio)
        }
        #expect(ratios[0] < ratios[1])
    }
}
