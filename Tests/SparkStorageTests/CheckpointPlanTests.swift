import Testing

@testable import SparkStorage

@Suite("The plan of checkpoints")
struct CheckpointPlanTests {
    @Test("pages gather before they are copied, counted from the last copy")
    func gathers() {
        var plan = CheckpointPlan()
        #expect(plan.next(at: CheckpointPlan.threshold - 1) == .none)
        #expect(plan.next(at: CheckpointPlan.threshold) == .copy)
        #expect(plan.next(at: CheckpointPlan.threshold * 2) == .none, "one step at a time")
        plan.note(moved: CheckpointPlan.threshold)
        plan.end()
        #expect(plan.next(at: CheckpointPlan.threshold * 2 - 1) == .none)
        #expect(plan.next(at: CheckpointPlan.threshold * 2) == .copy)
    }

    @Test("the writer waits for the end of a long log only once little is left, or after enough copies")
    func restarts() {
        var plan = CheckpointPlan()
        let goal = CheckpointPlan.restart
        #expect(plan.next(at: goal) == .copy)
        plan.note(moved: goal)
        plan.end()
        #expect(plan.next(at: goal + CheckpointPlan.remainder) == .restart)
        plan.end()

        var slow = CheckpointPlan()
        for round in 1...CheckpointPlan.rounds {
            #expect(slow.next(at: goal) == .copy)
            slow.note(moved: round)
            slow.end()
        }
        #expect(slow.next(at: goal) == .restart)
    }

    @Test("the writer does not wait for pages that a reader keeps, and they are copied alongside it afterwards")
    func keptPages() {
        var plan = CheckpointPlan()
        var pages = CheckpointPlan.restart
        // A backup reads the state of page 5.
        for _ in 0..<20 {
            #expect(plan.next(at: pages) == .copy)
            plan.note(moved: 5)
            plan.end()
            _ = plan.next(at: pages + 1) == .copy ? plan.end() : ()
            pages += CheckpointPlan.threshold + 2
        }
        // It has ended: twenty times as many pages are there as the writer may wait for.
        #expect(plan.next(at: pages) == .copy)
        plan.note(moved: pages)
        plan.end()
        #expect(plan.next(at: pages + 2_000) == .copy)
        plan.note(moved: pages + 2_000)
        plan.end()
        #expect(plan.next(at: pages + 2_100) == .restart, "little is left")
    }

    @Test("a restart that readers prevented is tried again when as many pages have gathered as for a copy")
    func triesAgain() {
        var plan = CheckpointPlan()
        let goal = CheckpointPlan.restart
        plan.note(moved: goal)
        #expect(plan.next(at: goal) == .restart)
        plan.end()
        #expect(plan.next(at: goal + CheckpointPlan.threshold - 1) == .none)
        plan.note(moved: goal + CheckpointPlan.threshold)
        #expect(plan.next(at: goal + CheckpointPlan.threshold) == .restart)
    }

    @Test("a log that began anew is planned anew")
    func beginsAnew() {
        var plan = CheckpointPlan()
        plan.note(moved: CheckpointPlan.restart)
        #expect(plan.next(at: CheckpointPlan.restart) == .restart)
        plan.end()
        #expect(plan.next(at: 10) == .none)
        #expect(plan.next(at: CheckpointPlan.threshold - 1) == .none)
        #expect(plan.next(at: CheckpointPlan.threshold) == .copy)
    }
}
