import SparkCore

/// Generates the dialogue of a demo conversation: an opening, then questions and answers in turn.
struct DemoScript {
    var chance: SplitMix64

    mutating func line(_ seq: Int64) -> String {
        let lines = seq == 1 ? Self.openings : seq.isMultiple(of: 2) ? Self.answers : Self.questions
        return lines[Int(chance.next() % UInt64(lines.count))]
    }

    private static let openings = [
        "Hey! Your photos made me smile.", "Hi there, how is your week going?", "Hello! So you like hiking too?",
        "Hi! Coffee or tea?", "Good evening, stranger.", "Hey, what are you reading at the moment?",
        "Hi! Is that dog yours?", "Hello from the other side of the park.",
    ]
    private static let questions = [
        "What do you do when it rains all weekend?", "Which place in town should I not miss?", "Do you cook?",
        "Early bird or night owl?", "What was the last concert you went to?", "Shall we go for a walk on Sunday?",
        "Have you always lived here?", "What makes you laugh?", "Sea or mountains?", "Any plans for the summer?",
    ]
    private static let answers = [
        "Ha, good question. Let me think about it.", "Yes, nearly every day!", "Not really, but I am learning.",
        "I would love to.", "Only on weekends.", "That sounds great.", "My sister says the same.",
        "The little bakery by the bridge, without any doubt.", "Music, mostly, and good company.", "You first!",
    ]
}
