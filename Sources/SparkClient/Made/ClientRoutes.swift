// Made by `spark export client swift`. Do not edit.
// swift-format-ignore-file

/// A method for each route of the API, named after the HTTP method and the path.
///
/// All throw `SparkProblem` for what the server refuses, `SparkUnreachable` if there is no answer, and `UnexpectedJSON`.
extension SparkRoutes {
    /// Create an account and open its first session.
    @discardableResult
    public func postAuthRegister(_ body: SparkAPI.Registration, idempotencyKey: String? = nil) async throws -> SparkAPI.TokenGrant {
        try await call(SparkRequest("POST", "/api/v1/auth/register", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Open a session; within the grace period this also restores a deleted account.
    @discardableResult
    public func postAuthLogin(_ body: SparkAPI.Login, idempotencyKey: String? = nil) async throws -> SparkAPI.TokenGrant {
        try await call(SparkRequest("POST", "/api/v1/auth/login", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Exchange a refresh token for new tokens; it can be used once.
    @discardableResult
    public func postAuthRefresh(_ body: SparkAPI.Refresh, idempotencyKey: String? = nil) async throws -> SparkAPI.RefreshedTokens {
        try await call(SparkRequest("POST", "/api/v1/auth/refresh", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Revoke this session.
    public func postAuthLogout(idempotencyKey: String? = nil) async throws {
        try await call(SparkRequest("POST", "/api/v1/auth/logout", idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// The open sessions, most recently used first.
    public func getAuthSessions() async throws -> SparkAPI.SessionPage {
        try await call(SparkRequest("GET", "/api/v1/auth/sessions"))
    }

    /// Revoke every session but this one.
    public func deleteAuthSessions(idempotencyKey: String? = nil) async throws {
        try await call(SparkRequest("DELETE", "/api/v1/auth/sessions", idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Revoke one session.
    public func deleteAuthSessionsID(_ id: String, idempotencyKey: String? = nil) async throws {
        try await call(SparkRequest("DELETE", "/api/v1/auth/sessions/\(SparkRequest.segment(id))", idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Change the password and revoke every other session.
    public func postAuthPassword(_ body: SparkAPI.PasswordChange, idempotencyKey: String? = nil) async throws {
        try await call(SparkRequest("POST", "/api/v1/auth/password", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Confirm the password; the session then counts as just opened.
    public func postAuthConfirm(_ body: SparkAPI.Confirmation, idempotencyKey: String? = nil) async throws {
        try await call(SparkRequest("POST", "/api/v1/auth/confirm", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Set a new password with a link's token, which works once; revokes every session.
    public func postAuthResetConfirm(_ body: SparkAPI.PasswordReset, idempotencyKey: String? = nil) async throws {
        try await call(SparkRequest("POST", "/api/v1/auth/reset/confirm", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Delete the account: hidden at once, erased after the grace period.
    @discardableResult
    public func deleteMe(_ body: SparkAPI.Confirmation? = nil, idempotencyKey: String? = nil) async throws -> SparkAPI.Closure {
        try await call(SparkRequest("DELETE", "/api/v1/me", body: body?.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Show my profile.
    public func getMe() async throws -> SparkAPI.Me {
        try await call(SparkRequest("GET", "/api/v1/me"))
    }

    /// Change parts of my profile.
    @discardableResult
    public func patchMe(_ body: SparkAPI.ProfileChange, idempotencyKey: String? = nil) async throws -> SparkAPI.Me {
        try await call(SparkRequest("PATCH", "/api/v1/me", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Everything that is stored about you.
    public func getMeExport() async throws -> SparkAPI.Export {
        try await call(SparkRequest("GET", "/api/v1/me/export"))
    }

    /// Set my location; the answer is the snapped location.
    @discardableResult
    public func putMeLocation(_ body: SparkAPI.ReportedLocation, idempotencyKey: String? = nil) async throws -> SparkAPI.SnappedLocation {
        try await call(SparkRequest("PUT", "/api/v1/me/location", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Show my preferences.
    public func getMePreferences() async throws -> SparkAPI.Preferences {
        try await call(SparkRequest("GET", "/api/v1/me/preferences"))
    }

    /// Change my preferences.
    @discardableResult
    public func putMePreferences(_ body: SparkAPI.PreferencesChange, idempotencyKey: String? = nil) async throws -> SparkAPI.Preferences {
        try await call(SparkRequest("PUT", "/api/v1/me/preferences", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Show a person.
    public func getUsersID(_ id: String, view: SparkAPI.PersonExtent? = nil, fields: [SparkAPI.PersonMember]? = nil) async throws -> SparkAPI.Person {
        try await call(SparkRequest("GET", "/api/v1/users/\(SparkRequest.segment(id))", query: [("view", SparkRequest.parameter(view)), ("fields", SparkRequest.parameter(fields))]))
    }

    /// The best candidates for me.
    public func getMatchesSuggestions(limit: Int? = nil) async throws -> SparkAPI.Suggestions {
        try await call(SparkRequest("GET", "/api/v1/matches/suggestions", query: [("limit", SparkRequest.parameter(limit))]))
    }

    /// Which filter takes how many people out of my deck, and what loosening one would add.
    public func getMeDeckWhy() async throws -> SparkAPI.DeckReasons {
        try await call(SparkRequest("GET", "/api/v1/me/deck/why"))
    }

    /// Like, pass, superlike or skip somebody.
    @discardableResult
    public func postSwipes(_ body: SparkAPI.Swipe, idempotencyKey: String? = nil) async throws -> SparkAPI.SwipeResult {
        try await call(SparkRequest("POST", "/api/v1/swipes", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Undo my last swipe.
    @discardableResult
    public func deleteSwipesLast(idempotencyKey: String? = nil) async throws -> SparkAPI.UndoneSwipe {
        try await call(SparkRequest("DELETE", "/api/v1/swipes/last", idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// My matches, newest first.
    public func getMatches(limit: Int? = nil, cursor: String? = nil) async throws -> SparkAPI.MatchPage {
        try await call(SparkRequest("GET", "/api/v1/matches", query: [("limit", SparkRequest.parameter(limit)), ("cursor", SparkRequest.parameter(cursor))]))
    }

    /// My matches, newest first: every element of every page.
    public func eachMatches(limit: Int? = nil) -> SparkPages<SparkAPI.Match> {
        SparkPages { cursor in
            let page = try await getMatches(limit: limit, cursor: cursor)
            return (page.items, page.nextCursor)
        }
    }

    /// End a match.
    public func deleteMatchesID(_ id: String, idempotencyKey: String? = nil) async throws {
        try await call(SparkRequest("DELETE", "/api/v1/matches/\(SparkRequest.segment(id))", idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Who likes me and awaits my answer, newest first.
    public func getLikes(limit: Int? = nil, cursor: String? = nil) async throws -> SparkAPI.LikePage {
        try await call(SparkRequest("GET", "/api/v1/likes", query: [("limit", SparkRequest.parameter(limit)), ("cursor", SparkRequest.parameter(cursor))]))
    }

    /// Who likes me and awaits my answer, newest first: every element of every page.
    public func eachLikes(limit: Int? = nil) -> SparkPages<SparkAPI.Like> {
        SparkPages { cursor in
            let page = try await getLikes(limit: limit, cursor: cursor)
            return (page.items, page.nextCursor)
        }
    }

    /// Whom I blocked, newest first.
    public func getBlocks(limit: Int? = nil, cursor: String? = nil) async throws -> SparkAPI.BlockPage {
        try await call(SparkRequest("GET", "/api/v1/blocks", query: [("limit", SparkRequest.parameter(limit)), ("cursor", SparkRequest.parameter(cursor))]))
    }

    /// Whom I blocked, newest first: every element of every page.
    public func eachBlocks(limit: Int? = nil) -> SparkPages<SparkAPI.Block> {
        SparkPages { cursor in
            let page = try await getBlocks(limit: limit, cursor: cursor)
            return (page.items, page.nextCursor)
        }
    }

    /// Block somebody; ends a match.
    public func postBlocks(_ body: SparkAPI.BlockRequest, idempotencyKey: String? = nil) async throws {
        try await call(SparkRequest("POST", "/api/v1/blocks", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Lift a block.
    public func deleteBlocks(_ body: SparkAPI.BlockRequest, idempotencyKey: String? = nil) async throws {
        try await call(SparkRequest("DELETE", "/api/v1/blocks", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Lift the block of a user.
    public func deleteBlocksID(_ id: String, idempotencyKey: String? = nil) async throws {
        try await call(SparkRequest("DELETE", "/api/v1/blocks/\(SparkRequest.segment(id))", idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Report somebody to those who moderate.
    @discardableResult
    public func postReports(_ body: SparkAPI.Report, idempotencyKey: String? = nil) async throws -> SparkAPI.ReportReceipt {
        try await call(SparkRequest("POST", "/api/v1/reports", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// My conversations, newest activity first.
    public func getConversations(limit: Int? = nil, cursor: String? = nil) async throws -> SparkAPI.ConversationPage {
        try await call(SparkRequest("GET", "/api/v1/conversations", query: [("limit", SparkRequest.parameter(limit)), ("cursor", SparkRequest.parameter(cursor))]))
    }

    /// My conversations, newest activity first: every element of every page.
    public func eachConversations(limit: Int? = nil) -> SparkPages<SparkAPI.Conversation> {
        SparkPages { cursor in
            let page = try await getConversations(limit: limit, cursor: cursor)
            return (page.items, page.nextCursor)
        }
    }

    /// One of my conversations.
    public func getConversationsID(_ id: String) async throws -> SparkAPI.Conversation {
        try await call(SparkRequest("GET", "/api/v1/conversations/\(SparkRequest.segment(id))"))
    }

    /// Mark everything up to a message as read.
    @discardableResult
    public func postConversationsIDRead(_ id: String, _ body: SparkAPI.ReadMark, idempotencyKey: String? = nil) async throws -> SparkAPI.ReadResult {
        try await call(SparkRequest("POST", "/api/v1/conversations/\(SparkRequest.segment(id))/read", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Number of my unread messages.
    public func getUnread() async throws -> SparkAPI.Unread {
        try await call(SparkRequest("GET", "/api/v1/unread"))
    }

    /// Messages of a conversation: newest first, or oldest first after a given one.
    public func getConversationsIDMessages(_ id: String, limit: Int? = nil, cursor: String? = nil, before: Int? = nil, after: Int? = nil) async throws -> SparkAPI.MessagePage {
        try await call(SparkRequest("GET", "/api/v1/conversations/\(SparkRequest.segment(id))/messages", query: [("limit", SparkRequest.parameter(limit)), ("cursor", SparkRequest.parameter(cursor)), ("before", SparkRequest.parameter(before)), ("after", SparkRequest.parameter(after))]))
    }

    /// Messages of a conversation: newest first, or oldest first after a given one: every element of every page.
    public func eachConversationsIDMessages(_ id: String, limit: Int? = nil, before: Int? = nil, after: Int? = nil) -> SparkPages<SparkAPI.Message> {
        SparkPages { cursor in
            let page = try await getConversationsIDMessages(id, limit: limit, cursor: cursor, before: before, after: after)
            return (page.items, page.nextCursor)
        }
    }

    /// Send a message; the same client_id again gives the same answer.
    @discardableResult
    public func postConversationsIDMessages(_ id: String, _ body: SparkAPI.NewMessage, idempotencyKey: String? = nil) async throws -> SparkAPI.SentMessage {
        try await call(SparkRequest("POST", "/api/v1/conversations/\(SparkRequest.segment(id))/messages", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Search the messages of my conversations, newest first.
    public func getMessagesSearch(q: String? = nil, limit: Int? = nil, cursor: String? = nil) async throws -> SparkAPI.BareMessagePage {
        try await call(SparkRequest("GET", "/api/v1/messages/search", query: [("q", SparkRequest.parameter(q)), ("limit", SparkRequest.parameter(limit)), ("cursor", SparkRequest.parameter(cursor))]))
    }

    /// Search the messages of my conversations, newest first: every element of every page.
    public func eachMessagesSearch(q: String? = nil, limit: Int? = nil) -> SparkPages<SparkAPI.BareMessage> {
        SparkPages { cursor in
            let page = try await getMessagesSearch(q: q, limit: limit, cursor: cursor)
            return (page.items, page.nextCursor)
        }
    }

    /// Edit my message.
    @discardableResult
    public func patchConversationsIDMessagesSeq(_ id: String, _ seq: Int, _ body: SparkAPI.MessageEdit, idempotencyKey: String? = nil) async throws -> SparkAPI.Message {
        try await call(SparkRequest("PATCH", "/api/v1/conversations/\(SparkRequest.segment(id))/messages/\(SparkRequest.segment(seq))", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Delete my message for both people.
    public func deleteConversationsIDMessagesSeq(_ id: String, _ seq: Int, idempotencyKey: String? = nil) async throws {
        try await call(SparkRequest("DELETE", "/api/v1/conversations/\(SparkRequest.segment(id))/messages/\(SparkRequest.segment(seq))", idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// React to a message with one character.
    public func putConversationsIDMessagesSeqReaction(_ id: String, _ seq: Int, _ body: SparkAPI.Reaction, idempotencyKey: String? = nil) async throws {
        try await call(SparkRequest("PUT", "/api/v1/conversations/\(SparkRequest.segment(id))/messages/\(SparkRequest.segment(seq))/reaction", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Remove my reaction.
    public func deleteConversationsIDMessagesSeqReaction(_ id: String, _ seq: Int, idempotencyKey: String? = nil) async throws {
        try await call(SparkRequest("DELETE", "/api/v1/conversations/\(SparkRequest.segment(id))/messages/\(SparkRequest.segment(seq))/reaction", idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// My devices that get pushes.
    public func getMeDevices() async throws -> SparkAPI.DevicePage {
        try await call(SparkRequest("GET", "/api/v1/me/devices"))
    }

    /// Register a device under a name; its token belongs to the last person who registered it, until the session ends.
    @discardableResult
    public func putMeDevicesID(_ id: String, _ body: SparkAPI.DeviceRegistration, idempotencyKey: String? = nil) async throws -> SparkAPI.Device {
        try await call(SparkRequest("PUT", "/api/v1/me/devices/\(SparkRequest.segment(id))", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Remove a device.
    public func deleteMeDevicesID(_ id: String, idempotencyKey: String? = nil) async throws {
        try await call(SparkRequest("DELETE", "/api/v1/me/devices/\(SparkRequest.segment(id))", idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// My notification settings.
    public func getMeNotifications() async throws -> SparkAPI.NotificationSettings {
        try await call(SparkRequest("GET", "/api/v1/me/notifications"))
    }

    /// Set my notification settings; omitted ones get their defaults.
    @discardableResult
    public func putMeNotifications(_ body: SparkAPI.NotificationSettings, idempotencyKey: String? = nil) async throws -> SparkAPI.NotificationSettings {
        try await call(SparkRequest("PUT", "/api/v1/me/notifications", body: body.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Mute a conversation, forever or for a time.
    public func putConversationsIDMute(_ id: String, _ body: SparkAPI.Mute? = nil, idempotencyKey: String? = nil) async throws {
        try await call(SparkRequest("PUT", "/api/v1/conversations/\(SparkRequest.segment(id))/mute", body: body?.json, idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// Unmute a conversation.
    public func deleteConversationsIDMute(_ id: String, idempotencyKey: String? = nil) async throws {
        try await call(SparkRequest("DELETE", "/api/v1/conversations/\(SparkRequest.segment(id))/mute", idempotencyKey: idempotencyKey, takesKey: true))
    }

    /// The key that browsers subscribe with (applicationServerKey).
    public func getPushWebpushKey() async throws -> SparkAPI.WebPushKey {
        try await call(SparkRequest("GET", "/api/v1/push/webpush-key"))
    }

    /// A ticket to connect without header fields, within 30 seconds: for one WebSocket, or repeatedly for event streams and polls.
    @discardableResult
    public func postWsTicket() async throws -> SparkAPI.Ticket {
        try await call(SparkRequest("POST", "/api/v1/ws/ticket"))
    }

    /// My numbered events after an offset; waits for one if there is none.
    public func getPoll(offset: String? = nil, epoch: String? = nil, wait: Int? = nil, limit: Int? = nil) async throws -> SparkAPI.Poll {
        try await call(SparkRequest("GET", "/api/v1/poll", query: [("offset", SparkRequest.parameter(offset)), ("epoch", SparkRequest.parameter(epoch)), ("wait", SparkRequest.parameter(wait)), ("limit", SparkRequest.parameter(limit))]))
    }

    /// Carry out up to 20 requests side by side.
    @discardableResult
    public func postBatch(_ body: SparkAPI.Batch) async throws -> SparkAPI.BatchAnswer {
        try await call(SparkRequest("POST", "/api/v1/batch", body: body.json))
    }
}
