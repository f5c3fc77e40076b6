import SparkCache
import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkProfiles

/// The last number that was acknowledged as written, for each person.
private final class Written: Sendable {
    let numbers = Mutex<[UserID: Int]>([:])
}

/// The module itself, which the test can reach.
private struct OpenProfilesModule: SparkModule {
    static let manifest = ProfilesModule.manifest
    let module: ProfilesModule

    init(configuration: ProfilesConfiguration, context: ModuleContext) throws {
        module = try ProfilesModule(configuration: configuration, context: context)
    }

    func register(in registrar: inout ModuleRegistrar) {
        module.register(in: &registrar)
        registrar.provide(OpenProfilesModule.self, self)
    }
}

@Suite("Profiles from the cache")
struct CacheTests {
    @Test("a record is read once, and every write shows in the next answer without another read")
    func writeThrough() async throws {
        try await Town.with { town in
            let (ada, bob) = (try await town.settle(), try await town.settle("Bob"))
            func about(_ viewer: UserID) async throws -> String? {
                try await town.call("GET", "/users/\(ada)", as: viewer).json["about"]?.string
            }
            for number in 0..<5 {
                #expect(try await town.patch(ada, #"{"about":"\#(number)"}"#).status == 200)
                #expect(try await about(ada) == "\(number)")
                #expect(try await about(bob) == "\(number)")
                #expect(try await town.me(ada)["about"]?.string == "\(number)")
            }
            let place = try await town.move(ada, 48.85, 2.35).json
            #expect(try await town.me(ada)["location"] == place)
            // Registering and changing filled the cache; the store was never read.
            #expect(town.server.cacheLoads("user:profile") == 0)
            #expect(town.server.cacheCount("user:profile", "l1", "hit") > 10)
        }
    }

    @Test("preferences are sent as they were stored, until they change")
    func preferences() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            func ages() async throws -> Int64? {
                try await town.call("GET", "/me/preferences", as: ada).json["min_age"]?.integer
            }
            let before = try await ages()
            for _ in 0..<10 { #expect(try await ages() == before) }
            #expect(town.server.cacheLoads("user:preferences") == 1)
            for age in 20..<25 {
                _ = try await town.call(
                    "PUT", "/me/preferences", as: ada, #"{"min_age":\#(age),"max_age":50,"max_distance_km":9}"#)
                #expect(try await ages() == Int64(age))
            }
            #expect(town.server.cacheLoads("user:preferences") == 6)
        }
    }

