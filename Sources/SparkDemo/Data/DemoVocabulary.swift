import CSparkData
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

/// A file of the package's `data` folder, embedded at build time: nothing is read at run time.
struct EmbeddedFile: Sendable {
    /// The path from the package's root, for messages.
    let path: String
    /// The text; nil when the bytes are not UTF-8.
    let text: String?

    init(_ path: String, _ file: SparkDataFile) {
        self.path = path
        self.text = String(validating: UnsafeBufferPointer(start: file.bytes, count: file.length), as: UTF8.self)
    }

    static var cities: EmbeddedFile { EmbeddedFile("data/demo/cities.csv", spark_data_cities()) }
    static var names: EmbeddedFile { EmbeddedFile("data/demo/names.csv", spark_data_names()) }
    static var interests: EmbeddedFile { EmbeddedFile("data/demo/interests.txt", spark_data_interests()) }
    static var biographies: EmbeddedFile { EmbeddedFile("data/demo/bios.txt", spark_data_bios()) }
}
