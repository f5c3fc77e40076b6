import SparkCore
import SparkKit
import Testing

@testable import SparkPush

@Suite("The body of a device's registration")
struct DeviceRegistrationTests {
    @Test("a language tag is as long as its schema says, in characters", arguments: ["e", "ü", "\u{1F600}"])
    func language(_ character: String) throws {
        func violations(_ language: String) throws -> [String] {
            do throws(InvalidInput) {
                _ = try DeviceRegistration.read(["provider": "log", "token": "t", "language": .string(language)])
                return []
            } catch {
                return error.violations.map(\.field)
            }
        }
        #expect(try violations(String(repeating: character, count: 35)) == [])
        #expect(try violations(String(repeating: character, count: 36)).count == 1)
        #expect(try violations("").count == 1)
    }
}
