import Spark
import SparkServer
import Testing

@Suite("Spark inside another program")
struct StartTests {
    @Test("a server with settings still listens on its own port, unless the settings name one")
    func listening() async throws {
        let one = try await Spark.start(settings: ["http.max_body_bytes=2000"])
        let other = try await Spark.start(settings: ["http.max_body_bytes=2000", "http.listen=localhost:0"])
        #expect(one.listening.host == "127.0.0.1" && one.listening.port != 7_775 && one.listening.port != other.listening.port)
        #expect(other.listening.host == "localhost")
        try await one.stop()
        try await other.stop()
    }
}
