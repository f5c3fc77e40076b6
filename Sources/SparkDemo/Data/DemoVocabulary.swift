import SparkCore

/// The parsed content of the embedded files.
struct DemoVocabulary: Sendable {
    /// In the order of the file.
    let cities: [City]
    /// Indexed by the raw value of the gender; none is empty.
    let names: [[String]]
    let interests: [String]
    let biographies: [BiographyFragment]

    /// - Throws: `DemoDataError` for the first invalid line.
    init() throws {
        func lines(_ file: EmbeddedFile) throws -> LineFile { try LineFile(path: file.path, text: file.text) }
        self.cities = try lines(.cities).rows(header: City.header, City.init(fields:))
        let names = try lines(.names).rows(header: GivenName.header, GivenName.init(fields:))
        self.names = Gender.allCases.map { gender in names.filter { $0.gender == gender }.map(\.text) }
        self.interests = try lines(.interests).values { String($0) }
        self.biographies = try lines(.biographies).values(BiographyFragment.init(line:))

        for (path, isTooShort) in [
            (EmbeddedFile.cities.path, cities.isEmpty), (EmbeddedFile.names.path, self.names.contains(where: \.isEmpty)),
            (EmbeddedFile.interests.path, interests.count < SelfDescription.interestCount.upperBound),
            (EmbeddedFile.biographies.path, biographies.count < SelfDescription.fragmentCount.upperBound),
        ] where isTooShort {
            throw DemoDataError(path: path, line: 1, reason: "has too few rows")
        }
    }

    /// The embedded vocabulary, parsed once per process. The files are part of the program, so an invalid one is a programmer's
    /// error, which the tests detect.
    static let embedded: DemoVocabulary = {
        do {
            return try DemoVocabulary()
        } catch {
            preconditionFailure("\(error)")
        }
    }()
}
