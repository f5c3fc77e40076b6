/// Punycode (RFC 3492): encodes Unicode text as letters, digits and hyphens. A domain label holds it after `xn--`.
///
/// The mixed-case annotation (appendix A of the RFC) is not supported: ASCII letters keep their case.
enum Punycode {
    private static let base = 36
    private static let tMin = 1
    private static let tMax = 26
    private static let skew = 38
    private static let damp = 700
    private static let initialBias = 72
    private static let initialN = 128
    private static let delimiter = Unicode.Scalar(0x2D as UInt8)

    /// The longest text that is accepted, in code points or bytes. No domain label is longer.
    static let longest = 255

    /// Section 6.3. Nil for texts longer than `longest`.
    static func encode(_ text: some Sequence<Unicode.Scalar>) -> String? {
        let input = Array(text)
        guard input.count <= longest else { return nil }
        var output = input.filter(\.isASCII)
        let basicCount = output.count
        var handled = basicCount
        if basicCount > 0 { output.append(delimiter) }
        var (n, delta, bias) = (initialN, 0, initialBias)
        while handled < input.count {
            guard let next = input.lazy.map({ Int($0.value) }).filter({ $0 >= n }).min(),
                let risen = sum(delta, (next - n), times: handled + 1)
            else { return nil }
            (n, delta) = (next, risen)
            for scalar in input {
                if scalar.value < n { delta += 1 }
                guard scalar.value == n else { continue }
                append(delta, bias: bias, to: &output)
                bias = adapt(delta, count: handled + 1, isFirst: handled == basicCount)
                delta = 0
                handled += 1
            }
            delta += 1
            n += 1
        }
        var encoded = String.UnicodeScalarView()
        encoded.append(contentsOf: output)
        return String(encoded)
    }

    /// Section 6.2. Nil for texts that are not valid Punycode.
    static func decode(_ text: String) -> [Unicode.Scalar]? {
        let input = Array(text.unicodeScalars)
        guard input.count <= longest, input.allSatisfy(\.isASCII) else { return nil }
        let split = input.lastIndex(of: delimiter)
        var output = split.map { Array(input[..<$0]) } ?? []
        var index = split.map { $0 + 1 } ?? 0
        var (n, i, bias) = (initialN, 0, initialBias)
        while index < input.count {
            let old = i
            var weight = 1
            var k = base
            while true {
                guard index < input.count, let digit = digit(input[index]), let sum = sum(i, digit, times: weight) else {
                    return nil
                }
                index += 1
                i = sum
                let threshold = threshold(k, bias)
                if digit < threshold { break }
                let (product, isTooLarge) = weight.multipliedReportingOverflow(by: base - threshold)
                guard !isTooLarge else { return nil }
                weight = product
                k += base
            }
            bias = adapt(i - old, count: output.count + 1, isFirst: old == 0)
            n += i / (output.count + 1)
            i %= output.count + 1
            guard n <= 0x10FFFF, let scalar = UInt32(exactly: n).flatMap({ Unicode.Scalar($0) }) else { return nil }
            output.insert(scalar, at: i)
            i += 1
        }
        return output
    }

    /// Writes a variable-length integer (section 3.3).
    private static func append(_ delta: Int, bias: Int, to output: inout [Unicode.Scalar]) {
        var q = delta
        var k = base
        while true {
            let threshold = threshold(k, bias)
            guard q >= threshold else { break }
            output.append(character(threshold + (q - threshold) % (base - threshold)))
            q = (q - threshold) / (base - threshold)
            k += base
        }
        output.append(character(q))
    }

    /// Bias adaptation (section 6.1).
    private static func adapt(_ delta: Int, count: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / count
        var k = 0
        while delta > (base - tMin) * tMax / 2 {
            delta /= base - tMin
            k += base
        }
        return k + (base - tMin + 1) * delta / (delta + skew)
    }

    private static func threshold(_ k: Int, _ bias: Int) -> Int { min(max(k - bias, tMin), tMax) }

    /// `left + right · times`; nil on overflow.
    private static func sum(_ left: Int, _ right: Int, times: Int) -> Int? {
        let (product, isTooLarge) = right.multipliedReportingOverflow(by: times)
        guard !isTooLarge else { return nil }
        let (sum, overflow) = left.addingReportingOverflow(product)
        // Half the range stays free for the unchecked additions of one.
        return overflow || sum > Int.max / 2 ? nil : sum
    }

    /// 0 to 25 are a to z, 26 to 35 are 0 to 9.
    private static func character(_ digit: Int) -> Unicode.Scalar {
        Unicode.Scalar(UInt8(truncatingIfNeeded: digit < 26 ? 0x61 + digit : 0x30 + digit - 26))
    }

    private static func digit(_ character: Unicode.Scalar) -> Int? {
        switch character.value {
        case 0x61...0x7A: Int(character.value - 0x61)
        case 0x41...0x5A: Int(character.value - 0x41)
        case 0x30...0x39: Int(character.value - 0x30) + 26
        default: nil
        }
    }
}
