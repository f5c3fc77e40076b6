/// Decides after each commit whether pages of the WAL should be copied into the database.
///
/// A page that many commits change is copied once if its versions wait together, so pages gather before they are copied. The
/// writer restarts the WAL from its beginning only if all pages are copied. With a writer that never pauses this does not happen
/// by itself, so from time to time the writer must wait while the pages are copied that arrived during the bulk copy.
struct CheckpointPlan: Sendable {
    /// The number of WAL pages that gather before they are copied (32 MiB at 4 KiB a page).
    static let threshold = 8_192
    /// The number of pages at which the WAL should restart from its beginning (96 MiB).
    static let restart = 24_576
    /// If more pages than this arrived meanwhile, they are copied alongside the writer once more before the writer must wait.
    static let remainder = 256
    /// How often pages are copied alongside the writer before it waits, however many are left: they arrive as fast as they are copied.
    static let rounds = 6

    enum Step: Hashable, Sendable {
        case none
        /// Copy alongside the writer.
        case copy
        /// Copy the rest while the writer waits, so that its next commit begins the WAL anew.
        case restart
    }

    /// The number of pages that are in the database. Too large after the WAL began anew, until the next commit.
    private var moved = 0
    /// The length of the WAL when the last step began.
    private var begun = 0
    /// The length at which a restart is tried next.
    private var goal = restart
    /// The copies since the goal was reached that moved pages.
    private var copies = 0
    /// Whether the running step is a copy beyond the goal that has moved nothing yet.
    private var isIdleCopy = false
    private var isRunning = false

    /// The step to take now. The caller must take it and report its end.
    /// - Parameter pages: The length of the WAL.
    mutating func next(at pages: Int) -> Step {
        if pages < moved || pages < begun { (moved, begun, goal, copies) = (0, 0, Self.restart, 0) }
        guard !isRunning else { return .none }
        if pages >= goal {
            isRunning = true
            begun = pages
            if pages - moved <= Self.remainder || copies >= Self.rounds {
                // If readers prevent the restart, it is tried again later.
                (goal, copies) = (pages + Self.threshold, 0)
                return .restart
            }
            isIdleCopy = true
            return .copy
        }
        guard pages - begun >= Self.threshold else { return .none }
        isRunning = true
        begun = pages
        return .copy
    }

    /// Records how many pages of the WAL are now in the database.
    mutating func note(moved pages: Int) {
        if isIdleCopy, pages > moved {
            isIdleCopy = false
            copies += 1
        }
        moved = pages
    }

    /// Records the end of the step that `next` returned.
    mutating func end() {
        isRunning = false
        guard isIdleCopy else { return }
        // A reader keeps the pages, such as a backup. To hold the writer would be of no use, and what gathers until the reader ends is
        // copied alongside it.
        isIdleCopy = false
        (goal, copies) = (begun + Self.threshold, 0)
    }
}
