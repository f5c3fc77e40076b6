import SparkCore

/// One search. Visits the nodes that may hold candidates, the most promising first, until no remaining person can be among the
/// best.
///
/// The search is exact: a node's ceiling is the score of a person with the best of every trait in the node, and the search ends
/// when the best ceiling is below the worst of the best scores. It adapts to density: in a city a few tiles suffice; in the
/// country it looks as far as it must.
struct DeckSearch<Scale: ScoreScale>: ~Copyable {
    private let query: CandidateQuery
    private let place: Coordinate
    private let view: PlaceOfView
    private let calendar: AgeCalendar
    private let ages: AgeTable
    private let scale: Scale
    private var frontier = Frontier()
    private let matching: UnsafeMutablePointer<UInt8>
    /// If there are not too many, the people who like the viewer are looked up one by one. Then no bound must assume that others
    /// do.
    private let meetsLikers: Bool
    private static var likersMet: Int { 500 }

    // What the filters require at the current stage.
    private var limits = StageLimits()

    init(_ query: CandidateQuery, place: Coordinate, ages: AgeCalendar, scale: Scale) {
        self.query = query
        self.place = place
        self.view = PlaceOfView(place)
        self.calendar = ages
        self.ages = ages.table
        self.scale = scale
        self.meetsLikers = query.likers.count <= Self.likersMet
        self.matching = .allocate(capacity: Tile.capacity)
    }

    deinit { matching.deallocate() }

    /// The best candidates of a stage, best first.
    mutating func best(at stage: DeckStage, in forest: borrowing TileForest) -> [DeckRank] {
        guard let limits = StageLimits(query, at: stage, ages: calendar) else { return [] }
        self.limits = limits
        var best = BestCandidates(limit: query.limit)
        frontier.removeAll()
        let (gender, sought) = (query.viewer.gender, query.viewer.preferences.interestedIn)
        for set in 0..<DirectedSet.count {
            let directed = DirectedSet(number: set)
            guard forest.roots[set] >= 0, directed.interestedIn.contains(gender), sought.contains(directed.gender) else {
                continue
            }
            look(at: forest.roots[set], in: forest, best)
        }
        if meetsLikers { query.likers.forEach { meet($0, in: forest, &best) } }
        while let (ceiling, node) = frontier.popBest() {
            // Equal scores are ordered by a hash, so an equal candidate could still come before the last one.
            if let threshold = best.threshold, ceiling < threshold { break }
            let pointer = forest.nodes.pointer(to: Int(node))
            if pointer.pointee.isLeaf {
                scan(forest.tiles.pointer(to: Int(pointer.pointee.left)), pointer, ceiling, &best)
            } else {
                look(at: pointer.pointee.left, in: forest, best)
                look(at: pointer.pointee.right, in: forest, best)
            }
        }
        return best.ranks
    }

