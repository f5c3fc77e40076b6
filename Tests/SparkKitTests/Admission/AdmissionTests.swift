import SparkCore
import Synchronization
import Testing

@testable import SparkKit

@Suite("Admission")
struct AdmissionTests {
    private let clock = ManualClock(Timestamp(milliseconds: 1_772_366_400_000))
    private let ada = UserID(rawValue: 1)
    private let ben = UserID(rawValue: 2)

    private func refusal(_ body: () throws -> Void) -> AdmissionRefused? {
        do {
            try body()
            return nil
        } catch {
            return error as? AdmissionRefused
        }
    }

    @Test("a bound for all, for a network, for a person and for a person's day each name themselves in the refusal")
    func scopes() throws {
        let limit = AdmissionLimit(total: 4, perNetwork: 3, perPerson: 2, perPersonDay: 3)
        let admission = Admission(limits: AdmissionLimits([.exports: limit]), clock: clock)
        var permits = try (0..<2).map { _ in try admission.permit(for: .exports, network: "a", person: ada) }
        #expect(refusal { _ = try admission.permit(for: .exports, network: "a", person: ada) }?.scope == .person)
        permits.append(try admission.permit(for: .exports, network: "a", person: ben))
        #expect(refusal { _ = try admission.permit(for: .exports, network: "a", person: ben) }?.scope == .network)
        permits.append(try admission.permit(for: .exports, network: "b", person: ben))
        let full = try #require(refusal { _ = try admission.permit(for: .exports, network: "c") })
        #expect(full.scope == .total && full.status == 503 && full.limit == 4 && full.retryAfter != nil)
        #expect(full.detail.contains("4"))
        permits.removeAll()
        #expect(admission.used(.exports) == 0)
        _ = try admission.permit(for: .exports, person: ada)
        let spent = try #require(refusal { _ = try admission.permit(for: .exports, person: ada) })
        #expect(spent.scope == .day && spent.status == 429)
        clock.advance(by: .days(1))
        #expect(refusal { _ = try admission.permit(for: .exports, person: ada) } == nil)
        #expect(admission.refusals(of: .exports, by: .total) == 1)
        #expect(admission.refusals(of: .exports, by: .network) == 1)
    }

    @Test("amounts that no number can hold are refused, negative ones count as nothing")
    func amounts() throws {
        let admission = Admission(limits: AdmissionLimits([.hashing: AdmissionLimit(total: 100)]), clock: clock)
        let permit = try admission.permit(for: .hashing, amount: 60)
        #expect(refusal { _ = try admission.permit(for: .hashing, amount: .max) }?.scope == .total)
        let nothing = try admission.permit(for: .hashing, amount: -50)
        nothing.end()
        #expect(admission.used(.hashing) == 60)
        permit.end()
        permit.end()
        #expect(admission.used(.hashing) == 0)
    }

    @Test("a connection that must close is notified once, and what it does afterwards does not count")
    func shedding() throws {
        let limits = AdmissionLimits([
            .connections: AdmissionLimit(total: 2), .bodies: AdmissionLimit(total: 100),
        ])
        let admission = Admission(limits: limits, clock: clock)
        let told = Mutex<[String]>([])
        func connect(_ network: String) throws -> AdmittedConnection {
            try admission.connect(from: network, at: 0) { resource in told.withLock { $0.append("\(network) \(resource)") } }
        }
        let first = try connect("a")
        let second = try connect("a")
        try first.hold(50, from: "a")
        let third = try connect("b")
        #expect(told.withLock { $0 } == ["a connections"])
        #expect(admission.used(.bodies) == 0 && admission.used(.connections) == 2)
        try first.hold(500, from: "a")
        first.move(to: .webSocket)
        first.end()
        #expect(admission.used(.bodies) == 0 && admission.used(.connections) == 2)
        try second.hold(90, from: "a")
        try third.hold(20, from: "b")
        #expect(told.withLock { $0 } == ["a connections", "a bodies"])
        #expect(admission.used(.bodies) == 20 && admission.used(.connections) == 1)
        #expect(admission.sheddings(for: .bodies) == 1)
        #expect(refusal { try third.hold(200, from: "b") }?.status == 503)
        third.releaseBody()
        #expect(admission.used(.bodies) == 0)
    }
}

