import Testing

@testable import SparkPush

@Suite struct ProviderContractTests {
    @Test func everyServiceHasAWord() { #expect(PushService.wireWords == ["apns", "fcm", "webpush", "log"]) }
}