    /// How far from the viewer a person could have been found among the best of a stage.
    func reach(at stage: DeckStage, ranks: [DeckRank]) -> SearchReach {
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
        _ tile: UnsafeMutablePointer<Tile>, _ node: UnsafeMutablePointer<TileNode>, _ ceiling: Int, _ best: inout BestCandidates
    ) {
        let columns = tile.pointee.columns
        let count = tile.pointee.count
        var bounding = traits(node.pointee.bounds, node.pointee.bounds.leastMetres(from: view))
        match(columns, count, narrowed(bounding, ceiling, best))
        let cells = tile.pointee.cells
        var spot = Spot()
        var cell = -1
        var end = 0
        let words = UnsafeRawPointer(matching)
        for word in 0..<((count + 7) / 8) {
            var bits = words.load(fromByteOffset: word * 8, as: UInt64.self)
            while bits != 0 {
                let position = word * 8 + bits.trailingZeroBitCount / 8
                bits &= bits - 1
                if position >= end {
                    while position >= end {
                        cell += 1
                        end = cell + 1 < cells.count ? Int(cells.base[cell + 1].start) : count
                    }
                    spot = approach(cells.base[cell], node.pointee.bounds.cosine, &bounding, best)
                }
                if spot.isWorthIt { weigh(position, of: tile, columns, &spot, &best) }
            }
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
        let cell = tile.pointee.place(at: position)
        var spot = Spot(isWorthIt: true, latitude: cell.latitude, longitude: cell.longitude)
        weigh(position, of: tile, columns, &spot, &best)
    }

    /// The current cell of a scan. A distance costs as much as scoring several people, so it is computed only when a person seems
    /// worth it.
    private struct Spot {
        var isWorthIt = false
        var latitude = 0.0
        var longitude = 0.0
        /// A lower bound of the distance.
        var leastMetres = 0.0
        /// The distance; negative until it is computed.
        var metres = -1.0
        /// The distance in kilometres, rounded up.
        var needed = 0
    }

    /// What the columns must satisfy: the filters, and once there are enough candidates, the demands of a sufficient score.
    private struct ColumnLimits {
        var firstBirth: UInt16
        var lastBirth: UInt16
        var activeSince: UInt32
        var interests: UInt8
    }

    @inline(__always)
    private func narrowed(_ bounding: TraitLimits, _ ceiling: Int, _ best: borrowing BestCandidates) -> ColumnLimits {
        var columns = ColumnLimits(
            firstBirth: limits.firstBirth, lastBirth: limits.lastBirth, activeSince: limits.activeSince, interests: 0)
        guard let threshold = best.threshold else { return columns }
        let demands = scale.demands(bounding, slack: ceiling - threshold)
        columns.interests = UInt8(clamping: demands.interests)
        if demands.idleDays < 100_000 {
            let since = (Int64(limits.today) - Int64(demands.idleDays)) * 86_400
            columns.activeSince = max(columns.activeSince, UInt32(clamping: since))
        }
        if demands.youngest > 0 || demands.oldest < 200, let births = ages.births(from: demands.youngest, through: demands.oldest)
        {
            columns.firstBirth = max(columns.firstBirth, births.lowerBound.rawValue)
            columns.lastBirth = min(columns.lastBirth, births.upperBound.rawValue)
        }
        return columns
    }

    /// Marks the people who pass the filters on ages and activity. Plain loops over columns, which the compiler vectorizes.
    @inline(__always)
    private func match(_ columns: TileColumns, _ count: Int, _ wanted: ColumnLimits) {
        let (births, minAges, maxAges, flags, lastActive, interests) = (
            columns.births, columns.minAges, columns.maxAges, columns.flags, columns.lastActive, columns.interestCounts
        )
        let (first, last, least) = (wanted.firstBirth, wanted.lastBirth, wanted.interests)
        let (old, oldSoft, young, youngSoft) = (limits.age, limits.oldestForSoft, limits.age, limits.youngestForSoft)
        let since = wanted.activeSince
        let matching = matching
        for position in 0..<count {
            let isHard = flags[position] & 1 != 0
            let isBornLate: UInt8 = births[position] >= first ? 1 : 0
            let isBornEarly: UInt8 = births[position] <= last ? 1 : 0
            let isInterested: UInt8 = interests[position] >= least ? 1 : 0
            let isOldEnough: UInt8 = minAges[position] <= (isHard ? old : oldSoft) ? 1 : 0
            let isYoungEnough: UInt8 = maxAges[position] >= (isHard ? young : youngSoft) ? 1 : 0
            let isActive: UInt8 = lastActive[position] >= since ? 1 : 0
            matching[position] = isBornLate & isBornEarly & isInterested & isOldEnough & isYoungEnough & isActive
        }
        for position in count..<((count + 7) / 8 * 8) { matching[position] = 0 }
    }

    /// Checks with bounds whether anybody in a cell can be reached and be among the best.
    @inline(__always)
    private func approach(
        _ cell: Tile.Cell, _ cosine: Double, _ bounding: inout TraitLimits, _ best: borrowing BestCandidates
    ) -> Spot {
        var bounds = Bounds()
        bounds.minLatitude = cell.latitude
        bounds.maxLatitude = cell.latitude
        bounds.minLongitude = cell.longitude
        bounds.maxLongitude = cell.longitude
        bounds.cosine = cosine
        var spot = Spot(latitude: cell.latitude, longitude: cell.longitude, leastMetres: bounds.leastMetres(from: view))
        guard spot.leastMetres <= limits.reachMetres else { return spot }
        bounding.metres = spot.leastMetres
        if let threshold = best.threshold, scale.ceiling(bounding) < threshold { return spot }
        spot.isWorthIt = true
        return spot
    }

    /// Computes the distance of a cell.
    @inline(__always)
    private func measure(_ spot: inout Spot) {
        let there = Coordinate(latitude: spot.latitude, longitude: spot.longitude) ?? place
        spot.metres = place.distance(to: there).metres
        spot.needed = Self.wholeKilometres(spot.metres)
        spot.isWorthIt = spot.metres <= limits.reachMetres
    }

    /// Metres rounded up to whole kilometres, exactly.
    private static func wholeKilometres(_ metres: Double) -> Int {
        var kilometres = Int((metres / 1_000).rounded(.up))
        while Double(kilometres) * 1_000 < metres { kilometres += 1 }
        while kilometres > 0, Double(kilometres - 1) * 1_000 >= metres { kilometres -= 1 }
        return kilometres
    }

    /// Offers a person who passes the filters and scores enough. Cheap checks come first.
    @inline(__always)
    private func weigh(
        _ position: Int, of tile: UnsafeMutablePointer<Tile>, _ columns: TileColumns, _ spot: inout Spot,
        _ best: inout BestCandidates
    ) {
        let flags = PersonRow.Flags(rawValue: columns.flags[position])
        guard
            limits.reaches(
                Int(columns.reaches[position]), isHard: flags.contains(.distanceHard),
                needed: spot.metres < 0 ? Int(spot.leastMetres / 1_000) : spot.needed)
        else { return }
        let id = columns.ids[position]
        let isLiked = query.likers.count > 0 && query.likers.contains(id)
        if flags.contains(.incognito), !isLiked { return }
        let counts = columns.counts(at: position)
        let mostShared = min(query.viewer.interests.count, Int(columns.interestCounts[position]))
        var traits = CandidateTraits(
            metres: spot.metres < 0 ? spot.leastMetres : spot.metres, hidesDistance: flags.contains(.hidesDistance),
            idleDays: idleDays(columns.lastActive[position]), age: ages.age(BirthDay(rawValue: columns.births[position])),
            minAge: Int(columns.minAges[position]), maxAge: Int(columns.maxAges[position]), sharedInterests: mostShared,
            likesViewer: isLiked, tally: counts.tally(on: limits.today), shownYesterday: counts.shownYesterday(on: limits.today))
        // Every step of a score is monotone, including rounding: a person does not score less from a shorter distance.
        guard best.mayAdmit(scale.score(traits), candidate: id, viewer: query.viewer.id) else { return }
        if spot.metres < 0 {
            measure(&spot)
            guard spot.isWorthIt else { return }
            traits.metres = spot.metres
        }
        guard limits.reaches(Int(columns.reaches[position]), isHard: flags.contains(.distanceHard), needed: spot.needed),
            id != query.viewer.id.rawValue, !query.excluded.contains(id)
        else { return }
        if mostShared > 0 {
            traits.sharedInterests = query.viewer.interests.withUnsafeBufferPointer {
                InterestCode.shared($0, tile.pointee.interests(at: position))
            }
        }
        let score = scale.score(traits)
        if let threshold = best.threshold, score < threshold { return }
        best.offer(
            DeckRank(
                score: score, candidate: UserID(rawValue: id), version: Int64(columns.versions[position]), viewer: query.viewer.id
            ))
    }
}
