import SparkCore

/// One search. Visits the nodes that may hold candidates, the most promising first, until no remaining person can be among the
/// best.
///
/// The search is exact: a node's ceiling is the score of a person with the best of every trait in the node, and the search ends
/// when the best ceiling is below the worst of the best scores. It adapts to density: in a city a few tiles suffice; in the
/// country it looks as far as it must.
///
/// A long search gives back the lock in between, so that changes do not wait for it. When it goes on, it looks at each person who
/// changed meanwhile, and starts again if that is not enough. So the answer is that of the moment at which it ends.
struct DeckSearch<Scale: ScoreScale>: ~Copyable {
    private let query: CandidateQuery
    private let view: PlaceOfView
    private let calendar: AgeCalendar
    private let ages: AgeTable
    private let scale: Scale
    private var frontier = Frontier()
    private let interests: InterestMask
    private let matches = TileMatches()
    /// If there are not too many, the people who like the viewer are looked up one by one. Then no bound must assume that others
    /// do.
    private let meetsLikers: Bool
    private static var likersMet: Int { 500 }

    /// A search that had to start again so often keeps the lock until it ends.
    private static var mostStarts: Int { 3 }

    private var starts = 0
    private var moment: ChangeJournal.Moment?
    /// The position of the current stage among those of the query; stages in which nobody was found come before it.
    private var stage = 0
    private var isInStage = false
    private var bestSoFar: BestCandidates
    private(set) var found = FoundCandidates()

    // What the filters require at the current stage.
    private var limits = StageLimits()

    init(_ query: CandidateQuery, place: Coordinate, ages: AgeCalendar, scale: Scale) {
        self.query = query
        self.view = PlaceOfView(place)
        self.calendar = ages
        self.ages = ages.table
        self.scale = scale
        self.interests = InterestMask(query.viewer.interests)
        self.meetsLikers = query.likers.count <= Self.likersMet
        self.bestSoFar = BestCandidates(limit: query.limit)
    }

    deinit { matches.free() }

    // MARK: Turns

    /// Searches on, under the lock.
    /// - Parameter nodes: how many to visit at most.
    /// - Returns: whether the search has ended; `found` is its result.
    mutating func takeTurn(in forest: borrowing TileForest, nodes: Int) -> Bool {
        if let moment, moment != forest.journal.now, !catchUp(since: moment, in: forest) { self.moment = nil }
        if moment == nil { start() }
        var left = starts > Self.mostStarts ? Int.max : nodes
        while stage < query.stages.count {
            if !isInStage { begin(in: forest) }
            guard visit(in: forest, &left) else {
                moment = forest.journal.now
                return false
            }
            isInStage = false
            found.stage = query.stages[stage]
            found.ranks = bestSoFar.ranks
            found.widen(reach(at: found.stage, ranks: found.ranks))
            if !found.ranks.isEmpty { return true }
            stage += 1
        }
        return true
    }

    private mutating func start() {
        starts += 1
        stage = 0
        isInStage = false
        found = FoundCandidates()
    }

    /// Begins a stage: puts the roots on the frontier.
    private mutating func begin(in forest: borrowing TileForest) {
        isInStage = true
        frontier.removeAll()
        bestSoFar.removeAll()
        guard let limits = StageLimits(query, at: query.stages[stage], ages: calendar) else { return }
        self.limits = limits
        let (gender, sought) = (query.viewer.gender, query.viewer.preferences.interestedIn)
        for set in 0..<DirectedSet.count {
            let directed = DirectedSet(number: set)
            guard forest.roots[set] >= 0, directed.interestedIn.contains(gender), sought.contains(directed.gender) else {
                continue
            }
            look(at: forest.roots[set], in: forest, bestSoFar)
        }
        guard meetsLikers else { return }
        var best = bestSoFar
        query.likers.forEach { meet($0, in: forest, &best) }
        bestSoFar = best
    }

