extension Sequence<Int64> {
    /// The sum; the largest or the smallest number if there is none that is as large or as small.
    var clampedSum: Int64 {
        reduce(0) { sum, number in
            let (next, isTooMuch) = sum.addingReportingOverflow(number)
            return isTooMuch ? (number < 0 ? .min : .max) : next
        }
    }
}
