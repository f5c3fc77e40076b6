import SparkCore

/// Realistic profiles as JSON of about 500 bytes, as the namespace of profiles spills them.
struct ProfileSample {
    private var chance: SplitMix64

    init(seed: UInt64) { chance = SplitMix64(seed: seed) }

    private static let names = """
        Anna Ben Clara David Emma Felix Greta Hannes Ida Jonas Katja Lukas Mia Noah Olga Paul Romy Simon Thea Uwe Vera Wim Yara \
        Zoe Amira Bilal Chiara Dario Elif Farid Giulia Hugo Ines Jamal Kira Leon Maja Nadim Oona Pia Quentin Rosa Selim Tessa
        """.split(separator: " ")
    private static let cities = """
        Berlin Hamburg Munich Cologne Frankfurt Leipzig Dresden Vienna Graz Zurich Basel Geneva Paris Lyon Lille Madrid Valencia \
        Seville Lisbon Porto Rome Milan Naples Turin Warsaw Krakow Prague Brno Budapest Athens Dublin London Leeds Bristol Oslo
        """.split(separator: " ")
    private static let interests = """
        hiking cooking photography climbing cinema jazz running yoga travel reading gaming dancing painting cycling surfing chess \
        gardening theatre techno sailing pottery volunteering languages astronomy coffee wine vegan dogs cats football tennis
        """.split(separator: " ")
    private static let words = """
        love the sea and long walks in rain coffee first then adventures looking for someone who laughs at bad jokes weekends \
        mostly outside my dog thinks he runs flat plants everywhere learning to bake bread slowly new music old films spontaneous \
        trips by train mountains over beach any day ask me about pasta sunday mornings with books engineer by trade dreamer at \
        heart never say no to ice cream terrible singer great listener kind people only please moved here last year still lost
        """.split(separator: " ")

    private mutating func pick<Item>(_ items: [Item]) -> Item { items[Int(chance.next() % UInt64(items.count))] }

    mutating func next() -> [UInt8] {
        let id = chance.next() >> 1
        let bio = (0..<(12 + Int(chance.next() % 14))).map { _ in String(pick(Self.words)) }.joined(separator: " ")
        let interests = (0..<(3 + Int(chance.next() % 4))).map { _ in "\"\(pick(Self.interests))\"" }.joined(separator: ",")
        let photo = String(chance.next(), radix: 16)
        let birth = "\(1965 + chance.next() % 40)-0\(1 + chance.next() % 9)-\(10 + chance.next() % 18)"
        return Array(
            """
            {"user_id":"\(id)","display_name":"\(pick(Self.names))","birth_date":"\(birth)","gender":"\(pick(["woman", "man"]))",\
            "interested_in":["\(pick(["woman", "man"]))"],"biography":"\(bio)","interests":[\(interests)],\
            "location":{"city":"\(pick(Self.cities))","latitude":\(40 + Int(chance.next() % 20)).\(chance.next() % 10_000),\
            "longitude":\(chance.next() % 25).\(chance.next() % 10_000)},"photos":[{"id":"\(photo)","width":1080,"height":1350}],\
            "is_verified":\(pick(["true", "false"])),"last_active_at":"2026-03-0\(1 + chance.next() % 9)T1\(chance.next() % 10):2\
            \(chance.next() % 10):0\(chance.next() % 10)Z","version":\(1 + chance.next() % 30)}
            """.utf8)
    }
}