    /// Visits nodes until the stage has ended.
    /// - Returns: false if the allowed number of nodes was reached before.
    private mutating func visit(in forest: borrowing TileForest, _ left: inout Int) -> Bool {
        // Separate from the other properties, which the visits read. The array is not shared, so nothing is copied.
        var best = BestCandidates(limit: 0)
        swap(&best, &bestSoFar)
        defer { swap(&best, &bestSoFar) }
        while let (ceiling, node) = frontier.popBest() {
            // Equal scores are ordered by a hash, so an equal candidate could still come before the last one.
            if let threshold = best.threshold, ceiling < threshold { break }
            guard left > 0 else {
                frontier.push(ceiling, node)
                return false
            }
            left -= 1
            // Fetch the next node's people meanwhile: a search of everybody mostly waits for memory.
            if let next = frontier.best { forest.prefetchPeople(of: next) }
            let pointer = forest.nodes.pointer(to: Int(node))
            if pointer.pointee.isLeaf {
                scan(forest.tiles.pointer(to: Int(pointer.pointee.left)), pointer, &best)
            } else {
                look(at: pointer.pointee.left, in: forest, best)
                look(at: pointer.pointee.right, in: forest, best)
            }
        }
        return true
    }

    /// Looks at each person who changed since the last turn. All others are where they were: in a visited node, or in one whose
    /// ceiling still holds.
    /// - Returns: false if the search must start again.
    private mutating func catchUp(since moment: ChangeJournal.Moment, in forest: borrowing TileForest) -> Bool {
        guard let changed = forest.journal.people(since: moment) else { return false }
        var best = bestSoFar
        for person in changed {
            var alone = BestCandidates(limit: 1)
            for earlier in query.stages[..<stage] {
                guard let limits = StageLimits(query, at: earlier, ages: calendar) else { continue }
                self.limits = limits
                meet(person, in: forest, &alone)
                guard alone.ranks.isEmpty else { return false }
            }
            guard let limits = StageLimits(query, at: query.stages[stage], ages: calendar) else { continue }
            self.limits = limits
            meet(person, in: forest, &alone)
            if let before = best.ranks.first(where: { $0.id.rawValue == person }), before != alone.ranks.first {
                // Others were turned away for a rank that is no longer there.
                guard best.threshold == nil else { return false }
                best.remove(before)
            }
            if let rank = alone.ranks.first { best.offer(rank) }
        }
        bestSoFar = best
        return true
    }

    /// How far from the viewer a person could have been found among the best of a stage.
    private func reach(at stage: DeckStage, ranks: [DeckRank]) -> SearchReach {
        let outermost = query.viewer.reach(at: stage)
        guard ranks.count == query.limit, let last = ranks.last else { return outermost.map { .within($0) } ?? .everywhere }
        func isBeyond(_ kilometres: Int) -> Bool {
            scale.ceiling(TraitLimits(metres: Double(kilometres) * 1_000, sharedInterests: query.viewer.interests.count))
                < last.score
        }
        var (low, high) = (0, 20_100)
        guard isBeyond(high) else { return outermost.map { .within($0) } ?? .everywhere }
        while high - low > 1 {
            let middle = (low + high) / 2
            if isBeyond(middle) { high = middle } else { low = middle }
        }
        return .within(min(outermost ?? .kilometres(high), .kilometres(high)))
    }

    /// Puts a node on the frontier unless a filter rules out all its people.
    @inline(__always)
    private mutating func look(at node: Int32, in forest: borrowing TileForest, _ best: borrowing BestCandidates) {
        let bounds = forest.nodes.pointer(to: Int(node))
        guard let ceiling = ceiling(of: bounds.pointee.bounds) else { return }
        if let threshold = best.threshold, ceiling < threshold { return }
        frontier.push(ceiling, node)
        forest.prefetchBelow(node)
    }

    @inline(__always)
    private func ceiling(of bounds: Bounds) -> Int? {
        guard bounds.count > 0, bounds.lastActive >= limits.activeSince, bounds.lastBirth >= limits.firstBirth,
            bounds.firstBirth <= limits.lastBirth, bounds.minAge <= limits.oldestForSoft, bounds.maxAge >= limits.youngestForSoft
        else { return nil }
        let metres = bounds.leastMetres(from: view)
        guard metres <= limits.reachMetres, limits.mayReach(bounds, metres) else { return nil }
        return scale.ceiling(traits(bounds, metres))
    }

