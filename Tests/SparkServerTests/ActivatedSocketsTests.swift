import Foundation
import Glibc
import SparkHTTP
import Testing

@testable import SparkServer

@Suite("Sockets of a service manager")
struct ActivatedSocketsTests {
    /// A listening socket on a port that the system picks.
    private static func listening() throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(code == 0 && listen(descriptor, 16) == 0)
        return descriptor
    }

    @Test("are taken by name; they are this process's only if the manager says so")
    func names() throws {
        let (first, second, third) = (try Self.listening(), try Self.listening(), try Self.listening())
        defer { for descriptor in [first, second, third] { close(descriptor) } }
        let given: [Int32: Int32] = [3: first, 4: second, 5: third]
        let environment = ["LISTEN_PID": "77", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "spark.socket:operators:public"]
        let sockets = try ActivatedSockets(environment: environment, process: 77) {
            given[$0].flatMap { InheritedSocket(descriptor: $0) }
        }
        #expect(sockets.everybody.map(\.descriptor) == [first, third] && sockets.operators?.descriptor == second)
        #expect(sockets.everybody.allSatisfy { $0.address.host == "127.0.0.1" && $0.address.port > 0 })
        for other in [["LISTEN_PID": "78"], ["LISTEN_PID": ""], ["LISTEN_FDS": "0"]] {
            let none = try ActivatedSockets(environment: environment.merging(other) { $1 }, process: 77) { _ in nil }
            #expect(none.isEmpty, "\(other)")
        }
        #expect(try ActivatedSockets(environment: ["LISTEN_PID": "77"], process: 77).isEmpty)
    }

    @Test("are refused when they are something else, with what to write into the unit")
    func refusals() throws {
        let pipe = Pipe()
        let datagrams = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        let unbound = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { for descriptor in [datagrams, unbound] { close(descriptor) } }
        for descriptor in [pipe.fileHandleForReading.fileDescriptor, datagrams, unbound, 9_999] {
            let error = #expect(throws: ConfigurationError.self) {
                try ActivatedSockets(environment: ["LISTEN_PID": "7", "LISTEN_FDS": "1"], process: 7) { _ in
                    InheritedSocket(descriptor: descriptor)
                }
            }
            #expect(error?.faults.first?.contains("ListenStream=") == true)
        }
        for count in ["-1", "65", "x"] {
            #expect(throws: ConfigurationError.self, "\(count)") {
                try ActivatedSockets(environment: ["LISTEN_PID": "7", "LISTEN_FDS": count], process: 7) { _ in nil }
            }
        }
    }
}
