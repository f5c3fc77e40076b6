/// Groups of digits with only separators between them.
struct DigitRun: Sendable {
    private(set) var groups: [[UInt8]] = []
    /// The text between each group and the next.
    private(set) var separators: [String] = []
    private(set) var count = 0

    private static let looseSigns: Set<Character> = [",", ";", ":", "|", "、", "\n"]

    mutating func append(_ digit: UInt8, after separator: String) {
        count += 1
        guard !groups.isEmpty, separator.isEmpty else {
            if !groups.isEmpty { separators.append(separator) }
            groups.append([digit])
            return
        }
        groups[groups.count - 1].append(digit)
    }

    private func isLoose(_ separator: String) -> Bool { separator.contains(where: Self.looseSigns.contains) }

    /// Whether the digits differ. `55555555` is laughter in Thai, and `oh oh oh oh` is a sigh.
    var hasDifferentDigits: Bool {
        let first = groups.first?.first
        return groups.contains { group in group.contains { $0 != first } }
    }

    /// Whether a loose separator, such as a comma, divides the run. Its groups may then belong to different numbers.
    var isLoose: Bool { separators.contains(where: isLoose) }

    /// The number of digits in each part between loose separators.
    var tightCounts: [Int] {
        var counts = [groups.first?.count ?? 0]
        for (separator, group) in zip(separators, groups.dropFirst()) {
            if isLoose(separator) { counts.append(group.count) } else { counts[counts.count - 1] += group.count }
        }
        return counts
    }
}

/// Recognizes ordinary numbers of seven digits and more: dates, times, years, prices, sizes, and ranges of them.
enum OrdinaryNumbers {
    /// A run with more items is a list and is not explained.
    private static let mostItems = 4

    /// Whether a run consists only of ordinary numbers, each separated from the next by a space, a dash or a comma.
    static func explain(_ run: DigitRun) -> Bool {
        guard run.groups.count <= 3 * mostItems else { return false }
        let values = run.groups.map { $0.reduce(0) { ($0 &* 10 &+ Int($1)) & 0xFFFF } }
        let lengths = run.groups.map(\.count)
        if isRound(run) || isBody(values, lengths, run.separators) { return true }
        let isOnlyYears = values.indices.allSatisfy { isYear(values[$0], lengths[$0]) }
        if isOnlyYears, (2...3).contains(values.count) { return true }
        var (index, items) = (0, 0)
        while index < values.count {
            guard items < mostItems, let length = item(at: index, values, lengths, run.separators) else { return false }
            items += 1
            index += length
            guard index < values.count else { break }
            let between = run.separators[index - 1]
            guard between.contains(where: { $0 == " " || $0 == "-" || $0 == "," || $0 == "\n" }) || between == "/" else {
                return false
            }
        }
        return true
    }

    /// - Returns: the number of groups of the item that begins at a group; nil if no item begins there.
    private static func item(at index: Int, _ values: [Int], _ lengths: [Int], _ separators: [String]) -> Int? {
        func value(_ offset: Int) -> Int { index + offset < values.count ? values[index + offset] : -1 }
        func length(_ offset: Int) -> Int { index + offset < lengths.count ? lengths[index + offset] : 0 }
        func separator(_ offset: Int) -> String { index + offset < separators.count ? separators[index + offset] : "" }
        let (first, second) = (separator(0), separator(1))
        let isDateSign = first == "." || first == "/" || first == "-" || first == ". "
        // A date with its year first or last.
        if isDateSign, first == second {
            let isYearFirst = isYear(value(0), length(0))
            let isYearLast = isYear(value(2), length(2)) || (length(2) == 2 && first != "-")
            if isYearFirst ? length(1) <= 2 && length(2) <= 2 : length(0) <= 2 && length(1) <= 2 && isYearLast {
                let (one, two) = isYearFirst ? (value(1), value(2)) : (value(0), value(1))
                if (1...31).contains(one), (1...31).contains(two), min(one, two) <= 12 { return 3 }
            }
        }
        // A time with or without seconds.
        if first == ":" || first == ".", length(0) <= 2, length(1) == 2, (0...24).contains(value(0)), value(1) <= 59 {
            return first == second && first == ":" && length(2) == 2 && value(2) <= 59 ? 3 : 2
        }
        // A date without its year.
        if first == "." || first == "/", length(0) <= 2, length(1) <= 2, (1...31).contains(value(0)), (1...31).contains(value(1)),
            min(value(0), value(1)) <= 12
        {
            return 2
        }
        // A price of up to four digits and cents, or thousands.
        if first == "." || first == ",", length(0) <= 4, length(1) == 2, value(0) > 0, separators.count < 4 { return 2 }
        if first == "." || first == "," || first == "'", length(1) == 3, value(0) > 0, separators.count < 4,
            (1...2).contains(length(0)) || length(0) == 3 && value(1) == 0
        {
            return 2
        }
        return isYear(value(0), length(0)) && (values.count > 1) ? 1 : nil
    }

    private static func isYear(_ value: Int, _ length: Int) -> Bool { length == 4 && (1900...2100).contains(value) }

    /// Whether a run is a round number (`1.000.000`, `12 500 000`, `5000000`), or millions in groups of three after a single
    /// digit.
    private static func isRound(_ run: DigitRun) -> Bool {
        guard let first = run.groups.first, let leading = first.first, leading != 0 else { return false }
        let rest = run.groups.dropFirst()
        if rest.isEmpty { return first.dropFirst(2).allSatisfy { $0 == 0 } }
        guard first.count <= 3, rest.allSatisfy({ $0.count == 3 }), let sign = run.separators.first,
            [".", ",", " ", "'", "’"].contains(sign), run.separators.allSatisfy({ $0 == sign })
        else { return false }
        return rest.last?.allSatisfy { $0 == 0 } == true || first.count == 1 && rest.count == 2 && sign != " "
    }

    /// Whether a run is height, weight and age: `183/78/29`.
    private static func isBody(_ values: [Int], _ lengths: [Int], _ separators: [String]) -> Bool {
        values.count == 3 && (140...220).contains(values[0]) && (40...160).contains(values[1]) && (18...99).contains(values[2])
            && lengths[0] == 3 && separators.allSatisfy { ["/", "-", " / ", " - ", ", "].contains($0) }
    }
}