    @inline(__always)
    private func traits(_ bounds: Bounds, _ metres: Double) -> TraitLimits {
        TraitLimits(
            metres: metres, idleDays: idleDays(bounds.lastActive), youngest: ages.age(BirthDay(rawValue: bounds.lastBirth)),
            oldest: ages.age(BirthDay(rawValue: bounds.firstBirth)), sharedInterests: query.viewer.interests.count,
            tally: SwipeTally(rawValue: bounds.giving << 4 | bounds.receiving), mayLikeViewer: !meetsLikers)
    }

    @inline(__always)
    private func idleDays(_ lastActive: UInt32) -> Int { max(0, Int(limits.today) - Int(lastActive / 86_400)) }

    // MARK: A tile

    /// Offers everybody in a tile who passes the filters.
    private func scan(
        _ tile: UnsafeMutablePointer<Tile>, _ node: UnsafeMutablePointer<TileNode>, _ best: inout BestCandidates
    ) {
        let columns = tile.pointee.columns
        let count = tile.pointee.count
        // Everybody may have left since the node was put on the frontier.
        guard count > 0 else { return }
        let leastMetres = node.pointee.bounds.leastMetres(from: view)
        matches.filter(columns, count, limits, kilometres: Int(leastMetres / 1_000))
        if let threshold = best.threshold,
            let estimate = scale.estimate(traits(node.pointee.bounds, leastMetres), threshold: threshold)
        {
            if estimate.needed > 0 { matches.reject(columns, count, estimate, interests) }
        }
        let cells = tile.pointee.cells
        let whole = Spot(leastMetres: leastMetres, nearness: scale.nearness(metres: leastMetres))
        var spot = whole
        var (cell, end) = (-1, 0)
        matches.forEach(count) { tile.pointee.prefetch($0) }
        matches.forEach(count) { position in
            // Most people are turned away here, by the distance of the whole tile.
            guard let traits = traits(of: position, tile, columns, whole, best) else { return }
            if position >= end {
                while position >= end {
                    cell += 1
                    end = cell + 1 < cells.count ? Int(cells.base[cell + 1].start) : count
                }
                spot = approach(cells.base[cell], node.pointee.bounds.cosine)
            }
            if spot.isWorthIt { offer(position, traits, columns, &spot, &best) }
        }
    }

    /// Offers one person by identifier.
    private func meet(_ id: Int64, in forest: borrowing TileForest, _ best: inout BestCandidates) {
        guard let (number, position) = forest.find(id) else { return }
        let tile = forest.tiles.pointer(to: number)
        let (columns, directed) = (tile.pointee.columns, DirectedSet(number: Int(tile.pointee.set)))
        guard directed.interestedIn.contains(query.viewer.gender),
            query.viewer.preferences.interestedIn.contains(directed.gender), limits.pass(columns, position)
        else { return }
        var spot = approach(tile.pointee.place(at: position), 0)
        guard let traits = traits(of: position, tile, columns, spot, best) else { return }
        offer(position, traits, columns, &spot, &best)
    }

    /// The current cell of a scan. A distance costs as much as scoring several people, so it is computed only when a person seems
    /// worth it.
    private struct Spot {
        var isWorthIt = true
        var latitude = 0.0
        var longitude = 0.0
        /// The distance, or a lower bound until it is computed.
        var leastMetres: Double
        /// What a score reads of `leastMetres`.
        var nearness: Scale.Nearness
        /// A lower bound of the distance in kilometres; once it is computed, the distance rounded up.
        var needed: Int
        var isMeasured = false

        @inline(__always)
        init(leastMetres: Double, nearness: Scale.Nearness) {
            self.leastMetres = leastMetres
            self.nearness = nearness
            self.needed = Int(leastMetres / 1_000)
        }
    }

