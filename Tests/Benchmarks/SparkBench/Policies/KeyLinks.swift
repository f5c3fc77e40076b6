/// Doubly linked lists over small numbers; a key is in at most one of them.
struct KeyLinks {
    /// One list: newest at the front.
    struct List {
        fileprivate(set) var front: Int32 = -1
        fileprivate(set) var back: Int32 = -1
        fileprivate(set) var bytes = 0

        var last: Int? { back < 0 ? nil : Int(back) }
    }

    private var newer: [Int32]
    private var older: [Int32]
    private var sizes: [UInt32]

    init(objectCount: Int) {
        newer = [Int32](repeating: -1, count: objectCount)
        older = newer
        sizes = [UInt32](repeating: 0, count: objectCount)
    }

    /// The size with which the key was pushed last.
    func size(of key: Int) -> Int { Int(sizes[key]) }

    /// The next newer key in the same list.
    func newer(than key: Int) -> Int? { newer[key] < 0 ? nil : Int(newer[key]) }

    mutating func push(_ key: Int, size: Int, to list: inout List) {
        sizes[key] = UInt32(size)
        newer[key] = -1
        older[key] = list.front
        if list.front >= 0 { newer[Int(list.front)] = Int32(key) } else { list.back = Int32(key) }
        list.front = Int32(key)
        list.bytes += size
    }

    /// - Precondition: the key is in this list.
    mutating func take(_ key: Int, from list: inout List) {
        let (before, after) = (newer[key], older[key])
        if before >= 0 { older[Int(before)] = after } else { list.front = after }
        if after >= 0 { newer[Int(after)] = before } else { list.back = before }
        list.bytes -= Int(sizes[key])
    }

    /// - Precondition: the key is in this list.
    mutating func renew(_ key: Int, in list: inout List) {
        guard list.front != Int32(key) else { return }
        let size = Int(sizes[key])
        take(key, from: &list)
        push(key, size: size, to: &list)
    }
}
