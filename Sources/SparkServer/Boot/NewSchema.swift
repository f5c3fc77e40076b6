import CSparkData
package import SparkStorage

/// The schema of a new database of Spark's own modules, `data/schema.sql`.
package enum NewSchema {
    /// Nil if the file names no migration, as before it is first written.
    package static var script: SchemaScript? {
        let file = spark_data_schema()
        return SchemaScript(String(decoding: UnsafeBufferPointer(start: file.bytes, count: file.length), as: UTF8.self))
    }
}
