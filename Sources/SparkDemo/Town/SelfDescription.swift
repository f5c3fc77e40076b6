/// A person's profile text: the interests, and one to three sentences that mention them.
struct SelfDescription {
    static let interestCount = 2...8
    static let fragmentCount = 1...3

    let interests: [String]
    let about: String

    init(vocabulary: DemoVocabulary, draw: inout Draw) {
        let count = draw.within(Self.interestCount)
        var interests: [String] = []
        interests.reserveCapacity(count)
        draw.spread(count, of: vocabulary.interests.count) { interests.append(vocabulary.interests[$0]) }

        let fragments = draw.within(Self.fragmentCount)
        var about = ""
        // Enough for nearly all texts, so that there is one allocation.
        about.reserveCapacity(fragments * 96)
        var told = 0
        draw.spread(fragments, of: vocabulary.biographies.count) { index in
            if told > 0 { about += " " }
            vocabulary.biographies[index].append(to: &about, interest: interests[told % count])
            told += 1
        }
        self.interests = interests
        self.about = about
    }
}
