/// The sentences of one language. `%n` is a number, `%s` a name.
struct Phrases: Sendable {
    /// One message, without its text.
    let message: String
    /// Several messages, by plural form.
    let messages: PluralForms
    let match: String
    let matchWith: String
    let matches: PluralForms
    let like: String
    let likes: PluralForms
    let sticker: String
    let picture: String
    let test: String

    static func of(_ language: PushLanguage) -> Phrases {
        switch language {
        case .en: english
        case .de: german
        case .fr: french
        case .es: spanish
        case .it: italian
        case .pt: portuguese
        case .nl: dutch
        case .pl: polish
        case .sv: swedish
        case .ja: japanese
        }
    }

    private static let english = Phrases(
        message: "New message", messages: .init("%n new messages"), match: "It's a match!",
        matchWith: "You and %s like each other.",
        matches: .init("You have %n new matches."), like: "Somebody likes you.", likes: .init("%n people like you."),
        sticker: "Sent a sticker", picture: "Sent a GIF", test: "This is a test.")
    private static let german = Phrases(
        message: "Neue Nachricht", messages: .init("%n neue Nachrichten"), match: "Ein Match!",
        matchWith: "Du und %s mögt euch.", matches: .init("Du hast %n neue Matches."), like: "Jemand mag dich.",
        likes: .init("%n Leute mögen dich."), sticker: "Hat einen Sticker geschickt", picture: "Hat ein GIF geschickt",
        test: "Das ist ein Test.")
    private static let french = Phrases(
        message: "Nouveau message", messages: .init("%n nouveaux messages"), match: "C'est un match !",
        matchWith: "%s et vous, c'est réciproque.", matches: .init("Vous avez %n nouveaux matchs."),
        like: "Quelqu'un vous aime bien.",
        likes: .init("%n personnes vous aiment bien."), sticker: "A envoyé un sticker", picture: "A envoyé un GIF",
        test: "Ceci est un essai.")
    private static let spanish = Phrases(
        message: "Mensaje nuevo", messages: .init("%n mensajes nuevos"), match: "¡Es un match!",
        matchWith: "A %s también le gustas.", matches: .init("Tienes %n matches nuevos."), like: "Le gustas a alguien.",
        likes: .init("Les gustas a %n personas."), sticker: "Envió un sticker", picture: "Envió un GIF",
        test: "Esto es una prueba.")
    private static let italian = Phrases(
        message: "Nuovo messaggio", messages: .init("%n nuovi messaggi"), match: "È un match!",
        matchWith: "Tu e %s vi piacete.", matches: .init("Hai %n nuovi match."), like: "Piaci a qualcuno.",
        likes: .init("Piaci a %n persone."), sticker: "Ha inviato uno sticker", picture: "Ha inviato una GIF",
        test: "Questa è una prova.")
    private static let portuguese = Phrases(
        message: "Nova mensagem", messages: .init("%n novas mensagens"), match: "Deu match!",
        matchWith: "Você e %s se curtiram.", matches: .init("Você tem %n novos matches."), like: "Alguém curtiu você.",
        likes: .init("%n pessoas curtiram você."), sticker: "Enviou uma figurinha", picture: "Enviou um GIF",
        test: "Isto é um teste.")
    private static let dutch = Phrases(
        message: "Nieuw bericht", messages: .init("%n nieuwe berichten"), match: "Een match!",
        matchWith: "Jij en %s vinden elkaar leuk.", matches: .init("Je hebt %n nieuwe matches."), like: "Iemand vindt je leuk.",
        likes: .init("%n mensen vinden je leuk."), sticker: "Stuurde een sticker", picture: "Stuurde een GIF",
        test: "Dit is een test.")
    private static let polish = Phrases(
        message: "Nowa wiadomość", messages: .init("%n nowych wiadomości", few: "%n nowe wiadomości"), match: "To jest match!",
        matchWith: "Ty i %s podobacie się sobie.", matches: .init("Masz %n nowych dopasowań.", few: "Masz %n nowe dopasowania."),
        like: "Podobasz się komuś.", likes: .init("Podobasz się %n osobom."), sticker: "Naklejka", picture: "GIF",
        test: "To jest test.")
    private static let swedish = Phrases(
        message: "Nytt meddelande", messages: .init("%n nya meddelanden"), match: "Det är en match!",
        matchWith: "Du och %s gillar varandra.", matches: .init("Du har %n nya matchningar."), like: "Någon gillar dig.",
        likes: .init("%n personer gillar dig."), sticker: "Skickade ett klistermärke", picture: "Skickade en GIF",
        test: "Det här är ett test.")
    private static let japanese = Phrases(
        message: "新しいメッセージ", messages: .init("新しいメッセージ%n件"), match: "マッチしました!",
        matchWith: "%sさんとマッチしました。", matches: .init("新しいマッチが%n件あります。"), like: "誰かがあなたに「いいね」しました。",
        likes: .init("%n人があなたに「いいね」しました。"), sticker: "スタンプを送信しました", picture: "GIFを送信しました",
        test: "これはテストです。")
}

/// A sentence for numbers from two, by plural form; categories as in the Unicode CLDR.
struct PluralForms: Sendable {
    private let many: String
    private let few: String?

    init(_ many: String, few: String? = nil) {
        self.many = many
        self.few = few
    }

    /// Numbers above 99 are shown as "99+".
    func text(_ number: Int) -> String {
        let isFew = (2...4).contains(number % 10) && !(12...14).contains(number % 100)
        return (isFew ? few ?? many : many).replacing("%n", with: number > 99 ? "99+" : "\(number)")
    }
}
