import Yams

/// Prometheus rule files: read as strictly as Prometheus does, and written so that Prometheus can read them.
package enum AlertRuleFile {
    /// The maximum size of a file, in bytes.
    package static let sizeLimit = 1_048_576
    /// The maximum number of rules in a file.
    private static let rulesLimit = 500

    /// - Throws: `AlertRuleError`, which names the rule.
    package static func read(_ text: String) throws(AlertRuleError) -> [AlertRuleGroup] {
        guard text.utf8.count <= sizeLimit else { throw AlertRuleError(place: "file", reason: "it is too long") }
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch { throw AlertRuleError(place: "file", reason: "it is not YAML") }
        let document = try YAMLFields(root, place: "file", allowed: ["groups"])
        var names: Set<String> = []
        var groups: [AlertRuleGroup] = []
        for node in try document.list("groups") {
            let fields = try YAMLFields(node, place: "group", allowed: ["name", "interval", "rules"])
            let name = try fields.text("name")
            guard names.insert(name).inserted else { throw AlertRuleError(place: "group \(name)", reason: "the name is taken") }
            var rules: [AlertRule] = []
            for rule in try fields.list("rules") { rules.append(try Self.rule(rule)) }
            groups.append(AlertRuleGroup(name: name, rules: rules))
        }
        guard groups.reduce(0, { $0 + $1.rules.count }) <= rulesLimit else {
            throw AlertRuleError(place: "file", reason: "it has more than \(rulesLimit) rules")
        }
        return groups
    }

    private static func rule(_ node: Node) throws(AlertRuleError) -> AlertRule {
        let fields = try YAMLFields(
            node, place: "rule", allowed: ["alert", "expr", "for", "keep_firing_for", "labels", "annotations"])
        let name = try fields.text("alert")
        let place = "alert \(name)"
        let text: String
        do { text = try fields.text("expr") } catch { throw AlertRuleError(place: place, reason: "expr is missing") }
        let expression: PromQuery
        do { expression = try PromQuery(text) } catch { throw AlertRuleError(place: place, error, in: text) }
        return AlertRule(
            name: name, expression: expression, hold: try fields.duration("for", of: place),
            keepFiring: try fields.duration("keep_firing_for", of: place), labels: try fields.templates("labels", of: place),
            annotations: try fields.templates("annotations", of: place))
    }

    /// Writes the groups as a rule file.
    package static func write(_ groups: [AlertRuleGroup]) -> String {
        var out = "groups:\n"
        for group in groups {
            out += "  - name: \(quoted(group.name))\n    rules:\n"
            for rule in group.rules { out += text(of: rule) }
        }
        return out
    }

    private static func text(of rule: AlertRule) -> String {
        var out = "      - alert: \(quoted(rule.name))\n        expr: \(quoted(rule.expression.text))\n"
        if rule.hold > .zero { out += "        for: \(PromDuration.text(of: rule.hold))\n" }
        if rule.keepFiring > .zero { out += "        keep_firing_for: \(PromDuration.text(of: rule.keepFiring))\n" }
        for (key, templates) in [("labels", rule.labels), ("annotations", rule.annotations)] where !templates.isEmpty {
            out += "        \(key):\n"
            for (name, template) in templates.sorted(by: { $0.key < $1.key }) {
                out += "          \(name): \(quoted(template.text))\n"
            }
        }
        return out
    }

    /// Quotes a text with single quotes, in which only the single quote needs escaping. Line breaks become spaces.
    private static func quoted(_ text: String) -> String {
        if text.allSatisfy({ $0.isASCII && ($0.isLetter || $0 == "_") }), !text.isEmpty { return text }
        return "'" + text.replacing("'", with: "''").replacing("\n", with: " ") + "'"
    }
}

/// Why a rule file is refused.
package struct AlertRuleError: Error, Hashable, CustomStringConvertible {
    package let place: String
    package let reason: String
    /// An expression and a mark below the character that it is about; empty for a fault of another kind.
    package let lines: [String]

    package init(place: String, reason: String, lines: [String] = []) {
        (self.place, self.reason, self.lines) = (place, reason, lines)
    }

    /// A fault of an expression.
    init(place: String, _ error: PromQLError, in text: String) {
        let detail = error.detail.hasSuffix(".") ? String(error.detail.dropLast()) : error.detail
        guard case .syntax(_, let offset) = error else {
            self.init(place: place, reason: "expr: \(detail)")
            return
        }
        let bytes = Array(text.utf8)
        func line(_ part: ArraySlice<UInt8>) -> String {
            String(String(decoding: part, as: UTF8.self).map { $0.isNewline || $0 == "\t" ? " " : $0 })
        }
        // What comes before and after, as far as a terminal shows it in one line.
        let at = min(max(offset, 0), bytes.count)
        let before = line(bytes[max(0, at - 60)..<at])
        let shown = before + line(bytes[at..<min(bytes.count, at + 40)])
        self.init(
            place: place, reason: "expr: \(detail)",
            lines: ["    \(shown)", "    \(String(repeating: " ", count: before.count))^"])
    }

    package var description: String { "\(place): \(reason)" }
}
