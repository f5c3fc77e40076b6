import Foundation
import Logging
import SparkCore
import SparkKit
import SparkServer
import SparkStorage
import SparkTestSupport
import Testing

@Suite("The plan of modules")
struct ModulePlanTests {
    @Test("modules are sorted behind their dependencies, whatever the list's order")
    func sorted() {
        let plan = ModulePlan([Leaf.self, Branch.self, Root.self])
        #expect(plan.faults.isEmpty)
        #expect(plan.manifests.map(\.id) == ["root", "branch", "leaf"])
    }

    @Test("a missing eraser, a cycle and a clashing route are refused together, before anything opens")
    func allAtOnce() async throws {
        let error = await #expect(throws: PlanError.self) {
            _ = try await TestServer.start([
                Root.self, ForgetsToErase.self, FirstOfCycle.self, SecondOfCycle.self, ClashesWithRoot.self,
            ])
        }
        let text = try #require(error).description
        #expect(text.contains("module forgetful: has no eraser for the user-linked table forgetful_notes"))
        #expect(text.contains("module first: is part of a cycle of dependencies"))
        #expect(text.contains("module second: is part of a cycle of dependencies"))
        #expect(text.contains("module clashing: registers the route GET /api/v1/root/{name}, which root registers already"))
    }

    @Test("two modules that declare cache tag kinds of one name are refused")
    func tagKindsCollide() async throws {
        let error = await #expect(throws: PlanError.self) {
            _ = try await TestServer.start([FirstTagOwner.self, SecondTagOwner.self])
        }
        let faults = try #require(error).faults
        #expect(
            faults.map(\.description) == [
                "module elm: declares the cache tag kind sample.trees, which collides with sample.trees of oak"
            ])
    }

    @Test("a refused server releases its data directory")
    func directoryGivenBack() throws {
        let directory = try DataDirectory.temporary()
        let modules: [any SparkModule.Type] = [Root.self, Root.self]
        let configuration = try LoadedConfiguration(schema: ConfigurationSchema(modules: [Root.self]))
        let options = Server.Options(
            modules: modules, configuration: configuration, directory: directory, logger: Logger(label: "test"))
        #expect(throws: PlanError.self) { _ = try Server(options) }
        #expect(!FileManager.default.fileExists(atPath: directory.url.path))
    }

    @Test("each kind of faulty manifest is named", arguments: FaultyManifest.all)
    func faults(_ sample: FaultyManifest) {
        let faults = ModulePlan(sample.modules).faults.map(\.reason)
        #expect(faults.contains { $0.contains(sample.expected) }, "\(faults)")
    }

    @Test("a disabled module does not run, and one that needs it is refused")
    func disabled() async throws {
        try await withServer(TestServer.start([Root.self, Branch.self], settings: ["modules.disabled=branch"])) { server in
            let answer = try await server.call("GET", "/api/v1/root/x")
            #expect(answer.status == 200)
        }
        #expect(
            ModulePlan([Root.self, Branch.self], disabled: ["root"]).faults.map(\.reason) == [
                "depends on root, which is not there"
            ])
        #expect(ModulePlan([Root.self], disabled: ["rooot"]).faults.map(\.reason) == ["is disabled but does not exist"])
    }

    @Test("events reach modules that declared the publisher, after the commit")
    func events() async throws {
        try await withServer(TestServer.start([Branch.self, Root.self])) { server in
            #expect(try await server.call("GET", "/api/v1/branch/heard").json["count"]?.integer == 0)
            for _ in 0..<5 { _ = try await server.call("POST", "/api/v1/root/grow", json: "{}") }
            await server.drainEvents()
            #expect(try await server.call("GET", "/api/v1/branch/heard").json["count"]?.integer == 5)
        }
    }

    @Test("a subscription to a module that is not a dependency is refused")
    func undeclaredSubscription() async throws {
        let error = await #expect(throws: PlanError.self) {
            _ = try await TestServer.start([Root.self, Eavesdropper.self])
        }
        #expect(try #require(error).description.contains("subscribes to root.grew without declaring the dependency on root"))
    }
}

/// A module list with one fault, and words of the report.
struct FaultyManifest: Sendable, CustomTestStringConvertible {
    let modules: [any SparkModule.Type]
    let expected: String
    var testDescription: String { expected }

    static let all: [FaultyManifest] = [
        FaultyManifest(modules: [Root.self, Root.self], expected: "is in the list twice"),
        FaultyManifest(modules: [Branch.self], expected: "depends on root, which is not there"),
        FaultyManifest(modules: [BadlyNamed.self], expected: "reserved or not of lower-case letters"),
        FaultyManifest(modules: [BadlyPrefixed.self], expected: "the migration other.001_x, which lacks its prefix"),
        FaultyManifest(modules: [BadlyPrefixed.self], expected: "the table other_x, which lacks its prefix"),
        FaultyManifest(modules: [BadlyMeasured.self], expected: "not in base units"),
        FaultyManifest(modules: [BadlyMeasured.self], expected: "a second time"),
        FaultyManifest(modules: [Root.self, ReadsStrangers.self], expected: "reads the table root_trees, which no declared"),
    ]
}
