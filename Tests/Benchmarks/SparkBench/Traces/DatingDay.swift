import Glibc

/// The course of the day: who is online, and who comes when. Sessions run beside each other; a session's requests are planned
/// when it begins.
struct DatingDay: IteratorProtocol {
    private let trace: DatingTrace
    private let end: Int64
    private var dice: Dice
    private var people: DatingPeople
    /// The starts of sessions.
    private var arrivals = TimeHeap()
    /// The running sessions by their next request; the items are indices of `plans`.
    private var running = TimeHeap()
    private var plans: [(requests: [TraceRequest], done: Int)] = []
    private var freePlans: [UInt32] = []

    init(_ trace: DatingTrace) {
        self.trace = trace
        self.end = Int64(trace.hours) * 3_600_000
        self.dice = Dice(seed: trace.seed)
        self.people = DatingPeople(trace, &dice)
        for person in 0..<trace.layout.people {
            let pause = pause(of: person)
            arrivals.push(pause, UInt32(person))
        }
    }

    mutating func next() -> TraceRequest? {
        while let arrival = arrivals.first, arrival.time <= running.first?.time ?? .max, arrival.time < end {
            begin(Int(arrival.item), at: arrival.time)
        }
        guard let session = running.first, session.time < end else { return nil }
        let slot = Int(session.item)
        let request = plans[slot].requests[plans[slot].done]
        plans[slot].done += 1
        if plans[slot].done < plans[slot].requests.count {
            running.postpone(to: plans[slot].requests[plans[slot].done].time)
        } else {
            running.pop()
            freePlans.append(session.item)
        }
        return request
    }

    private mutating func begin(_ person: Int, at time: Int64) {
        arrivals.pop()
        guard dice.happens(Self.activity(at: time)) else {
            return arrivals.push(time + Int64(dice.exponential(mean: 3_600_000)), UInt32(person))
        }
        var session = DatingSession(person, at: time, layout: trace.layout)
        session.plan(&people, trace.towns, &dice)
        let pause = pause(of: person)
        arrivals.push(session.time + pause, UInt32(person))
        let slot = freePlans.popLast() ?? UInt32(plans.count)
        if slot == plans.count { plans.append(([], 0)) }
        plans[Int(slot)] = (session.requests, 0)
        running.push(time, slot)
    }

    /// Milliseconds until the person comes back, at least 20 minutes.
    private mutating func pause(of person: Int) -> Int64 {
        let mean = 86_400_000 / trace.towns.sessionsADay(of: person)
        return max(1_200_000, Int64(dice.exponential(mean: mean * 0.7)))
    }

    /// The share of people who come: lowest at 4 in the morning, highest at 8 in the evening. The trace
    /// begins at 6.
    private static func activity(at time: Int64) -> Double {
        let hour = Double(time % 86_400_000) / 3_600_000 + 6
        let phase = (hour - 20) / 24 * 2 * Double.pi
        return 0.65 + 0.35 * cos(phase)
    }
}
