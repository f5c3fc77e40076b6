/// A policy for what stays in a memory of a number of bytes, without the values: keys are small numbers, costs are counted in
/// bytes of the values alone.
public protocol SimulatedPolicy: AnyObject {
    var name: String { get }
    /// Notes a use of the key; false when it is not resident.
    func touch(_ key: Int) -> Bool
    /// Adds a key that is not resident. Names each evicted key, in order, perhaps the key itself.
    func insert(_ key: Int, size: Int, evicting: (Int) -> Void)
    /// Removes a key, if it is resident.
    func remove(_ key: Int)
    func isResident(_ key: Int) -> Bool
    /// Bytes of the resident values; never above the capacity.
    var bytes: Int { get }
}

/// The policies by name.
public enum PolicyCatalogue {
    public static let names = ["FIFO", "LRU", "SIEVE", "S3-FIFO", "W-TinyLFU 1%", "W-TinyLFU 20%"]

    public static func policy(_ name: String, capacity: Int, objectCount: Int) -> (any SimulatedPolicy)? {
        switch name {
        case "FIFO": FIFOPolicy(capacity: capacity, objectCount: objectCount)
        case "LRU": LRUPolicy(capacity: capacity, objectCount: objectCount)
        case "SIEVE": SievePolicy(capacity: capacity, objectCount: objectCount)
        case "S3-FIFO": S3FIFOPolicy(capacity: capacity, objectCount: objectCount)
        case "W-TinyLFU 1%": TinyLFUPolicy(capacity: capacity, objectCount: objectCount, windowShare: 0.01)
        case "W-TinyLFU 20%": TinyLFUPolicy(capacity: capacity, objectCount: objectCount, windowShare: 0.2)
        default: nil
        }
    }
}
