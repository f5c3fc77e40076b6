import SparkCore
import SparkKit
import Testing

@testable import SparkAccounts

@Suite("What Accounts keeps in memory is bounded")
struct MemoryTests {
    private let now = Timestamp(milliseconds: 1_772_366_400_000)

    @Test("of failed logins the oldest windows are dropped")
    func failedLogins() throws {
        let failures = FailedLogins(limit: 1, window: .seconds(900), capacity: 3)
        for index in 0..<10 { try failures.begin("\(index)@example.org", at: now + .milliseconds(index)) }
        #expect(failures.count == 3)
        try failures.begin("0@example.org", at: now + .milliseconds(20))
        #expect(throws: AccountsError.self) { try failures.begin("9@example.org", at: now + .milliseconds(20)) }
    }

    @Test("windows that are over are dropped, and logins that succeed leave nothing")
    func failedLoginsEnd() throws {
        let failures = FailedLogins(limit: 1, window: .seconds(900), capacity: 100)
        for index in 0..<100 { try failures.begin("\(index)@example.org", at: now) }
        try failures.begin("x@example.org", at: now + .seconds(900))
        #expect(failures.count == 1)
        for _ in 0..<10_000 {
            try failures.begin("y@example.org", at: now + .seconds(901))
            failures.forget("y@example.org")
        }
        #expect(failures.count == 1)
    }

    @Test("an attempt that was never decided does not count")
    func failedLoginsWithdrawn() throws {
        let failures = FailedLogins(limit: 1, window: .seconds(900))
        for _ in 0..<5 {
            try failures.begin("a@example.org", at: now)
            failures.withdraw("a@example.org")
        }
        try failures.begin("a@example.org", at: now)
        #expect(throws: AccountsError.self) { try failures.begin("a@example.org", at: now) }
    }
}
