import ArgumentParser
import Spark
import SparkServer

/// Manual pages, made from the verbs and the settings themselves.
struct ManualPages {
    /// A page, and the name of its file.
    struct Page {
        let file: String
        let text: String
    }

    private let root: JSONValue
    private let schema: ConfigurationSchema

    /// - Throws: what the parser of its own description throws.
    init(schema: ConfigurationSchema) throws {
        let description = SparkCommand._dumpHelp()
        self.root = try JSONParser.parse(Array(description.utf8))["command"] ?? .null
        self.schema = schema
    }

    /// `spark.1`, a page for each verb, and `spark.yaml.5`.
    var all: [Page] {
        let verbs = subcommands(of: root).map { verb in
            Page(file: "spark-\(name(verb)).1", text: page(of: verb))
        }
        return [Page(file: "spark.1", text: overview)] + verbs + [Page(file: "spark.yaml.5", text: settings)]
    }

    private func name(_ command: JSONValue) -> String { command["commandName"]?.string ?? "" }

    private func subcommands(of command: JSONValue) -> [JSONValue] {
        (command["subcommands"]?.array ?? []).filter { name($0) != "help" }
    }

    // MARK: spark.1

    private var overview: String {
        var page = Roff(name: "spark", section: 1, version: SparkVersion.text)
        page.name("spark", "a dating backend in one binary")
        page.section("SYNOPSIS")
        page.synopsis("spark", "VERB [OPTION ...]")
        page.section("DESCRIPTION")
        page.say(
            "Spark serves the API of a dating application: accounts, profiles, decks of people nearby, matches, chat, push and metrics. "
                + "All data is in one directory.")
        page.section("VERBS")
        for verb in subcommands(of: root) { page.entry("spark-\(name(verb))(1)", verb["abstract"]?.string ?? "") }
        exitStatus(&page)
        page.section("ENVIRONMENT")
        page.entry(SettingsFile.variable, "Names the settings, as --config does.")
        page.entry("SPARK_SECTION_KEY", "Sets section.key. spark config env lists all of them.")
        page.entry("SPARK_SECTION_KEY_FILE", "Names a file that holds the value.")
        page.section("FILES")
        page.entry(
            "./spark.yaml", "The settings, if neither --config nor \(SettingsFile.variable) names a file; see spark.yaml(5).")
        page.entry(
            SettingsFile.ofPackage,
            "The settings where there is neither ./spark.yaml nor ./spark_data; not for spark serve and spark seed.")
        page.entry("./spark_data", "The data, if --data or server.data names no other directory.")
        page.section("SEE ALSO")
        page.say("spark.yaml(5)")
        return page.text
    }

    private func exitStatus(_ page: inout Roff) {
        page.section("EXIT STATUS")
        for (code, meaning) in ExitCodes.meanings { page.entry(code, meaning) }
    }

    // MARK: spark-VERB.1

    private func page(of verb: JSONValue) -> String {
        let title = "spark-\(name(verb))"
        var page = Roff(name: title, section: 1, version: SparkVersion.text)
        let abstract = verb["abstract"]?.string ?? ""
        page.name(title, abstract.hasSuffix(".") ? String(abstract.dropLast()) : abstract)
        page.section("SYNOPSIS")
        let verbs = leaves(of: verb, "spark \(name(verb))")
        for (path, command) in verbs { page.synopsis(path, usage(of: command)) }
        page.section("DESCRIPTION")
        page.say(abstract)
        if let discussion = verb["discussion"]?.string {
            page.paragraph()
            page.say(discussion)
        }
        if verbs.count == 1, let (_, command) = verbs.first, command == verb {
            page.section("OPTIONS")
            describe(command, &page)
        } else {
            page.section("VERBS")
            for (path, command) in verbs {
                page.subsection(path)
                page.say(command["abstract"]?.string ?? "")
                if let discussion = command["discussion"]?.string {
                    page.paragraph()
                    page.say(discussion)
                }
                describe(command, &page)
            }
        }
        exitStatus(&page)
        page.section("SEE ALSO")
        page.say("spark(1), spark.yaml(5)")
        return page.text
    }

    /// The commands without subcommands, each with the words that call it.
    private func leaves(of command: JSONValue, _ path: String) -> [(path: String, command: JSONValue)] {
        let verbs = subcommands(of: command)
        guard !verbs.isEmpty else { return [(path, command)] }
        return verbs.flatMap { leaves(of: $0, "\(path) \(name($0))") }
    }

    private func arguments(of command: JSONValue) -> [JSONValue] {
        (command["arguments"]?.array ?? []).filter { $0["shouldDisplay"]?.bool != false }
    }

    private func usage(of command: JSONValue) -> String {
        arguments(of: command).map { argument in
            let word = spelling(argument, isInUsage: true) + (argument["isRepeating"]?.bool == true ? " ..." : "")
            return argument["isOptional"]?.bool == true ? "[\(word)]" : word
        }
        .joined(separator: " ")
    }

    private func describe(_ command: JSONValue, _ page: inout Roff) {
        for argument in arguments(of: command) {
            var meaning = argument["abstract"]?.string ?? ""
            if let more = argument["discussion"]?.string { meaning += "\n\(more)" }
            if let value = argument["defaultValue"]?.string { meaning += "\nThe default is \(value)." }
            page.entry(spelling(argument, isInUsage: false), meaning)
        }
    }

    /// `-h, --help`, `--data DATA` or `USER`; in a usage only the preferred name.
    private func spelling(_ argument: JSONValue, isInUsage: Bool) -> String {
        let value = (argument["valueName"]?.string ?? "value").uppercased()
        guard argument["kind"]?.string != "positional" else { return value }
        let names = isInUsage ? argument["preferredName"].map { [$0] } ?? [] : argument["names"]?.array ?? []
        let words = names.map { name in
            (name["kind"]?.string == "long" ? "--" : "-") + (name["name"]?.string ?? "")
        }
        return words.joined(separator: ", ") + (argument["kind"]?.string == "option" ? " \(value)" : "")
    }

    // MARK: spark.yaml.5

    private var settings: String {
        var page = Roff(name: "spark.yaml", section: 5, version: SparkVersion.text)
        page.name("spark.yaml", "settings of spark")
        page.section("DESCRIPTION")
        page.say(
            """
            The file has sections with keys, as in "http:" with "  listen: 127.0.0.1:7775" below it. A setting that is not there has \
            its default. A flag \\--set section.key=value, and the variable SPARK_SECTION_KEY of the environment, have precedence over \
            the file.

            spark config default prints the file with every default, spark config check says what is wrong with a file.
            """
            .replacing("\\", with: ""))
        for section in schema.sections where !section.settings.isEmpty {
            page.section(section.name.uppercased())
            page.say(section.summary)
            for setting in section.settings {
                let value = setting.defaultValue.yaml
                page.entry(
                    "\(section.name).\(setting.key)", "\(setting.help)\(setting.kind.remark)\nThe default is \(value).")
            }
        }
        page.section("SEE ALSO")
        page.say("spark(1), spark-config(1), spark-serve(1)")
        return page.text
    }
}
