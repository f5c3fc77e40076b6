package import SparkCore

/// The differences between relations that must be indistinguishable, as a table and as JSON.
package struct PrivacyReport: JSONWritable, Sendable {
    /// One probe with the answers for the relations of one class.
    package struct Finding: Sendable {
        package let probe: String
        package let privacyClass: String
        package let relations: [String]
        /// The relations grouped by answer; a single group means no difference.
        package let groups: [(relations: [String], seen: String)]

        /// Whether all relations got the same answer.
        package var holds: Bool { groups.count <= 1 }
    }

    package let findings: [Finding]
    /// Lists that show a person the viewer may not see.
    package let shown: [String]

    /// Whether no difference was found.
    package var holds: Bool { shown.isEmpty && findings.allSatisfy(\.holds) }

    /// - Throws: `AuditError.blind` when not even strangers or matches were seen: then an absence proves nothing.
    init(_ rows: [PrivacyRelation: PrivacyRow], probes: [PrivacyProbe]) throws {
        func observation(_ relation: PrivacyRelation, _ path: String) -> PrivacyObservation? {
            rows[relation]?.first { $0.key.path == path && $0.key.method == "GET" }?.value
        }
        for (relation, path) in [
            (.stranger, "/api/v1/users/{id}"), (.stranger, "/api/v1/matches/suggestions"), (.matched, "/api/v1/users/{id}"),
            (.matched, "/api/v1/matches"),
        ] as [(PrivacyRelation, String)] {
            guard observation(relation, path)?.showsSubject == true else { throw AuditError.blind(attack: "GET \(path)") }
        }
        var findings: [Finding] = []
        var shown: [String] = []
        for probe in [PrivacyAudit.watching] + probes {
            for privacyClass in PrivacyRelation.Class.allCases {
                let relations = PrivacyRelation.allCases.filter { relation in
                    guard rows[relation] != nil, relation.isCompared(in: privacyClass, probe.kind) else { return false }
                    // A match may see whether the other is online, unless that person hides it.
                    return probe != PrivacyAudit.watching || privacyClass != .met
                }
                if relations.isEmpty { continue }
                var groups: [PrivacyObservation: [String]] = [:]
                for relation in relations {
                    if let seen = rows[relation]?[probe] { groups[seen, default: []].append(relation.rawValue) }
                }
                findings.append(
                    Finding(
                        probe: probe.name, privacyClass: privacyClass.rawValue, relations: relations.map(\.rawValue),
                        groups: groups.map { ($0.value, $0.key.summary) }.sorted { $0.relations[0] < $1.relations[0] }))
            }
            // The viewer's own acts are named in these lists.
            guard probe.kind == .own, !["/api/v1/blocks", "/api/v1/me/export"].contains(probe.path) else { continue }
            for relation in PrivacyRelation.allCases where relation.privacyClass == .absent {
                if rows[relation]?[probe]?.showsSubject == true { shown.append("\(probe.name): \(relation.rawValue)") }
            }
        }
        self.findings = findings
        self.shown = shown
    }

    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("holds", holds)
            writer.key("questions")
            writer.array { writer in
                for finding in findings {
                    writer.object { writer in
                        writer.field("question", finding.probe)
                        writer.field("class", finding.privacyClass)
                        writer.field("relations", finding.relations)
                        writer.field("holds", finding.holds)
                        writer.key("seen")
                        writer.array { writer in
                            for group in finding.groups {
                                writer.object { writer in
                                    writer.field("relations", group.relations)
                                    writer.field("answer", group.seen)
                                }
                            }
                        }
                    }
                }
            }
            writer.field("shown", shown)
        }
    }

    /// The report as lines for a terminal.
    package var lines: [String] {
        let width = (findings.map(\.probe.count).max() ?? 0) + 2
        let rows = findings.flatMap { finding -> [String] in
            let name = finding.probe + String(repeating: " ", count: width - finding.probe.count)
            let place = finding.privacyClass + String(repeating: " ", count: max(0, 9 - finding.privacyClass.count))
            guard !finding.holds else { return ["\(name)\(place)\(finding.relations.count) alike"] }
            return ["\(name)\(place)DIFFER"] + finding.groups.map { "    \($0.relations.joined(separator: ", ")): \($0.seen)" }
        }
        return rows + shown.map { "shown although hidden: \($0)" } + [
            holds ? "Answers that must be alike are alike." : "Answers reveal what nobody may learn: see what differs."
        ]
    }
}