    /// Bounds the distance of a cell.
    @inline(__always)
    private func approach(_ cell: Tile.Cell, _ cosine: Double) -> Spot {
        var bounds = Bounds()
        bounds.minLatitude = cell.latitude
        bounds.maxLatitude = cell.latitude
        bounds.minLongitude = cell.longitude
        bounds.maxLongitude = cell.longitude
        bounds.cosine = cosine
        let leastMetres = bounds.leastMetres(from: view)
        var spot = Spot(leastMetres: leastMetres, nearness: scale.nearness(metres: leastMetres))
        (spot.latitude, spot.longitude) = (cell.latitude, cell.longitude)
        spot.isWorthIt = leastMetres <= limits.reachMetres
        return spot
    }

    /// Computes the distance of a cell.
    @inline(__always)
    private func measure(_ spot: inout Spot) {
        let metres = view.metres(latitude: spot.latitude, longitude: spot.longitude)
        spot.isMeasured = true
        spot.leastMetres = metres
        spot.nearness = scale.nearness(metres: metres)
        spot.needed = Self.wholeKilometres(metres)
        spot.isWorthIt = metres <= limits.reachMetres
    }

    /// Metres rounded up to whole kilometres, exactly.
    private static func wholeKilometres(_ metres: Double) -> Int {
        var kilometres = Int((metres / 1_000).rounded(.up))
        while Double(kilometres) * 1_000 < metres { kilometres += 1 }
        while kilometres > 0, Double(kilometres - 1) * 1_000 >= metres { kilometres -= 1 }
        return kilometres
    }

    /// The traits of a person who may be among the best at the least distance of a tile; nil for others. Cheap checks come first.
    @inline(__always)
    private func traits(
        of position: Int, _ tile: UnsafeMutablePointer<Tile>, _ columns: TileColumns, _ whole: Spot,
        _ best: borrowing BestCandidates
    ) -> CandidateTraits? {
        let flags = PersonRow.Flags(rawValue: columns.flags[position])
        let id = columns.ids[position]
        let isLiked = query.likers.count > 0 && query.likers.contains(id)
        if flags.contains(.incognito), !isLiked { return nil }
        // While there is room, no score is too low, and a viewer who finds nobody has swiped most people.
        if best.threshold == nil, query.excluded.contains(id) { return nil }
        let counts = columns.counts(at: position)
        var shared = 0
        if scale.readsInterests {
            shared = query.viewer.interests.withUnsafeBufferPointer {
                InterestCode.shared($0, tile.pointee.interests(at: position))
            }
        }
        let traits = CandidateTraits(
            metres: 0, hidesDistance: flags.contains(.hidesDistance), idleDays: idleDays(columns.lastActive[position]),
            age: ages.age(BirthDay(rawValue: columns.births[position])), minAge: Int(columns.minAges[position]),
            maxAge: Int(columns.maxAges[position]), sharedInterests: shared, likesViewer: isLiked,
            tally: counts.tally(on: limits.today), shownYesterday: counts.shownYesterday(on: limits.today))
        // Every step of a score is monotone, including rounding: a person does not score less from a shorter distance.
        return best.mayAdmit(scale.score(traits, whole.nearness), candidate: id, viewer: query.viewer.id) ? traits : nil
    }

    /// Offers a person who passes the filters, if the distance allows it.
    @inline(__always)
    private func offer(
        _ position: Int, _ traits: CandidateTraits, _ columns: TileColumns, _ spot: inout Spot, _ best: inout BestCandidates
    ) {
        let (id, reach) = (columns.ids[position], Int(columns.reaches[position]))
        let isHard = PersonRow.Flags(rawValue: columns.flags[position]).contains(.distanceHard)
        guard limits.reaches(reach, isHard: isHard, needed: spot.needed),
            best.mayAdmit(scale.score(traits, spot.nearness), candidate: id, viewer: query.viewer.id),
            id != query.viewer.id.rawValue, !query.excluded.contains(id)
        else { return }
        if !spot.isMeasured {
            measure(&spot)
            guard spot.isWorthIt, limits.reaches(reach, isHard: isHard, needed: spot.needed) else { return }
        }
        let score = scale.score(traits, spot.nearness)
        if let threshold = best.threshold, score < threshold { return }
        best.offer(
            DeckRank(
                score: score, candidate: UserID(rawValue: id), version: Int64(columns.versions[position]), viewer: query.viewer.id
            ))
    }
}
