import CSparkData
package import SparkStorage

extension NewDatabase {
    /// That of Spark's own modules: `data/schema.db`, whose schema and migrations are in `data/schema.sql`.
    package static var ofOwnModules: NewDatabase {
        let text = spark_data_schema()
        let migrations = SchemaScript.migrations(
            in: String(decoding: UnsafeBufferPointer(start: text.bytes, count: text.length), as: UTF8.self))
        return NewDatabase(migrations: migrations) {
            let file = spark_data_new_database()
            return UnsafeRawBufferPointer(start: file.bytes, count: file.length)
        }
    }
}
