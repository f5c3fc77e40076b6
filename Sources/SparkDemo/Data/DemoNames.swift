import SparkCore

/// A city with its centre and population.
struct City: Sendable {
    let name: String
    let centre: Coordinate
    let population: Int

    static let header = "name,country,latitude,longitude,population"

    /// Parses the five fields of a row; nil when one of them is out of range.
    init?(fields: [Substring]) {
        guard fields.count == 5, fields[1].utf8.count == 2, let latitude = Double(fields[2]),
            let longitude = Double(fields[3]), let centre = Coordinate(latitude: latitude, longitude: longitude),
            let population = Int(fields[4]), (1...100_000_000).contains(population)
        else { return nil }
        self.name = String(fields[0])
        self.centre = centre
        self.population = population
    }
}

/// A given name and the gender it is used for.
struct GivenName: Sendable {
    let text: String
    let gender: Gender

    static let header = "name,gender"

    /// Parses the two fields of a row; nil for an unknown gender.
    init?(fields: [Substring]) {
        guard fields.count == 2, let gender = Gender(wire: String(fields[1])) else { return nil }
        self.text = String(fields[0])
        self.gender = gender
    }
}
