import Spark
import Testing

@Suite("The settings of the modules")
struct SettingTests {
    private let schema = ConfigurationSchema(modules: sparkModules)

    @Test(
        "hosts are accepted with and without brackets, and anything else is refused before the start",
        arguments: ["chat.gif_hosts", "chat.sticker_hosts", "push.webpush_hosts"])
    func hosts(_ key: String) throws {
        let parts = key.split(separator: ".").map(String.init)
        for text in ["media.example.org,*.example.com", "[media.example.org, *.example.com]"] {
            let loaded = try LoadedConfiguration(schema: schema, flags: ["\(key)=\(text)"])
            #expect(loaded.value(parts[0], parts[1]) == .list(["media.example.org", "*.example.com"]), "\(text)")
        }
        for text in ["https://media.example.org", "media.example.org/x", "[a, [b]]", "a b"] {
            let error = #expect(throws: ConfigurationError.self) {
                try LoadedConfiguration(schema: schema, flags: ["\(key)=\(text)"])
            }
            #expect(error?.faults.first?.hasPrefix("--set \(key): ") == true, "\(text)")
        }
    }

    @Test("values are shown as the file has them, secrets never")
    func shown() throws {
        let loaded = try LoadedConfiguration(
            schema: schema, flags: ["metrics.token=a-secret-of-32-characters-or-more", "chat.gif_hosts=a.example,b.example"])
        #expect(loaded.shown("metrics.token") == "***" && loaded.shown("chat.gif_hosts") == "[a.example, b.example]")
        #expect(loaded.shown("push.webhook_secret") == "\"\"" && loaded.shown("server.nothing") == nil)
    }
}
