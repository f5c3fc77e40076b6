import Testing

@testable import SparkHTTP

@Suite("What the service level counts")
struct ServiceLevelTests {
    @Test("every 5xx is failed, everything else that a route answers is good")
    func results() {
        for status in [101, 200, 201, 204, 304, 307, 400, 401, 404, 409, 422, 429, 499] {
            #expect(ServiceLevel.Result(status: status, isRouted: true) == .good, "\(status)")
            #expect(ServiceLevel.Result(status: status, isRouted: false) == nil, "\(status)")
        }
        for status in [500, 503, 504] {
            #expect(ServiceLevel.Result(status: status, isRouted: true) == .failed)
            #expect(ServiceLevel.Result(status: status, isRouted: false) == .failed)
        }
    }

    @Test("what waits for events is not timed")
    func timed() {
        #expect(ServiceLevel.isTimed("/api/v1/users/{id}"))
        for route in ["/api/v1/poll", "/api/v1/stream", "/api/v1/ws", "unmatched"] { #expect(!ServiceLevel.isTimed(route)) }
    }
}
