import CSparkSystem

/// What the kernel says about its clock.
package enum MachineClock {
    /// Whether a time service keeps the clock right; nil if the kernel does not say.
    package static var isSynchronised: Bool? {
        let answer = spark_clock_is_synchronised()
        return answer < 0 ? nil : answer == 1
    }
}
