import Foundation
import SparkCore
import Synchronization
import Testing

@testable import SparkBackup

@Suite("A backup of a clock that was ahead")
struct FutureBackupTests {
    @Test("does not stay the newest one: it is passed over with a note while another is complete")
    func passedOver() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            scene.clock.advance(by: .days(400))
            let ahead = try await scene.job().run().manifest
            scene.clock.advance(by: .days(-400))
            let now = ManualClock(scene.clock.now())
            var drill = BackupDrill(store: scene.store, opening: nil, folder: scene.folder)
            drill.clock = now
            #expect(try await drill.run { _, _ in }.manifest == ahead, "there is no other")
            try await scene.count(1)
            let right = try await scene.job().run().manifest
            #expect(try await drill.run { _, _ in }.manifest == right)
            let notes = Mutex<[String]>([])
            var restoration = scene.restoration()
            restoration.clock = now
            restoration.note = { note in notes.withLock { $0.append(note) } }
            #expect(try await restoration.run { _, _ in }.manifest == right)
            #expect(notes.withLock { $0 }.contains { $0.contains(ahead.name) })
            // By its name it can be had.
            try FileManager.default.removeItem(at: scene.target)
            restoration.name = ahead.name
            #expect(try await restoration.run { _, _ in }.manifest == ahead)
        }
    }

    @Test("may be of any time: while it stays, nothing counts as older than every backup")
    func oldest() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            let rule = BackupRetention(age: .days(30), interval: .hours(24))
            _ = try await scene.job().run()
            scene.clock.advance(by: .hours(2))
            let now = scene.clock.now()
            #expect(try await BackupCatalog(scene.store).sweep(rule, now: now).oldest == now - .hours(2))
            scene.clock.advance(by: .days(400))
            _ = try await scene.job().run()
            #expect(try await BackupCatalog(scene.store).sweep(rule, now: now).oldest == Timestamp(milliseconds: 0))
        }
    }
}
