import SparkCore
import Testing

@testable import SparkServer

@Suite("The schedule of backups")
struct BackupScheduleTests {
    private static let start = Timestamp(milliseconds: 1_772_366_400_000)
    private let instant = ContinuousClock.now

    private func record(succeeded: Duration? = nil, attempted: Duration? = nil) -> BackupRecord {
        var record = BackupRecord()
        record.succeededAt = succeeded.map { Self.start + $0 }
        record.attemptedAt = attempted.map { Self.start + $0 }
        return record
    }

    private func isDue(
        _ schedule: BackupSchedule, _ record: BackupRecord, encrypts: Bool = false, at now: Duration,
        instant passed: Duration = .zero
    ) -> Bool {
        schedule.isDue(record, encrypts: encrypts, now: Self.start + now, instant: instant + passed)
    }

    @Test("begins with a backup, and then counts from the last one, also after a restart")
    func interval() {
        let schedule = BackupSchedule(interval: .hours(24))
        #expect(isDue(schedule, record(), at: .zero))
        #expect(!isDue(schedule, record(succeeded: .zero), at: .hours(23)))
        #expect(isDue(schedule, record(succeeded: .zero), at: .hours(24)))
    }

    @Test("makes a backup at once when encryption was turned on, and one only")
    func encryption() {
        var schedule = BackupSchedule(interval: .hours(24))
        var last = record(succeeded: .zero, attempted: .zero)
        #expect(!isDue(schedule, last, at: .hours(1)) && isDue(schedule, last, encrypts: true, at: .hours(1)))
        last.isEncrypted = true
        #expect(!isDue(schedule, last, encrypts: true, at: .hours(1)))
        // Without encryption again, what is encrypted still counts.
        #expect(!isDue(schedule, last, at: .hours(1)))
        // Also if the record could not be written.
        schedule.succeeded(at: instant)
        #expect(!isDue(schedule, record(succeeded: .hours(1)), encrypts: true, at: .hours(2)))
    }

    @Test("goes on when the clock was set back, by the time that has really passed")
    func backwards() {
        var schedule = BackupSchedule(interval: .hours(24))
        schedule.succeeded(at: instant)
        let last = record(succeeded: .days(365))
        #expect(!isDue(schedule, last, at: .zero, instant: .hours(23)))
        #expect(isDue(schedule, last, at: .zero, instant: .hours(24)))
        // A new process does not know how much has passed.
        #expect(isDue(BackupSchedule(interval: .hours(24)), last, at: .zero))
    }

    @Test("makes one backup after a jump forward, not many")
    func forwards() {
        var schedule = BackupSchedule(interval: .hours(24))
        schedule.succeeded(at: instant)
        #expect(isDue(schedule, record(succeeded: .zero), at: .days(400)))
        schedule.succeeded(at: instant)
        #expect(!isDue(schedule, record(succeeded: .days(400)), at: .days(400)))
    }

    @Test("tries again after failures, in longer and longer waits, at most a quarter of the interval")
    func failures() {
        var schedule = BackupSchedule(interval: .hours(4))
        schedule.failed(at: instant)
        #expect(!isDue(schedule, record(), at: .zero, instant: .minutes(14)))
        #expect(isDue(schedule, record(), at: .zero, instant: .minutes(15)))
        for _ in 0..<10 { schedule.failed(at: instant) }
        #expect(!isDue(schedule, record(), at: .zero, instant: .minutes(59)))
        #expect(isDue(schedule, record(), at: .zero, instant: .minutes(60)))
    }

    @Test("waits after an attempt in which the process died")
    func killed() {
        let schedule = BackupSchedule(interval: .hours(24))
        let died = record(succeeded: .zero, attempted: .hours(24))
        #expect(!isDue(schedule, died, at: .hours(24) + .minutes(14)))
        #expect(isDue(schedule, died, at: .hours(24) + .minutes(15)))
        // The attempt is of a clock that was ahead.
        #expect(isDue(schedule, record(attempted: .hours(24)), at: .zero))
    }

    @Test("of every day is due at its hour, once, whenever the last time was")
    func daily() {
        let schedule = BackupSchedule(.daily(hour: 3))
        func isDue(last: Duration, at now: Duration) -> Bool {
            schedule.isDue(last: Self.start + last, attempted: nil, now: Self.start + now, instant: instant)
        }
        // It begins at noon.
        #expect(!isDue(last: .zero, at: .hours(15) - .milliseconds(1)))
        #expect(isDue(last: .zero, at: .hours(15)))
        #expect(isDue(last: .zero, at: .hours(30)), "the server was off at three")
        #expect(!isDue(last: .hours(15), at: .hours(39) - .milliseconds(1)))
        #expect(isDue(last: .hours(15), at: .hours(39)))
        #expect(!isDue(last: .hours(30), at: .hours(38)))
        #expect(isDue(last: .hours(30), at: .hours(39)), "one in between does not move the next one")
        #expect(BackupSchedule.Rhythm.daily(hour: 0).next(after: Self.start) == Self.start + .hours(12))
        #expect(BackupSchedule.Rhythm.daily(hour: 23).next(after: Timestamp(milliseconds: -1)).milliseconds == 82_800_000)
    }

    @Test("of every day survives jumps of the clock as the other one does")
    func dailyJumps() {
        var schedule = BackupSchedule(.daily(hour: 3))
        schedule.succeeded(at: instant)
        func isDue(last: Duration, at now: Duration, instant passed: Duration = .zero) -> Bool {
            schedule.isDue(last: Self.start + last, attempted: nil, now: Self.start + now, instant: instant + passed)
        }
        #expect(isDue(last: .zero, at: .days(400)), "forward: once")
        #expect(!isDue(last: .days(400), at: .days(400) + .seconds(1)))
        // Back by a year: by the time that has really passed.
        #expect(!isDue(last: .days(365), at: .hours(15), instant: .hours(23)))
        #expect(isDue(last: .days(365), at: .hours(15), instant: .hours(24)))
        // Back by some seconds over the hour: not a second time.
        #expect(!isDue(last: .hours(15) + .seconds(5), at: .hours(15) - .seconds(5), instant: .seconds(5)))
        #expect(!isDue(last: .hours(15) + .seconds(5), at: .hours(15) + .seconds(10), instant: .seconds(20)))
        let restarted = BackupSchedule(.daily(hour: 3))
        #expect(restarted.isDue(last: Self.start + .days(365), attempted: nil, now: Self.start, instant: instant))
    }

    @Test("knows how late the next backup is")
    func lateness() {
        var record = record()
        #expect(BackupGauges.lateness(record, interval: .hours(24), now: Self.start) == nil)
        record.scheduledSince = Self.start
        #expect(BackupGauges.lateness(record, interval: nil, now: Self.start + .hours(2)) == nil)
        #expect(BackupGauges.lateness(record, interval: .hours(24), now: Self.start + .hours(2)) == 7_200)
        record.succeededAt = Self.start + .hours(2)
        #expect(BackupGauges.lateness(record, interval: .hours(24), now: Self.start + .hours(25)) == 0)
        #expect(BackupGauges.lateness(record, interval: .hours(24), now: Self.start + .hours(27)) == 3_600)
        // One of a clock that was ahead says nothing.
        record.succeededAt = Self.start + .days(400)
        #expect(BackupGauges.lateness(record, interval: .hours(24), now: Self.start + .hours(30)) == 108_000)
        // A backup from before the schedule began is not late by years at once.
        record.succeededAt = Self.start - .days(365)
        #expect(BackupGauges.lateness(record, interval: .hours(24), now: Self.start + .hours(1)) == 3_600)
    }
}
