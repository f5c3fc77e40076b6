// The C library's log, sin and cos differ between systems in the last digit, and a town must be identical everywhere. These use
// only the four operations and roundings that IEEE 754 defines to the bit, and are accurate to about 1e-15.

/// The natural logarithm of a positive, finite number.
func logarithm(_ value: Double) -> Double {
    // value = significand × 2^exponent with the significand in √½…√2, where the series below converges fast.
    var significand = value.significand
    var exponent = Double(value.exponent)
    if significand > 1.414_213_562_373_095 {
        significand /= 2
        exponent += 1
    }
    // ln m = 2 artanh t = 2 (t + t³/3 + t⁵/5 + …), |t| < 0.172.
    let t = (significand - 1) / (significand + 1)
    let square = t * t
    var sum = 0.0
    for divisor in stride(from: 21, through: 1, by: -2) { sum = sum * square + 1 / Double(divisor) }
    return 2 * t * sum + exponent * 0.693_147_180_559_945_3
}

/// Cosine and sine of an angle given in turns, 0..<1.
func direction(turns: Double) -> (cosine: Double, sine: Double) {
    let eighths = (turns * 4).rounded()
    let (cosine, sine) = shortDirection(radians: (turns - eighths / 4) * 2 * .pi)
    switch Int(eighths) & 3 {
    case 0: return (cosine, sine)
    case 1: return (-sine, cosine)
    case 2: return (-cosine, -sine)
    default: return (sine, -cosine)
    }
}

/// The cosine of a latitude in degrees, −90…90.
func cosine(latitude: Double) -> Double {
    direction(turns: abs(latitude) / 360).cosine
}

/// Taylor series for angles within ±π/4.
private func shortDirection(radians x: Double) -> (cosine: Double, sine: Double) {
    let square = x * x
    var cosine = 1.0
    var sine = 1.0
    for term in stride(from: 16.0, through: 2, by: -2) {
        cosine = 1 - cosine * square / (term * (term - 1))
        sine = 1 - sine * square / (term * (term + 1))
    }
    return (cosine, sine * x)
}
