import Foundation
import SparkCore
import Testing

@testable import SparkBackup

@Suite("Which backups are removed")
struct BackupRetentionTests {
    private static let start = Timestamp(milliseconds: 1_772_366_400_000)
    private let retention = BackupRetention(age: .days(30), interval: .hours(24))

    private func backup(day: Int, isComplete: Bool = true, hasManifest: Bool = true) -> BackupRetention.Kept {
        .init(
            name: BackupName(at: Self.start + .days(day), random: SeededRandomSource(seed: UInt64(day + 1_000))),
            isComplete: isComplete, hasManifest: hasManifest)
    }

    private func days(_ names: [BackupName]) -> [Int] { names.map { Int(($0.time - Self.start).inSeconds / 86_400) }.sorted() }

    @Test("Expired ones, and no others")
    func expired() {
        let backups = (0...40).map { backup(day: $0) }
        #expect(days(retention.expired(backups, now: Self.start + .days(40))) == Array(0...10))
    }

    @Test("Never the newest complete one, however old")
    func newest() {
        #expect(retention.expired([backup(day: 0)], now: Self.start + .days(400)) == [])
        let broken = [backup(day: 0), backup(day: 1), backup(day: 2, isComplete: false)]
        #expect(days(retention.expired(broken, now: Self.start + .days(400))) == [0, 2])
    }

    @Test("None after a jump of the clock or a long stop, until the next backup shows that the time is right")
    func jump() {
        var backups = (0...5).map { backup(day: $0) } + [backup(day: 400)]
        #expect(retention.expired(backups, now: Self.start + .days(400)) == [])
        backups.append(backup(day: 401))
        #expect(days(retention.expired(backups, now: Self.start + .days(401))) == Array(0...5))
    }

    @Test("One of the future is not the newest one")
    func future() {
        let backups = [backup(day: 0), backup(day: 31), backup(day: 32), backup(day: 900)]
        #expect(days(retention.expired(backups, now: Self.start + .days(32))) == [0])
    }

    @Test("What never ended, after a day")
    func leftovers() {
        let backups = [backup(day: 0, isComplete: false, hasManifest: false), backup(day: 1)]
        #expect(retention.expired(backups, now: Self.start + .hours(23)) == [])
        #expect(days(retention.expired(backups, now: Self.start + .hours(24))) == [0])
    }

    @Test("They are gone from the store, with everything in them, and the oldest of the others is reported")
    func swept() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            let first = try await scene.job().run().manifest.name
            scene.clock.advance(by: .days(20))
            let second = try await scene.job().run().manifest
            scene.clock.advance(by: .days(11))
            let third = try await scene.job().run().manifest.name
            let retention = BackupRetention(age: .days(30), interval: .days(7))
            let swept = try await BackupCatalog(scene.store).sweep(retention, now: scene.clock.now())
            #expect(swept.removed.map(\.text) == [first])
            #expect(swept.oldest.map { $0.milliseconds / 1_000 } == second.takenAt.milliseconds / 1_000)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: scene.place.appending(path: "backups").path).sorted() == [
                    second.name, third,
                ])
        }
    }

    @Test("A name has its time, and is read back")
    func names() throws {
        let name = BackupName(at: Self.start + .milliseconds(1_234), random: SeededRandomSource(seed: 1))
        #expect(name.text.hasPrefix("20260301T120001Z-"))
        let read = try #require(BackupName(name.text))
        #expect(read == name && read.time == Self.start + .seconds(1))
        for text in [
            "", "20260301T120001Z", "20260231T120001Z-00000000", "20260301T250001Z-00000000", "20260301T120001Z-0000000g",
        ] {
            #expect(BackupName(text) == nil, "\(text)")
        }
    }
}