    @Test("the most recently active people are loaded ahead")
    func warming() async throws {
        try await withServer(TestServer.start([OpenProfilesModule.self, AccountsStandIn.self])) { server in
            let (accounts, service) = (
                try server.port((any TestAccounts).self), try server.port(OpenProfilesModule.self).module.service
            )
            var users: [UserID] = []
            for number in 0..<250 {
                users.append(
                    try await accounts.register(
                        "P\(number)", born: try #require(CivilDate("1990-01-01")), gender: .man, seeks: .everyone))
                server.clock.advance(by: .seconds(1))
            }
            #expect(try await service.store.lastActive(100) == Array(users.reversed().prefix(100)))
            server.cache.invalidate(users.map { .user($0) })
            try await service.records.warm(try await service.store.lastActive(210))
            #expect(server.cacheLoads("user:profile") == 210)
            _ = try await service.profiles(of: users)
            #expect(server.cacheLoads("user:profile") == 250)
        }
    }

    @Test("closing, activity and erasing show at once; an absent person is there once registered")
    func others() async throws {
        try await Town.with { town in
            let (ada, bob) = (try await town.settle(), try await town.settle("Bob"))
            func status() async throws -> Int { try await town.call("GET", "/users/\(ada)", as: bob).status }
            #expect(try await status() == 200)
            try await town.accounts.setClosed(true, ada)
            #expect(try await status() == 404)
            #expect(try await town.profile(ada).isClosed)
            try await town.accounts.setClosed(false, ada)
            #expect(try await status() == 200)
            let people = try town.server.port((any ProfileReading).self)
            let ghost = UserID(rawValue: 77)
            #expect(try await people.profile(of: ghost) == nil)
            #expect(try await people.profiles(of: [ghost, ada, ghost, bob]).map(\.id) == [ada, bob])
            #expect(town.server.cacheCount("user:profile", "origin", "absent") == 1)
            try await town.accounts.register(
                Registration(
                    user: ghost, email: "g@example.org", name: "Ghost", birthDate: try #require(CivilDate("1990-01-01")),
                    gender: .man, interestedIn: .everyone, registeredAt: town.server.clock.now()))
            #expect(try await people.profile(of: ghost)?.name == "Ghost")
            let erase = try #require(ProfilesModule.manifest.tables.first { $0.name == "profiles_users" }?.erase)
            try await town.server.storage.write { transaction in
                try erase(transaction.session, ada)
                transaction.publish(AccountErased(user: ada))
            }
            #expect(try await people.profile(of: ada) == nil)
            #expect(try await people.profiles(of: [ada, bob]).map(\.id) == [bob])
        }
    }

    @Test("after an answer nobody sees an older record, however many read and write at once")
    func race() async throws {
        try await Town.with { town in
            let people = try town.server.port((any ProfileReading).self)
            var users: [UserID] = []
            for number in 0..<4 { users.append(try await town.settle("P\(number)")) }
            let written = Written()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for user in users {
                    group.addTask {
                        for number in 1...60 {
                            _ = try await town.patch(user, #"{"about":"\#(number)"}"#)
                            written.numbers.withLock { $0[user] = number }
                            guard number % 7 == 0 else { continue }
                            town.server.cache.invalidate([.user(user)])
                            #expect(try await people.profile(of: user)?.about == "\(number)")
                        }
                    }
                }
                for reader in 0..<6 {
                    group.addTask { [users] in
                        for _ in 0..<400 {
                            let known = written.numbers.withLock { $0 }
                            let found =
                                reader % 2 == 0
                                ? try await people.profiles(of: users).map(\.profile)
                                : [try await people.profile(of: users[reader % 4])].compactMap { $0 }
                            for profile in found {
                                #expect(Int(profile.about) ?? 0 >= known[profile.id] ?? 0)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(town.server.cacheLoads("user:profile") > 0)
        }
    }

    @Test("a record comes back from its bytes unchanged; damaged bytes give nothing or a record")
    func codec() throws {
        var chance = SplitMix64(seed: 3)
        for number in 0..<200 {
            let own = record(number, &chance)
            var bytes: [UInt8] = []
            own.encode(into: &bytes)
            let back = try #require(OwnProfile.decode(bytes))
            #expect("\(back)" == "\(own)")
            #expect(bytes.count < 150 + own.profile.about.utf8.count)
            for length in 0..<bytes.count { #expect(OwnProfile.decode(Array(bytes[..<length])) == nil) }
            for index in bytes.indices {
                var changed = bytes
                changed[index] ^= UInt8(truncatingIfNeeded: chance.next()) | 1
                _ = OwnProfile.decode(changed)
            }
        }
    }

    @Test("every view has the bytes that its description gives member by member, whatever the texts and the viewer")
    func writtenViews() throws {
        var chance = SplitMix64(seed: 7)
        let today = CivilDate(daysSinceEpoch: 20_500)
        let pieces = ["a", "é", "\"", "\\", "\n", "\u{1}", "e\u{301}", "👩‍👩‍👧", "🇫🇷", "/", " ", "\r\n"]
        let names = PersonView.fields.names
        for number in 0..<300 {
            var own = record(number, &chance)
            func text(_ most: UInt64) -> String {
                (0..<(chance.next() % most)).map { _ in pieces[Int(chance.next() % UInt64(pieces.count))] }.joined()
            }
            (own.profile.name, own.profile.about, own.profile.interests) = (text(30), text(400), [text(9), text(9)])
            let person = try #require(ProfileRecord.decode(bytes(ProfileRecord(own))))
            let viewerPlace = number % 2 == 0 ? Coordinate(latitude: 48.85, longitude: 2.35) : nil
            func written(_ extent: PersonView.Extent) -> [UInt8] {
                JSONWriter.bytes(of: PersonView(person, viewerPlace: viewerPlace, today: today, extent: extent))
            }
            func described(_ members: [String]) -> [UInt8] {
                let view = PersonView(person, viewerPlace: viewerPlace, today: today, extent: .full)
                var writer = JSONWriter()
                writer.object { PersonView.fields.writeMembers(of: view, to: &$0, where: members.contains) }
                return writer.bytes
            }
            #expect(written(.full) == described(names))
            #expect(written(.card) == described(ProfileCard.fields.names))
            #expect(written(.card) == JSONWriter.bytes(of: ProfileCard(person.written, viewerPlace: viewerPlace, today: today)))
            for name in names { #expect(written(.members([name])) == described(["id", name])) }
            let view = try JSONParser.parse(written(.full))
            let profile = own.profile
            #expect(view["id"]?.string == profile.id.wire && view["name"]?.string == profile.name)
            #expect(view["bio"]?.string == String(profile.about.prefix(140)) && view["about"]?.string == profile.about)
            #expect(view["interests"]?.array?.compactMap(\.string) == profile.interests && view["photos"] == [])
            #expect(view["gender"]?.string == profile.gender.wire)
            #expect(view["age"]?.integer == Int64(profile.birthDate.age(on: today)))
        }
    }

    @Test("what is written weighs in the cache, and the disk gets the record alone")
    func writtenWeight() throws {
        var own = OwnProfile(blank: UserID(rawValue: 1))
        let empty = ProfileRecord(own)
        own.profile.about = String(repeating: "a", count: 1_000)
        let full = ProfileRecord(own)
        // The text itself, the whole of it for the full view, and its beginning for the card.
        #expect(full.cacheCost == empty.cacheCost + 1_000 + 1_000 + 140)
        #expect(empty.cacheCost > own.cacheCost - 1_000 + empty.written.byteCount)
        #expect(bytes(full) == bytes(own))
    }

    private func bytes(_ value: some CacheValue) -> [UInt8] {
        var bytes: [UInt8] = []
        value.encode(into: &bytes)
        return bytes
    }

    @Test("records that were cached with other columns are not read: each list of columns has its own version")
    func encodingVersion() {
        let columns = OwnProfile.columns
        let shorter = Array(columns.dropLast())
        let retyped = shorter + [ProfileColumn("location_correctable_until", \.pace.windowCount, .small)]
        let lists: [[ProfileColumn]] = [columns, shorter, Array(columns.reversed()), retyped]
        #expect(Set(lists.map { OwnProfile.encodingVersion(of: $0) }).count == 4)
        #expect(ProfileRecords.policy.version == OwnProfile.encodingVersion(of: columns))
    }

    @Test("the columns are those of the table, each once, and a text weighs what it has")
    func columns() async throws {
        let names = ["id"] + OwnProfile.columns.map(\.name)
        try await Town.with { town in
            let stored = try town.server.storage.readNow { session in
                try session.values("SELECT name FROM pragma_table_info('profiles_users')", as: String.self)
            }
            #expect(names.sorted() == stored.sorted())
        }
        var own = OwnProfile(blank: UserID(rawValue: 1))
        let empty = own.cacheCost
        (own.profile.name, own.profile.about, own.profile.interests) = ("Ada", "é", ["chess"])
        #expect(own.cacheCost == empty + 3 + 2 + 53)
    }

    private func record(_ number: Int, _ chance: inout SplitMix64) -> OwnProfile {
        func pick(_ count: UInt64) -> Int { Int(chance.next() % count) }
        func time() -> Timestamp { Timestamp(milliseconds: Int64(chance.next() >> 20)) }
        let hasPlace = number % 3 != 0
        let profile = Profile(
            id: UserID(rawValue: Int64(bitPattern: chance.next())), name: "Ada \(number) \u{1F469}",
            birthDate: CivilDate(daysSinceEpoch: Int64(pick(20_000)) - 10_000), gender: Gender.allCases[pick(3)],
            about: String(repeating: "é", count: pick(50)), interests: (0..<pick(4)).map { "i\($0)" },
            preferences: Preferences(
                interestedIn: GenderSet(rawValue: UInt8(1 + pick(7))), minAge: 18 + pick(50), maxAge: 68 + pick(50),
                maxDistanceKilometres: 1 + pick(20_000), isAgeHard: pick(2) == 0, isDistanceHard: pick(2) == 0),
            visibility: Visibility(isPaused: pick(2) == 0, isIncognito: pick(2) == 0, hidesDistance: pick(2) == 0),
            place: hasPlace ? Coordinate(latitude: Double(pick(180)) - 90, longitude: 0.1) : nil, lastActiveAt: time(),
            createdAt: time(), isClosed: pick(2) == 0, version: Int64(pick(1_000)))
        return OwnProfile(
            profile: profile, cell: hasPlace ? Cell(rawValue: Int64(pick(1 << 40))) : nil,
            pace: LocationPace(
                changedAt: hasPlace ? time() : nil, windowStart: hasPlace ? time() : nil, windowCount: pick(100)),
            updatedAt: time())
    }
}
