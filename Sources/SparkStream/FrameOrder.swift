import NIOCore

/// Decides when each frame of one connection may run: frames about the same subject run in the order sent, frames about different
/// subjects do not wait for each other. Pure: frames, completions and answers come in, frames that may run come out.
///
/// A posted frame may start as soon as no earlier frame about its subject waits or runs; posted frames keep their order among
/// themselves. An exclusive frame waits until every posted frame that started before it is answered, and runs alone on its
/// subject. A frame about everything waits for all earlier frames, and all later frames wait for it.
struct FrameOrder<Frame> {
    enum Subject: Hashable {
        case everything
        case one(String)
    }

    /// How a frame runs: posted frames run in order without waiting for answers, exclusive ones run alone on their subject.
    enum Kind {
        case posted
        case exclusive
    }

    /// A frame that may run now.
    struct Turn {
        let frame: Frame
        let kind: Kind
        /// The caller passes it to `ended` when an exclusive frame has finished.
        let subject: Subject
    }

    private struct Entry {
        let frame: Frame
        let kind: Kind
        let bytes: Int
    }

    /// The frames about one subject, in the order sent.
    private struct Lane {
        var waiting = CircularBuffer<Entry>(initialCapacity: 1)
        var isRunning = false
        /// How many posted frames must be answered before the lane's first waiting frame may run; set once the frame is first.
        var threshold: UInt64?
    }

    /// Bounds on the waiting frames: their number and their total bytes.
    static var maximumCount: Int { 256 }
    static var maximumBytes: Int { 256 * 1_024 }

    /// How many exclusive frames may run concurrently.
    let maximumRunning: Int
    private var lanes: [String: Lane] = [:]
    /// Lanes whose first frame may be able to run.
    private var ready = CircularBuffer<String>(initialCapacity: 1)
    /// Lanes whose first frame waits for answers to posted frames.
    private var pending: [String] = []
    /// Lanes whose first frame waits until fewer exclusive frames run.
    private var crowded: [String] = []
    /// The first waiting frame about everything, and every frame after it.
    private var behind = CircularBuffer<(subject: Subject, entry: Entry)>(initialCapacity: 1)
    private var runsEverything = false
    private var running = 0
    private var started: UInt64 = 0
    private var answeredCount: UInt64 = 0
    private(set) var count = 0
    private(set) var bytes = 0

    init(maximumRunning: Int) { self.maximumRunning = maximumRunning }

    /// Whether no frame waits and only posted frames run. A posted frame may then start without `add`.
    var isClear: Bool { lanes.isEmpty && behind.isEmpty && !runsEverything }
    /// The number of posted frames that have started and are not answered.
    var unanswered: UInt64 { started - answeredCount }

    /// Starts a posted frame without `add`.
    mutating func startPosted() { started += 1 }

    /// Takes back the last start: the frame was answered at once, or refused.
    mutating func withdrawPosted() { started -= 1 }

    /// Queues a frame.
    /// - Returns: false when too many frames wait; the frame is then not queued.
    mutating func add(_ frame: Frame, _ kind: Kind, about subject: Subject, bytes size: Int) -> Bool {
        guard count < Self.maximumCount, bytes + size <= Self.maximumBytes || count == 0 else { return false }
        count += 1
        bytes += size
        let entry = Entry(frame: frame, kind: kind, bytes: size)
        if behind.isEmpty, !runsEverything, case .one(let key) = subject {
            append(entry, to: key)
        } else {
            behind.append((subject, entry))
        }
        return true
    }

    /// The next frame that may run. Callers call it until it returns nil.
    mutating func next() -> Turn? {
        while let key = ready.first {
            guard var lane = lanes[key], !lane.isRunning, let first = lane.waiting.first else {
                ready.removeFirst()
                continue
            }
            if first.kind == .exclusive {
                let threshold = lane.threshold ?? started
                lane.threshold = threshold
                guard answeredCount >= threshold, running < maximumRunning else {
                    lanes[key] = lane
                    if answeredCount < threshold { pending.append(key) } else { crowded.append(key) }
                    ready.removeFirst()
                    continue
                }
            }
            lane.waiting.removeFirst()
            lane.threshold = nil
            forget(first)
            if first.kind == .exclusive {
                lane.isRunning = true
                running += 1
                ready.removeFirst()
            } else {
                started += 1
                if lane.waiting.isEmpty { ready.removeFirst() }
            }
            lanes[key] = lane.isRunning || !lane.waiting.isEmpty ? lane : nil
            return Turn(frame: first.frame, kind: first.kind, subject: .one(key))
        }
        guard lanes.isEmpty, !runsEverything, unanswered == 0, let first = behind.first else { return nil }
        // The first frame in `behind` is always about everything.
        behind.removeFirst()
        forget(first.entry)
        runsEverything = true
        running += 1
        return Turn(frame: first.entry.frame, kind: .exclusive, subject: .everything)
    }

    /// Reports that an exclusive frame has finished.
    mutating func ended(_ subject: Subject) {
        running -= 1
        ready.append(contentsOf: crowded)
        crowded = []
        switch subject {
        case .one(let key):
            lanes[key]?.isRunning = false
            if lanes[key]?.waiting.isEmpty == true { lanes[key] = nil } else { ready.append(key) }
        case .everything:
            runsEverything = false
            while let first = behind.first, case .one(let key) = first.subject {
                behind.removeFirst()
                append(first.entry, to: key)
            }
        }
    }

    /// Reports that a posted frame was answered.
    mutating func answered() {
        answeredCount = min(answeredCount + 1, started)
        guard !pending.isEmpty else { return }
        ready.append(contentsOf: pending)
        pending = []
    }

    /// Drops every waiting frame.
    mutating func removeAll() {
        for (key, lane) in lanes {
            lanes[key] = lane.isRunning ? Lane(isRunning: true) : nil
        }
        ready.removeAll()
        pending = []
        crowded = []
        behind.removeAll()
        (count, bytes) = (0, 0)
    }

    private mutating func append(_ entry: Entry, to key: String) {
        var lane = lanes[key] ?? Lane()
        lane.waiting.append(entry)
        if lane.waiting.count == 1, !lane.isRunning { ready.append(key) }
        lanes[key] = lane
    }

    private mutating func forget(_ entry: Entry) {
        count -= 1
        bytes -= entry.bytes
    }
}
