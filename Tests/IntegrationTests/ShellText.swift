/// What of a shell's text must be known to find its commands: where one ends, and the words of each. It runs nothing.
struct ShellText {
    /// Words that begin a command's surroundings, not a command.
    private static let keywords: Set<Substring> = ["if", "then", "else", "elif", "do", "while", "until", "!", "{"]

    /// The words of each simple command, without quotes and `sudo`: of pipelines and lists, and of `$(…)` outside of quotes.
    private(set) var parts: [[String]] = []
    private var part: [String] = []
    private var word = ""
    private var quote: Character?
    /// The line that ends a here-document.
    private var documentEnd: String?
    /// The last thing is an operator or a backslash that the next line continues.
    private var isContinued = false

    init(_ text: String) {
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let end = documentEnd {
                if line == end { documentEnd = nil }
            } else {
                read(line)
            }
        }
    }

    /// Whether further lines belong to the last command.
    var isOpen: Bool { quote != nil || isContinued || documentEnd != nil }

    private mutating func read(_ line: Substring) {
        var rest = line
        var operators = ""
        isContinued = false
        while let character = rest.popFirst() {
            if let open = quote {
                if character == open {
                    quote = nil
                } else {
                    word.append(character)
                    if character == "\\", open == "\"", let next = rest.popFirst() { word.append(next) }
                }
                continue
            }
            if character != " ", character != "\t", !"|&;".contains(character) { operators = "" }
            switch character {
            case "\\":
                guard let next = rest.popFirst() else {
                    endWord()
                    isContinued = true
                    return
                }
                word.append(next)
            case "'", "\"": quote = character
            case " ", "\t": endWord()
            case "#" where word.isEmpty: rest = ""
            case "&" where word.hasSuffix(">"): word.append(character)
            case "|", "&", ";", "(", ")":
                endWord()
                endPart()
                operators.append(character)
            default: word.append(character)
            }
        }
        if quote == nil {
            endWord()
            isContinued = ["|", "&&", "||"].contains(operators)
            if !isContinued { endPart() }
        }
    }

    private mutating func endWord() {
        defer { word = "" }
        guard !word.isEmpty else { return }
        if word.hasPrefix("<<"), !word.hasPrefix("<<<") { documentEnd = String(word.drop { "<-".contains($0) }) }
        let isBeforeCommand = part.isEmpty && (Self.keywords.contains(word[...]) || word.contains(/^[A-Za-z_][A-Za-z0-9_]*=/))
        if !isBeforeCommand { part.append(word) }
    }

    private mutating func endPart() {
        defer { part = [] }
        if part.first == "sudo" { part.removeFirst(part.dropFirst().first == "-u" ? min(3, part.count) : 1) }
        if !part.isEmpty { parts.append(part) }
    }
}
