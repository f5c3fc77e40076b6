import ArgumentParser
import Spark

struct Version: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    func run() {
        if json {
            Terminal.say(json: ["version": .string(SparkVersion.text)] as JSONValue)
        } else {
            Terminal.say("spark \(SparkVersion.text)")
        }
    }
}
