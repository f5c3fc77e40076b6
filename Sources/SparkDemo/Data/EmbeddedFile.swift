import CSparkData

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
