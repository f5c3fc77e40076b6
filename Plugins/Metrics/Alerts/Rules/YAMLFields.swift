import Yams

/// A mapping of a rule file; unknown keys are refused.
struct YAMLFields {
    private let fields: [String: Node]
    private let place: String

    init(_ node: Node?, place: String, allowed: Set<String>) throws(AlertRuleError) {
        guard let mapping = node?.mapping else { throw AlertRuleError(place: place, reason: "keys and values are expected") }
        let at = "\(place) in line \(node?.mark?.line ?? 0)"
        var fields: [String: Node] = [:]
        for (key, value) in mapping {
            guard let name = key.string, allowed.contains(name) else {
                throw AlertRuleError(place: at, reason: "a key is not known: \(key.string ?? "?")")
            }
            fields[name] = value
        }
        self.fields = fields
        self.place = at
    }

    func text(_ key: String) throws(AlertRuleError) -> String {
        guard let text = fields[key]?.scalar?.string, !text.isEmpty else {
            throw AlertRuleError(place: place, reason: "\(key) is missing")
        }
        return text
    }

    func list(_ key: String) throws(AlertRuleError) -> [Node] {
        guard let sequence = fields[key]?.sequence else { throw AlertRuleError(place: place, reason: "\(key) is not a list") }
        return Array(sequence)
    }

    /// Zero if the key is missing.
    func duration(_ key: String, of rule: String) throws(AlertRuleError) -> Duration {
        guard let node = fields[key] else { return .zero }
        guard let duration = node.scalar.flatMap({ PromDuration.parse($0.string) }) else {
            throw AlertRuleError(place: rule, reason: "\(key) is not a time such as 5m")
        }
        return duration
    }

    /// Empty if the key is missing.
    func templates(_ key: String, of rule: String) throws(AlertRuleError) -> [String: AlertTemplate] {
        guard let node = fields[key] else { return [:] }
        guard let mapping = node.mapping else { throw AlertRuleError(place: rule, reason: "\(key) are names and texts") }
        var templates: [String: AlertTemplate] = [:]
        for (name, value) in mapping {
            guard let name = name.string, let text = value.scalar?.string else {
                throw AlertRuleError(place: rule, reason: "\(key) are names and texts")
            }
            guard let template = AlertTemplate(text) else {
                throw AlertRuleError(place: rule, reason: "the template of \(name) uses a function that is not supported")
            }
            templates[name] = template
        }
        return templates
    }
}
