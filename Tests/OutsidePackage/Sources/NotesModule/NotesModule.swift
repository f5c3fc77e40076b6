public import Spark

/// Private notes that a person keeps, and a line of congratulation for each match.
public struct NotesModule: SparkModule {
    public static let manifest = ModuleManifest(
        id: "notes", summary: "Private notes", dependencies: ["accounts", "matching"],
        migrations: [
            Migration("notes.001_notes", sql: "CREATE TABLE notes_notes (user_id INTEGER NOT NULL, text TEXT NOT NULL) STRICT")
        ],
        tables: [
            .userLinked(
                "notes_notes",
                export: { session, user in
                    try session.rows("SELECT text FROM notes_notes WHERE user_id = ?", user) { .string($0[0]) }
                },
                erase: { session, user in try session.run("DELETE FROM notes_notes WHERE user_id = ?", user) })
        ])

    private let storage: any Storage

    public init(configuration: NoConfiguration, context: ModuleContext) { storage = context.storage }

    public func register(in registrar: inout ModuleRegistrar) {
        registrar.route(
            Route(.post, "/notes", "Keeps a note", rateLimit: .write, body: .of(NewNote.self), status: .created) { call in
                let note = try call.body(NewNote.self)
                try await add(note.text, to: try call.user)
                return Reply(.created)
            })
        registrar.route(
            Route(.get, "/notes", "Lists the notes", rateLimit: .read) { call in
                let user = try call.user
                let notes = try await storage.read { session in
                    try session.rows("SELECT text FROM notes_notes WHERE user_id = ?", user) { JSONValue.string($0[0]) }
                }
                return .page(notes, nextCursor: nil)
            })
        registrar.subscribe(to: MatchCreated.self) { match in
            for user in match.users { try? await add("You have a match!", to: user) }
        }
    }

    private func add(_ text: String, to user: UserID) async throws {
        try await storage.write { transaction in
            try transaction.run("INSERT INTO notes_notes (user_id, text) VALUES (?, ?)", user, text)
        }
    }
}

/// The body of `POST /notes`.
struct NewNote: RequestBody {
    let text: String

    static let body = BodyFields<NewNote>("NewNote", "A note to keep.", NewNote.init(text:)) {
        Field("text", \.text, .string(1...500))
    }
}
