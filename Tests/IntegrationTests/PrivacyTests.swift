import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

@Suite("Location")
struct PrivacyTests {
    @Test("the exact place is nowhere: not in an answer, not in the log, not in any file of the server")
    func exactPlaceIsNowhere() async throws {
        try await withDataDirectory { directory in
            let spark = try await SparkProcess.serve([
                "--data", directory, "--set", "server.log_level=trace", "--set", "profiles.max_speed_kmh=0",
            ])
            let places: [(Double, Double)] = [
                (48.85661417, 2.35222193), (52.52000659, 13.40495413), (-33.86881957, 151.20929583),
            ]
            let ada = try await spark.client.person("Ada")
            var answers = ""
            for (latitude, longitude) in places {
                let text = #"{"latitude":\#(latitude),"longitude":\#(longitude)}"#
                let put = try await ada.client.send("PUT", "/api/v1/me/location", body: Array(text.utf8))
                #expect(put.status == 200)
                answers += String(decoding: put.body, as: UTF8.self)
                for path in ["/api/v1/me", "/api/v1/me/export", "/api/v1/users/\(ada.id.wire)"] {
                    answers += String(decoding: try await ada.client.send("GET", path, body: nil).body, as: UTF8.self)
                }
                // A refused place must not be repeated, either.
                let refused = #"{"latitude":\#(latitude),"longitude":999\#(longitude)}"#
                answers += String(
                    decoding: try await ada.client.send("PUT", "/api/v1/me/location", body: Array(refused.utf8)).body,
                    as: UTF8.self)
            }
            var files = try searchableBytes(in: directory)
            #expect(await spark.end(SIGTERM) == 0)
            files += try searchableBytes(in: directory)
            for (latitude, longitude) in places {
                for value in [latitude, longitude] {
                    let digits = String("\(abs(value))".prefix(8))
                    #expect(!answers.contains(digits))
                    #expect(!spark.log.contains(digits))
                    #expect(files.range(of: Data(digits.utf8)) == nil)
                    let bits = value.bitPattern
                    #expect(files.range(of: withUnsafeBytes(of: bits.littleEndian) { Data($0) }) == nil)
                    #expect(files.range(of: withUnsafeBytes(of: bits.bigEndian) { Data($0) }) == nil)
                }
            }
        }
    }

    private func searchableBytes(in directory: String) throws -> Data {
        var all = Data()
        let files = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
        for file in files {
            if let data = FileManager.default.contents(atPath: "\(directory)/\(file)") { all += data }
        }
        #expect(all.count > 4_096)
        return all
    }
}
