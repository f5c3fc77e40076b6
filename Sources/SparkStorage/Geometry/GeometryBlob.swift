public import SparkCore

/// A POINT in SRID 4326 in SpatiaLite's own binary form ("BLOB-Geometry", SpatiaLite's internal geometry format): 60 bytes,
/// little-endian: 0x00, 0x01, SRID, the envelope (4 doubles), 0x7C, type 1, x, y, 0xFE.
///
/// Written and read here without a call into SpatiaLite: about a hundred times cheaper than `MakePoint` through SQL.
public enum GeometryBlob {
    private static let length = 60

    public static func point(_ place: Coordinate) -> [UInt8] {
        var blob: [UInt8] = [0x00, 0x01]
        blob.reserveCapacity(length)
        func append(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { blob.append(contentsOf: $0) }
        }
        let (x, y) = (place.longitude.bitPattern, place.latitude.bitPattern)
        append(Int32(4326))
        for value in [x, y, x, y] { append(value) }
        blob.append(0x7C)
        append(Int32(1))
        append(x)
        append(y)
        blob.append(0xFE)
        return blob
    }

    /// Nil for anything that is no such point.
    public static func place(_ blob: UnsafeRawBufferPointer) -> Coordinate? {
        guard blob.count == length, blob[0] == 0x00, blob[1] == 0x01, blob[38] == 0x7C, blob[39] == 1, blob[59] == 0xFE else {
            return nil
        }
        func double(at offset: Int) -> Double {
            Double(bitPattern: UInt64(littleEndian: blob.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
        }
        return Coordinate(latitude: double(at: 51), longitude: double(at: 43))
    }

    /// The same for bytes in an array or `Data`.
    public static func place(_ blob: some Collection<UInt8>) -> Coordinate? {
        Array(blob).withUnsafeBytes { place($0) }
    }
}
