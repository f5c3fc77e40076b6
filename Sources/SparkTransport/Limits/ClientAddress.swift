import HTTPTypes

/// Who is at the other end, for limits by address.
enum ClientAddress {
    /// The peer; or, if the peer is a trusted proxy, the last address in X-Forwarded-For that is no trusted proxy.
    static func of(peer: String, headers: HTTPFields, trustedProxies: Set<String>) -> String {
        guard trustedProxies.contains(peer), let list = headers[.forwardedFor] else {
            return peer
        }
        let hops = list.split(separator: ",").map { $0.trimming { $0 == " " } }
        guard let client = hops.last(where: { !trustedProxies.contains($0) }), client.utf8.count <= 45 else { return peer }
        return client
    }

    /// The address as a limit counts it: a whole /64 for IPv6, where one client owns as much.
    static func limitKey(_ address: String) -> String {
        guard address.contains(":") else { return address }
        let halves = address.split(separator: "%")[0].components(separatedBy: "::")
        var groups = halves[0].split(separator: ":").map(String.init)
        if halves.count > 1 {
            let tail = halves[1].split(separator: ":").map(String.init)
            groups += Array(repeating: "0", count: max(0, 8 - groups.count - tail.count)) + tail
        }
        return groups.prefix(4).joined(separator: ":") + "::/64"
    }
}

extension Substring {
    fileprivate func trimming(_ isBlank: (Character) -> Bool) -> String {
        var rest = drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return String(rest)
    }

    fileprivate func components(separatedBy separator: String) -> [Substring] {
        guard let range = firstRange(of: separator) else { return [self] }
        return [self[..<range.lowerBound], self[range.upperBound...]]
    }
}