@Suite("The bounds of a machine")
struct AdmissionPlanTests {
    private func plan(
        _ changes: [String: Int] = [:], descriptors: Int = 20_000, memory: Int = 8 << 30, body: Int = 65_536
    ) -> AdmissionPlan {
        var neighbours = AdmissionPlan.Neighbours()
        neighbours.maximumBodyBytes = body
        return AdmissionPlan(
            AdmissionConfiguration(
                SettingValues(
                    defaultsOf: AdmissionConfiguration.settings, changes.mapValues { Setting.Value.integer($0) })),
            machine: AdmissionMachine(descriptors: descriptors, memoryBytes: memory, processors: 2), neighbours: neighbours)
    }

    @Test("the bound of connections is what descriptors leave after a reserve", arguments: [250, 600, 4_096, 20_000])
    func connections(descriptors: Int) {
        let plan = plan(descriptors: descriptors)
        #expect(plan.faults.isEmpty, "\(plan.faults)")
        let limits = plan.limits
        #expect(limits[.connections].total == descriptors - plan.reserve)
        let (total, perNetwork) = (limits[.connections].total ?? 0, limits[.connections].perNetwork ?? 0)
        #expect(perNetwork * 4 <= total && perNetwork <= 1_024)
        #expect((limits[.streams].total ?? .max) <= total && (limits[.streams].perNetwork ?? .max) <= perNetwork)
    }

    @Test("a machine with many descriptors and little memory admits what its memory holds")
    func memory() {
        let plan = plan(descriptors: 1_048_576, memory: 512 << 20)
        #expect((plan.limits[.connections].total ?? 0) * AdmissionPlan.connectionBytes <= 128 << 20)
        #expect(plan.limits[.hashing].total == 128 << 20)
        #expect(self.plan(descriptors: 1_048_576, memory: 64 << 30).limits[.connections].total == 100_000)
    }

    @Test("too few descriptors are a fault that says how many are needed", arguments: [0, 64, 128, 200])
    func few(descriptors: Int) throws {
        let fault = try #require(plan(descriptors: descriptors).faults.first)
        #expect(fault.contains("\(descriptors)") && fault.contains("ulimit -n"))
    }

    @Test(
        "bounds that contradict each other are faults that name the key",
        arguments: [
            (["connections": 19_990], "limits.connections:"),
            (["connections": 100, "connections_per_network": 101], "limits.connections_per_network:"),
            (["body_bytes": 1 << 20, "body_bytes_per_network": 2 << 20], "limits.body_bytes_per_network:"),
            (["body_bytes_per_network": 65_535], "limits.body_bytes_per_network:"),
            (["body_bytes": 200_000], "limits.body_bytes:"), (["body_bytes": 1], "limits.body_bytes:"),
            (["body_bytes": (8 << 30) + 1], "limits.body_bytes:"), (["hashing_bytes": 9 << 30], "limits.hashing_bytes:"),
            (["hashing_bytes": (128 << 20) - 1], "limits.hashing_bytes:"),
            (["searches": 1, "searches_per_person": 2], "limits.searches_per_person:"),
        ] as [([String: Int], String)])
    func contradictions(changes: [String: Int], beginning: String) {
        let faults = plan(changes).faults
        #expect(faults.count == 1 && faults[0].hasPrefix(beginning), "\(faults)")
    }

    @Test("more connections than the memory holds are a fault, whatever the descriptors allow")
    func connectionsInMemory() {
        let faults = plan(["connections": 20_000], descriptors: 1_048_576, memory: 512 << 20).faults
        #expect(faults.count == 1 && faults[0].hasPrefix("limits.connections:") && faults[0].contains("memory"), "\(faults)")
    }

    @Test("what derives from a little machine is never a fault", arguments: [64, 128, 256, 1_024])
    func littleMachines(megabytes: Int) { #expect(plan(descriptors: 1_024, memory: megabytes << 20).faults.isEmpty) }

    @Test("a longer body gets more room by itself")
    func longBodies() {
        let plan = plan(body: 16 << 20)
        #expect(plan.faults.isEmpty)
        #expect(plan.limits[.bodies] == AdmissionLimit(total: 256 << 20, perNetwork: 64 << 20))
    }

    @Test("every bound has a row that says which key sets it")
    func rows() {
        let plan = plan()
        for resource in AdmissionResource.allCases {
            for scope in AdmissionScope.allCases {
                let row = plan.rows.first { $0.resource == resource && $0.scope == scope }
                #expect(row?.value == plan.limits[resource][scope])
                #expect(row?.key.isEmpty != true)
            }
        }
    }
}
