// Made by `spark export client swift`. Do not edit.
// swift-format-ignore-file

public import SparkCore

/// The types of all bodies, answers and frames.
public enum SparkAPI {
    /// A message without its reactions.
    public struct BareMessage: SparkValue {
        /// `conversation`.
        public var conversation: ConversationID
        /// The place in the conversation.
        public var seq: Int
        /// `id`.
        public var id: MessageID
        /// Who wrote it.
        public var from: UserID
        /// `client_id`.
        public var clientID: String
        /// `kind`.
        public var kind: MessageContent
        /// Empty for a deleted message.
        public var text: String
        /// `sent_at`.
        public var sentAt: String
        /// `edited_at`.
        public var editedAt: String?
        /// Present if it was deleted.
        public var deleted: Bool?

        /// A value with these members.
        public init(conversation: ConversationID, seq: Int, id: MessageID, from: UserID, clientID: String, kind: MessageContent, text: String, sentAt: String, editedAt: String? = nil, deleted: Bool? = nil) {
            self.conversation = conversation
            self.seq = seq
            self.id = id
            self.from = from
            self.clientID = clientID
            self.kind = kind
            self.text = text
            self.sentAt = sentAt
            self.editedAt = editedAt
            self.deleted = deleted
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.conversation = try members.required("conversation")
            self.seq = try members.required("seq")
            self.id = try members.required("id")
            self.from = try members.required("from")
            self.clientID = try members.required("client_id")
            self.kind = try members.required("kind")
            self.text = try members.required("text")
            self.sentAt = try members.required("sent_at")
            self.editedAt = try members.optional("edited_at")
            self.deleted = try members.optional("deleted")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("conversation", conversation)
            members.add("seq", seq)
            members.add("id", id)
            members.add("from", from)
            members.add("client_id", clientID)
            members.add("kind", kind)
            members.add("text", text)
            members.add("sent_at", sentAt)
            members.add(optional: "edited_at", editedAt)
            members.add(optional: "deleted", deleted)
            return members.json
        }
    }

    /// A page of a list.
    public struct BareMessagePage: SparkValue {
        /// `items`.
        public var items: [BareMessage]
        /// `next_cursor`.
        public var nextCursor: Cursor?

        /// A value with these members.
        public init(items: [BareMessage], nextCursor: Cursor?) {
            self.items = items
            self.nextCursor = nextCursor
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.items = try members.required("items")
            self.nextCursor = try members.required("next_cursor")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("items", items)
            members.add("next_cursor", nextCursor)
            return members.json
        }
    }

    /// Requests that are carried out side by side.
    public struct Batch: SparkValue {
        /// In any order; the answers have the same one.
        public var requests: [BatchRequest]

        /// A value with these members.
        public init(requests: [BatchRequest]) {
            self.requests = requests
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.requests = try members.required("requests")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("requests", requests)
            return members.json
        }
    }

    /// The answers, in the order of the requests.
    public struct BatchAnswer: SparkValue {
        /// `responses`.
        public var responses: [BatchResponse]

        /// A value with these members.
        public init(responses: [BatchResponse]) {
            self.responses = responses
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.responses = try members.required("responses")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("responses", responses)
            return members.json
        }
    }

    /// A request in a batch.
    public struct BatchRequest: SparkValue {
        /// Chosen by the client, for the answer.
        public var id: SparkCore.JSONValue
        /// `method`.
        public var method: String
        /// The whole path below /api/v1, with its query.
        public var path: String
        /// In addition to those of the batch: its token, language and client apply to every request.
        public var headers: BatchRequestHeaders??
        /// JSON; null for no body.
        public var body: JSONValue?

        /// A value with these members.
        public init(id: SparkCore.JSONValue, method: String, path: String, headers: BatchRequestHeaders?? = nil, body: JSONValue? = nil) {
            self.id = id
            self.method = method
            self.path = path
            self.headers = headers
            self.body = body
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.id = try members.required("id")
            self.method = try members.required("method")
            self.path = try members.required("path")
            self.headers = try members.optional("headers")
            self.body = try members.optional("body")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("id", id)
            members.add("method", method)
            members.add("path", path)
            members.add(optional: "headers", headers)
            members.add(optional: "body", body)
            return members.json
        }
    }

    /// Header fields by name.
    public struct BatchRequestHeaders: SparkValue {
        /// `Accept`.
        public var accept: String?
        /// `Accept-Language`.
        public var acceptLanguage: String?
        /// `Content-Type`.
        public var contentType: String?
        /// `Idempotency-Key`.
        public var idempotencyKey: String?
        /// `If-Match`.
        public var ifMatch: String?
        /// `If-None-Match`.
        public var ifNoneMatch: String?
        /// `User-Agent`.
        public var userAgent: String?
        /// `X-Request-Id`.
        public var xRequestId: String?

        /// A value with these members.
        public init(accept: String? = nil, acceptLanguage: String? = nil, contentType: String? = nil, idempotencyKey: String? = nil, ifMatch: String? = nil, ifNoneMatch: String? = nil, userAgent: String? = nil, xRequestId: String? = nil) {
            self.accept = accept
            self.acceptLanguage = acceptLanguage
            self.contentType = contentType
            self.idempotencyKey = idempotencyKey
            self.ifMatch = ifMatch
            self.ifNoneMatch = ifNoneMatch
            self.userAgent = userAgent
            self.xRequestId = xRequestId
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.accept = try members.optional("Accept")
            self.acceptLanguage = try members.optional("Accept-Language")
            self.contentType = try members.optional("Content-Type")
            self.idempotencyKey = try members.optional("Idempotency-Key")
            self.ifMatch = try members.optional("If-Match")
            self.ifNoneMatch = try members.optional("If-None-Match")
            self.userAgent = try members.optional("User-Agent")
            self.xRequestId = try members.optional("X-Request-Id")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add(optional: "Accept", accept)
            members.add(optional: "Accept-Language", acceptLanguage)
            members.add(optional: "Content-Type", contentType)
            members.add(optional: "Idempotency-Key", idempotencyKey)
            members.add(optional: "If-Match", ifMatch)
            members.add(optional: "If-None-Match", ifNoneMatch)
            members.add(optional: "User-Agent", userAgent)
            members.add(optional: "X-Request-Id", xRequestId)
            return members.json
        }
    }

    /// The answer to a request of a batch.
    public struct BatchResponse: SparkValue {
        /// `id`.
        public var id: SparkCore.JSONValue
        /// `status`.
        public var status: Int
        /// `headers`.
        public var headers: BatchResponseHeaders
        /// What the route answers alone; null without a body.
        public var body: JSONValue

        /// A value with these members.
        public init(id: SparkCore.JSONValue, status: Int, headers: BatchResponseHeaders, body: JSONValue) {
            self.id = id
            self.status = status
            self.headers = headers
            self.body = body
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.id = try members.required("id")
            self.status = try members.required("status")
            self.headers = try members.required("headers")
            self.body = try members.required("body")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("id", id)
            members.add("status", status)
            members.add("headers", headers)
            members.add("body", body)
            return members.json
        }
    }

    /// Header fields by name.
    public struct BatchResponseHeaders: SparkValue {
        /// `ETag`.
        public var eTag: String?
        /// `Location`.
        public var location: String?
        /// `X-Request-Id`.
        public var xRequestId: String?
        /// `RateLimit`.
        public var rateLimit: String?
        /// `RateLimit-Policy`.
        public var rateLimitPolicy: String?
        /// `Retry-After`.
        public var retryAfter: String?
        /// `Idempotency-Replayed`.
        public var idempotencyReplayed: String?

        /// A value with these members.
        public init(eTag: String? = nil, location: String? = nil, xRequestId: String? = nil, rateLimit: String? = nil, rateLimitPolicy: String? = nil, retryAfter: String? = nil, idempotencyReplayed: String? = nil) {
            self.eTag = eTag
            self.location = location
            self.xRequestId = xRequestId
            self.rateLimit = rateLimit
            self.rateLimitPolicy = rateLimitPolicy
            self.retryAfter = retryAfter
            self.idempotencyReplayed = idempotencyReplayed
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.eTag = try members.optional("ETag")
            self.location = try members.optional("Location")
            self.xRequestId = try members.optional("X-Request-Id")
            self.rateLimit = try members.optional("RateLimit")
            self.rateLimitPolicy = try members.optional("RateLimit-Policy")
            self.retryAfter = try members.optional("Retry-After")
            self.idempotencyReplayed = try members.optional("Idempotency-Replayed")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add(optional: "ETag", eTag)
            members.add(optional: "Location", location)
            members.add(optional: "X-Request-Id", xRequestId)
            members.add(optional: "RateLimit", rateLimit)
            members.add(optional: "RateLimit-Policy", rateLimitPolicy)
            members.add(optional: "Retry-After", retryAfter)
            members.add(optional: "Idempotency-Replayed", idempotencyReplayed)
            return members.json
        }
    }

    /// A person that the user blocked.
    public struct Block: SparkValue {
        /// `user_id`.
        public var userID: UserID
        /// `blocked_at`.
        public var blockedAt: String

        /// A value with these members.
        public init(userID: UserID, blockedAt: String) {
            self.userID = userID
            self.blockedAt = blockedAt
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.userID = try members.required("user_id")
            self.blockedAt = try members.required("blocked_at")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("user_id", userID)
            members.add("blocked_at", blockedAt)
            return members.json
        }
    }

    /// A page of a list.
    public struct BlockPage: SparkValue {
        /// `items`.
        public var items: [Block]
        /// `next_cursor`.
        public var nextCursor: Cursor?

        /// A value with these members.
        public init(items: [Block], nextCursor: Cursor?) {
            self.items = items
            self.nextCursor = nextCursor
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.items = try members.required("items")
            self.nextCursor = try members.required("next_cursor")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("items", items)
            members.add("next_cursor", nextCursor)
            return members.json
        }
    }

    /// Whom to block or unblock: exactly one of the two members.
    public struct BlockRequest: SparkValue {
        /// Required without conversation_id.
        public var targetID: UserID?
        /// Required without target_id.
        public var conversationID: ConversationID?

        /// A value with these members.
        public init(targetID: UserID? = nil, conversationID: ConversationID? = nil) {
            self.targetID = targetID
            self.conversationID = conversationID
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.targetID = try members.optional("target_id")
            self.conversationID = try members.optional("conversation_id")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add(optional: "target_id", targetID)
            members.add(optional: "conversation_id", conversationID)
            return members.json
        }
    }

    /// The short view of a person.
    public struct Card: SparkValue {
        /// `id`.
        public var id: UserID
        /// The display name.
        public var name: String
        /// The age in years.
        public var age: Int
        /// Whole kilometres; null if unknown or hidden.
        public var distanceKm: Int?
        /// Always empty.
        public var photos: [Photo]
        /// The beginning of the profile text.
        public var bio: String
        /// `interests`.
        public var interests: [Interest]

        /// A value with these members.
        public init(id: UserID, name: String, age: Int, distanceKm: Int?, photos: [Photo], bio: String, interests: [Interest]) {
            self.id = id
            self.name = name
            self.age = age
            self.distanceKm = distanceKm
            self.photos = photos
            self.bio = bio
            self.interests = interests
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.id = try members.required("id")
            self.name = try members.required("name")
            self.age = try members.required("age")
            self.distanceKm = try members.required("distance_km")
            self.photos = try members.required("photos")
            self.bio = try members.required("bio")
            self.interests = try members.required("interests")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("id", id)
            members.add("name", name)
            members.add("age", age)
            members.add("distance_km", distanceKm)
            members.add("photos", photos)
            members.add("bio", bio)
            members.add("interests", interests)
            return members.json
        }
    }

    /// Renews the token of the connection in place.
    public struct ClientAuthFrame: SparkValue {
        /// `type`.
        public let type = "auth"
        /// Repeated in the answer or the error.
        public var ref: String?
        /// An access token.
        public var token: String

        /// A value with these members.
        public init(ref: String? = nil, token: String) {
            self.ref = ref
            self.token = token
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.ref = try members.optional("ref")
            self.token = try members.required("token")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add(optional: "ref", ref)
            members.add("token", token)
            return members.json
        }
    }

    /// Ends the connection.
    public struct ClientByeFrame: SparkValue {
        /// `type`.
        public let type = "bye"
        /// Repeated in the answer or the error.
        public var ref: String?

        /// A value with these members.
        public init(ref: String? = nil) {
            self.ref = ref
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.ref = try members.optional("ref")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add(optional: "ref", ref)
            return members.json
        }
    }

    /// Starts the stream; with an epoch and an offset, after that event.
    public struct ClientHelloFrame: SparkValue {
        /// `type`.
        public let type = "hello"
        /// Repeated in the answer or the error.
        public var ref: String?
        /// 1. The server closes the connection of any other version with 4501.
        public var v: Int
        /// The epoch under which the client has its last event.
        public var epoch: String?
        /// The last event that the client has.
        public var offset: Int?
        /// A newer connection of the same device replaces this one.
        public var device: String?
        /// True if a push woke the app and it is not on the screen.
        public var background: Bool?
        /// The longest silence that is normal.
        public var heartbeatSeconds: Int?

        /// A value with these members.
        public init(ref: String? = nil, v: Int, epoch: String? = nil, offset: Int? = nil, device: String? = nil, background: Bool? = nil, heartbeatSeconds: Int? = nil) {
            self.ref = ref
            self.v = v
            self.epoch = epoch
            self.offset = offset
            self.device = device
            self.background = background
            self.heartbeatSeconds = heartbeatSeconds
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.ref = try members.optional("ref")
            self.v = try members.required("v")
            self.epoch = try members.optional("epoch")
            self.offset = try members.optional("offset")
            self.device = try members.optional("device")
            self.background = try members.optional("background")
            self.heartbeatSeconds = try members.optional("heartbeat_seconds")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add(optional: "ref", ref)
            members.add("v", v)
            members.add(optional: "epoch", epoch)
            members.add(optional: "offset", offset)
            members.add(optional: "device", device)
            members.add(optional: "background", background)
            members.add(optional: "heartbeat_seconds", heartbeatSeconds)
            return members.json
        }
    }

    /// Requests messages before one, or the newest; an answer may hold fewer than requested.
    public struct ClientHistoryFrame: SparkValue {
        /// `type`.
        public let type = "history"
        /// Repeated in the answer or the error.
        public var ref: String?
        /// `conversation`.
        public var conversation: ConversationID
        /// Only messages before this place.
        public var before: Int?
        /// How many messages at most.
        public var limit: Int?

        /// A value with these members.
        public init(ref: String? = nil, conversation: ConversationID, before: Int? = nil, limit: Int? = nil) {
            self.ref = ref
            self.conversation = conversation
            self.before = before
            self.limit = limit
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.ref = try members.optional("ref")
            self.conversation = try members.required("conversation")
            self.before = try members.optional("before")
            self.limit = try members.optional("limit")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add(optional: "ref", ref)
            members.add("conversation", conversation)
            members.add(optional: "before", before)
            members.add(optional: "limit", limit)
            return members.json
        }
    }

    /// Deletes my message for both people.
    public struct ClientMessageDeleteFrame: SparkValue {
        /// `type`.
        public let type = "message.delete"
        /// Repeated in the answer or the error.
        public var ref: String?
        /// `conversation`.
        public var conversation: ConversationID
        /// The place in the conversation.
        public var seq: Int

        /// A value with these members.
        public init(ref: String? = nil, conversation: ConversationID, seq: Int) {
            self.ref = ref
            self.conversation = conversation
            self.seq = seq
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.ref = try members.optional("ref")
            self.conversation = try members.required("conversation")
            self.seq = try members.required("seq")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add(optional: "ref", ref)
            members.add("conversation", conversation)
            members.add("seq", seq)
            return members.json
        }
    }

    /// Edits my message.
    public struct ClientMessageEditFrame: SparkValue {
        /// `type`.
        public let type = "message.edit"
        /// Repeated in the answer or the error.
        public var ref: String?
        /// `conversation`.
        public var conversation: ConversationID
        /// The place in the conversation.
        public var seq: Int
        /// `text`.
        public var text: String

        /// A value with these members.
        public init(ref: String? = nil, conversation: ConversationID, seq: Int, text: String) {
            self.ref = ref
            self.conversation = conversation
            self.seq = seq
            self.text = text
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.ref = try members.optional("ref")
            self.conversation = try members.required("conversation")
            self.seq = try members.required("seq")
            self.text = try members.required("text")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add(optional: "ref", ref)
            members.add("conversation", conversation)
            members.add("seq", seq)
            members.add("text", text)
            return members.json
        }
    }

    /// Reacts to a message with one character; null removes the reaction.
    public struct ClientMessageReactFrame: SparkValue {
        /// `type`.
        public let type = "message.react"
        /// Repeated in the answer or the error.
        public var ref: String?
        /// `conversation`.
        public var conversation: ConversationID
        /// The place in the conversation.
        public var seq: Int
        /// Null takes it back.
        public var reaction: String??

        /// A value with these members.
        public init(ref: String? = nil, conversation: ConversationID, seq: Int, reaction: String?? = nil) {
            self.ref = ref
            self.conversation = conversation
            self.seq = seq
            self.reaction = reaction
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.ref = try members.optional("ref")
            self.conversation = try members.required("conversation")
            self.seq = try members.required("seq")
            self.reaction = try members.optional("reaction")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add(optional: "ref", ref)
            members.add("conversation", conversation)
            members.add("seq", seq)
            members.add(optional: "reaction", reaction)
            return members.json
        }
    }

    /// Mark everything up to a message as read.
    public struct ClientMessageReadFrame: SparkValue {
        /// `type`.
        public let type = "message.read"
        /// Repeated in the answer or the error.
        public var ref: String?
        /// `conversation`.
        public var conversation: ConversationID
        /// The place in the conversation.
        public var seq: Int

        /// A value with these members.
        public init(ref: String? = nil, conversation: ConversationID, seq: Int) {
            self.ref = ref
            self.conversation = conversation
            self.seq = seq
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.ref = try members.optional("ref")
            self.conversation = try members.required("conversation")
            self.seq = try members.required("seq")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add(optional: "ref", ref)
            members.add("conversation", conversation)
            members.add("seq", seq)
            return members.json
        }
    }

    /// Sends a message; the same client_id again gets the same answer.
    public struct ClientMessageSendFrame: SparkValue {
        /// `type`.
        public let type = "message.send"
        /// Repeated in the answer or the error.
        public var ref: String?
        /// `conversation`.
        public var conversation: ConversationID
        /// Chosen by the client; the same one again is the same message.
        public var clientID: String
        /// `kind`.
        public var kind: MessageContent?
        /// `text`.
        public var text: String

        /// A value with these members.
        public init(ref: String? = nil, conversation: ConversationID, clientID: String, kind: MessageContent? = nil, text: String) {
            self.ref = ref
            self.conversation = conversation
            self.clientID = clientID
            self.kind = kind
            self.text = text
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.ref = try members.optional("ref")
            self.conversation = try members.required("conversation")
            self.clientID = try members.required("client_id")
            self.kind = try members.optional("kind")
            self.text = try members.required("text")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add(optional: "ref", ref)
            members.add("conversation", conversation)
            members.add("client_id", clientID)
            members.add(optional: "kind", kind)
            members.add("text", text)
            return members.json
        }
    }

    /// Asks for a pong.
    public struct ClientPingFrame: SparkValue {
        /// `type`.
        public let type = "ping"
        /// Repeated in the answer or the error.
        public var ref: String?
        /// `n`.
        public var n: Int?

        /// A value with these members.
        public init(ref: String? = nil, n: Int? = nil) {
            self.ref = ref
            self.n = n
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.ref = try members.optional("ref")
            self.n = try members.optional("n")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add(optional: "ref", ref)
            members.add(optional: "n", n)
            return members.json
        }
    }

    /// Watches whether these people are online; replaces the previous list.
    public struct ClientPresenceWatchFrame: SparkValue {
        /// `type`.
        public let type = "presence.watch"
        /// Repeated in the answer or the error.
        public var ref: String?
        /// `users`.
        public var users: [UserID]

        /// A value with these members.
        public init(ref: String? = nil, users: [UserID]) {
            self.ref = ref
            self.users = users
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.ref = try members.optional("ref")
            self.users = try members.required("users")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add(optional: "ref", ref)
            members.add("users", users)
            return members.json
        }
    }

    /// Acknowledges everything up to an offset, for this device.
    public struct ClientReceivedFrame: SparkValue {
        /// `type`.
        public let type = "received"
        /// Repeated in the answer or the error.
        public var ref: String?
        /// `offset`.
        public var offset: Int

        /// A value with these members.
        public init(ref: String? = nil, offset: Int) {
            self.ref = ref
            self.offset = offset
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.ref = try members.optional("ref")
            self.offset = try members.required("offset")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add(optional: "ref", ref)
            members.add("offset", offset)
            return members.json
        }
    }

    /// Starts or stops my typing indicator.
    public struct ClientTypingFrame: SparkValue {
        /// `type`.
        public let type = "typing"
        /// Repeated in the answer or the error.
        public var ref: String?
        /// `conversation`.
        public var conversation: ConversationID
        /// `on`.
        public var on: Bool

        /// A value with these members.
        public init(ref: String? = nil, conversation: ConversationID, on: Bool) {
            self.ref = ref
            self.conversation = conversation
            self.on = on
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.ref = try members.optional("ref")
            self.conversation = try members.required("conversation")
            self.on = try members.required("on")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add(optional: "ref", ref)
            members.add("conversation", conversation)
            members.add("on", on)
            return members.json
        }
    }

    /// Requests the number of unread messages.
    public struct ClientUnreadFrame: SparkValue {
        /// `type`.
        public let type = "unread"
        /// Repeated in the answer or the error.
        public var ref: String?
        /// A conversation to count by itself.
        public var conversation: ConversationID?

        /// A value with these members.
        public init(ref: String? = nil, conversation: ConversationID? = nil) {
            self.ref = ref
            self.conversation = conversation
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.ref = try members.optional("ref")
            self.conversation = try members.optional("conversation")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add(optional: "ref", ref)
            members.add(optional: "conversation", conversation)
            return members.json
        }
    }

    /// The deletion of an account.
    public struct Closure: SparkValue {
        /// Until then a login takes the deletion back.
        public var eraseAt: String

        /// A value with these members.
        public init(eraseAt: String) {
            self.eraseAt = eraseAt
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.eraseAt = try members.required("erase_at")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("erase_at", eraseAt)
            return members.json
        }
    }

    /// The password, to confirm the session.
    public struct Confirmation: SparkValue {
        /// `password`.
        public var password: String

        /// A value with these members.
        public init(password: String) {
            self.password = password
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.password = try members.required("password")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("password", password)
            return members.json
        }
    }

    /// A conversation in a list.
    public struct Conversation: SparkValue {
        /// `id`.
        public var id: ConversationID
        /// `match_id`.
        public var matchID: MatchID
        /// The other person.
        public var user: Card
        /// Null before the first message.
        public var lastMessage: BareMessage?
        /// `last_seq`.
        public var lastSeq: Int
        /// `unread`.
        public var unread: Int
        /// How far the user has read.
        public var readSeq: Int
        /// How far the other person has read.
        public var peerReadSeq: Int
        /// How far a device of the other person has received messages.
        public var peerReceivedSeq: Int
        /// `last_activity_at`.
        public var lastActivityAt: String

        /// A value with these members.
        public init(id: ConversationID, matchID: MatchID, user: Card, lastMessage: BareMessage?, lastSeq: Int, unread: Int, readSeq: Int, peerReadSeq: Int, peerReceivedSeq: Int, lastActivityAt: String) {
            self.id = id
            self.matchID = matchID
            self.user = user
            self.lastMessage = lastMessage
            self.lastSeq = lastSeq
            self.unread = unread
            self.readSeq = readSeq
            self.peerReadSeq = peerReadSeq
            self.peerReceivedSeq = peerReceivedSeq
            self.lastActivityAt = lastActivityAt
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.id = try members.required("id")
            self.matchID = try members.required("match_id")
            self.user = try members.required("user")
            self.lastMessage = try members.required("last_message")
            self.lastSeq = try members.required("last_seq")
            self.unread = try members.required("unread")
            self.readSeq = try members.required("read_seq")
            self.peerReadSeq = try members.required("peer_read_seq")
            self.peerReceivedSeq = try members.required("peer_received_seq")
            self.lastActivityAt = try members.required("last_activity_at")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("id", id)
            members.add("match_id", matchID)
            members.add("user", user)
            members.add("last_message", lastMessage)
            members.add("last_seq", lastSeq)
            members.add("unread", unread)
            members.add("read_seq", readSeq)
            members.add("peer_read_seq", peerReadSeq)
            members.add("peer_received_seq", peerReceivedSeq)
            members.add("last_activity_at", lastActivityAt)
            return members.json
        }
    }

    /// ConversationID
    public typealias ConversationID = String

    /// Conversations, those with the newest activity first.
    public struct ConversationPage: SparkValue {
        /// `items`.
        public var items: [Conversation]
        /// `next_cursor`.
        public var nextCursor: Cursor?
        /// The unread messages of all conversations.
        public var unreadTotal: Int

        /// A value with these members.
        public init(items: [Conversation], nextCursor: Cursor?, unreadTotal: Int) {
            self.items = items
            self.nextCursor = nextCursor
            self.unreadTotal = unreadTotal
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.items = try members.required("items")
            self.nextCursor = try members.required("next_cursor")
            self.unreadTotal = try members.required("unread_total")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("items", items)
            members.add("next_cursor", nextCursor)
            members.add("unread_total", unreadTotal)
            return members.json
        }
    }

    /// Where the next page begins; give it back as it is.
    public typealias Cursor = String

    /// A filter that keeps people out of a deck.
    public struct DeckFilter: SparkWord {
        /// The word. A newer server may send one that is not known here.
        public let rawValue: String

        /// The value of a word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// `gender`.
        public static let gender = DeckFilter(rawValue: "gender")
        /// `inactive`.
        public static let inactive = DeckFilter(rawValue: "inactive")
        /// `age`.
        public static let age = DeckFilter(rawValue: "age")
        /// `distance`.
        public static let distance = DeckFilter(rawValue: "distance")
        /// `decided`.
        public static let decided = DeckFilter(rawValue: "decided")
        /// `their_preferences`.
        public static let theirPreferences = DeckFilter(rawValue: "their_preferences")
    }

    /// How many people a looser preference would add.
    public struct DeckLoosening: SparkValue {
        /// `filter`.
        public var filter: DeckFilter
        /// `min_age`.
        public var minAge: Int?
        /// `max_age`.
        public var maxAge: Int?
        /// `max_distance_km`.
        public var maxDistanceKm: Int?
        /// `people`.
        public var people: Int

        /// A value with these members.
        public init(filter: DeckFilter, minAge: Int? = nil, maxAge: Int? = nil, maxDistanceKm: Int? = nil, people: Int) {
            self.filter = filter
            self.minAge = minAge
            self.maxAge = maxAge
            self.maxDistanceKm = maxDistanceKm
            self.people = people
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.filter = try members.required("filter")
            self.minAge = try members.optional("min_age")
            self.maxAge = try members.optional("max_age")
            self.maxDistanceKm = try members.optional("max_distance_km")
            self.people = try members.required("people")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("filter", filter)
            members.add(optional: "min_age", minAge)
            members.add(optional: "max_age", maxAge)
            members.add(optional: "max_distance_km", maxDistanceKm)
            members.add("people", people)
            return members.json
        }
    }

    /// Why a deck is as small as it is, in rounded counts.
    public struct DeckReasons: SparkValue {
        /// People within the viewer's distance.
        public var around: Int
        /// `removed`.
        public var removed: [DeckRemoval]
        /// People in the deck.
        public var left: Int
        /// `loosening`.
        public var loosening: [DeckLoosening]

        /// A value with these members.
        public init(around: Int, removed: [DeckRemoval], left: Int, loosening: [DeckLoosening]) {
            self.around = around
            self.removed = removed
            self.left = left
            self.loosening = loosening
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.around = try members.required("around")
            self.removed = try members.required("removed")
            self.left = try members.required("left")
            self.loosening = try members.required("loosening")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("around", around)
            members.add("removed", removed)
            members.add("left", left)
            members.add("loosening", loosening)
            return members.json
        }
    }

    /// How many people a filter removes.
    public struct DeckRemoval: SparkValue {
        /// `filter`.
        public var filter: DeckFilter
        /// `people`.
        public var people: Int

        /// A value with these members.
        public init(filter: DeckFilter, people: Int) {
            self.filter = filter
            self.people = people
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.filter = try members.required("filter")
            self.people = try members.required("people")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("filter", filter)
            members.add("people", people)
            return members.json
        }
    }

    /// How far the limits of a deck are loosened.
    public struct DeckStage: SparkWord {
        /// The word. A newer server may send one that is not known here.
        public let rawValue: String

        /// The value of a word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// `nearby`.
        public static let nearby = DeckStage(rawValue: "nearby")
        /// `wider`.
        public static let wider = DeckStage(rawValue: "wider")
        /// `anywhere`.
        public static let anywhere = DeckStage(rawValue: "anywhere")
    }

    /// A device that is pushed to.
    public struct Device: SparkValue {
        /// The app's name for the device.
        public var id: String
        /// `provider`.
        public var provider: PushPlatform
        /// `language`.
        public var language: PushLanguage
        /// The device gets no pushes once this session has ended.
        public var sessionID: SessionID
        /// `registered_at`.
        public var registeredAt: String

        /// A value with these members.
        public init(id: String, provider: PushPlatform, language: PushLanguage, sessionID: SessionID, registeredAt: String) {
            self.id = id
            self.provider = provider
            self.language = language
            self.sessionID = sessionID
            self.registeredAt = registeredAt
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.id = try members.required("id")
            self.provider = try members.required("provider")
            self.language = try members.required("language")
            self.sessionID = try members.required("session_id")
            self.registeredAt = try members.required("registered_at")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("id", id)
            members.add("provider", provider)
            members.add("language", language)
            members.add("session_id", sessionID)
            members.add("registered_at", registeredAt)
            return members.json
        }
    }

    /// A page of a list.
    public struct DevicePage: SparkValue {
        /// `items`.
        public var items: [Device]
        /// `next_cursor`.
        public var nextCursor: Cursor?

        /// A value with these members.
        public init(items: [Device], nextCursor: Cursor?) {
            self.items = items
            self.nextCursor = nextCursor
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.items = try members.required("items")
            self.nextCursor = try members.required("next_cursor")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("items", items)
            members.add("next_cursor", nextCursor)
            return members.json
        }
    }

    /// A device that is pushed to.
    public struct DeviceRegistration: SparkValue {
        /// `provider`.
        public var provider: PushPlatform
        /// As the platform gave it to the app; a browser's endpoint.
        public var token: String
        /// For apns; production by default.
        public var environment: PushEnvironment?
        /// By default, the language that Accept-Language asks for.
        public var language: String?
        /// For webpush.
        public var keys: WebPushKeys?

        /// A value with these members.
        public init(provider: PushPlatform, token: String, environment: PushEnvironment? = nil, language: String? = nil, keys: WebPushKeys? = nil) {
            self.provider = provider
            self.token = token
            self.environment = environment
            self.language = language
            self.keys = keys
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.provider = try members.required("provider")
            self.token = try members.required("token")
            self.environment = try members.optional("environment")
            self.language = try members.optional("language")
            self.keys = try members.optional("keys")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("provider", provider)
            members.add("token", token)
            members.add(optional: "environment", environment)
            members.add(optional: "language", language)
            members.add(optional: "keys", keys)
            return members.json
        }
    }

    /// Server-Sent Events: the frames of a WebSocket, each in one line of data; the id is the offset.
    public typealias EventStream = String

    /// Everything that is stored of a person: a list for each table.
    public struct Export: SparkValue {
        /// `exported_at`.
        public var exportedAt: String
        /// Further members, by name.
        public var further: [String: ExportedTable]

        /// A value with these members.
        public init(exportedAt: String, further: [String: ExportedTable] = [:]) {
            self.exportedAt = exportedAt
            self.further = further
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.exportedAt = try members.required("exported_at")
            self.further = try members.others(besides: ["exported_at"])
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("exported_at", exportedAt)
            members.add(further)
            return members.json
        }
    }

    /// A row, by the names of its columns.
    public typealias ExportedRow = [String: JSONValue]

    /// The rows of a table that concern the person.
    public typealias ExportedTable = [ExportedRow]

    /// A gender.
    public struct Gender: SparkWord {
        /// The word. A newer server may send one that is not known here.
        public let rawValue: String

        /// The value of a word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// `woman`.
        public static let woman = Gender(rawValue: "woman")
        /// `man`.
        public static let man = Gender(rawValue: "man")
        /// `nonbinary`.
        public static let nonbinary = Gender(rawValue: "nonbinary")
    }

    /// The limits that are never relaxed.
    public struct HardLimits: SparkValue {
        /// `age`.
        public var age: Bool
        /// `distance`.
        public var distance: Bool

        /// A value with these members.
        public init(age: Bool, distance: Bool) {
            self.age = age
            self.distance = distance
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.age = try members.required("age")
            self.distance = try members.required("distance")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("age", age)
            members.add("distance", distance)
            return members.json
        }
    }

    /// The limits that are never relaxed; an absent one is hard.
    public struct HardLimitsChange: SparkValue {
        /// `age`.
        public var age: Bool?
        /// `distance`.
        public var distance: Bool?

        /// A value with these members.
        public init(age: Bool? = nil, distance: Bool? = nil) {
            self.age = age
            self.distance = distance
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.age = try members.optional("age")
            self.distance = try members.optional("distance")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add(optional: "age", age)
            members.add(optional: "distance", distance)
            return members.json
        }
    }

    /// One of a person's interests.
    public typealias Interest = String

    /// Any JSON value.
    public typealias JSONValue = SparkCore.JSONValue

    /// How lately a person was active.
    public struct LastActive: SparkWord {
        /// The word. A newer server may send one that is not known here.
        public let rawValue: String

        /// The value of a word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// `today`.
        public static let today = LastActive(rawValue: "today")
        /// `this_week`.
        public static let thisWeek = LastActive(rawValue: "this_week")
        /// `earlier`.
        public static let earlier = LastActive(rawValue: "earlier")
    }

    /// A person who likes the user.
    public struct Like: SparkValue {
        /// `user`.
        public var user: Card
        /// `superlike`.
        public var superlike: Bool
        /// `liked_at`.
        public var likedAt: String

        /// A value with these members.
        public init(user: Card, superlike: Bool, likedAt: String) {
            self.user = user
            self.superlike = superlike
            self.likedAt = likedAt
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.user = try members.required("user")
            self.superlike = try members.required("superlike")
            self.likedAt = try members.required("liked_at")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("user", user)
            members.add("superlike", superlike)
            members.add("liked_at", likedAt)
            return members.json
        }
    }

    /// A page of a list.
    public struct LikePage: SparkValue {
        /// `items`.
        public var items: [Like]
        /// `next_cursor`.
        public var nextCursor: Cursor?

        /// A value with these members.
        public init(items: [Like], nextCursor: Cursor?) {
            self.items = items
            self.nextCursor = nextCursor
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.items = try members.required("items")
            self.nextCursor = try members.required("next_cursor")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("items", items)
            members.add("next_cursor", nextCursor)
            return members.json
        }
    }

    /// The address and the password of an account.
    public struct Login: SparkValue {
        /// `email`.
        public var email: String
        /// `password`.
        public var password: String

        /// A value with these members.
        public init(email: String, password: String) {
            self.email = email
            self.password = password
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.email = try members.required("email")
            self.password = try members.required("password")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("email", email)
            members.add("password", password)
            return members.json
        }
    }

    /// A match in a list.
    public struct Match: SparkValue {
        /// `id`.
        public var id: MatchID
        /// `conversation_id`.
        public var conversationID: ConversationID
        /// `created_at`.
        public var createdAt: String
        /// The other person.
        public var user: Card

        /// A value with these members.
        public init(id: MatchID, conversationID: ConversationID, createdAt: String, user: Card) {
            self.id = id
            self.conversationID = conversationID
            self.createdAt = createdAt
            self.user = user
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.id = try members.required("id")
            self.conversationID = try members.required("conversation_id")
            self.createdAt = try members.required("created_at")
            self.user = try members.required("user")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("id", id)
            members.add("conversation_id", conversationID)
            members.add("created_at", createdAt)
            members.add("user", user)
            return members.json
        }
    }

    /// MatchID
    public typealias MatchID = String

    /// A page of a list.
    public struct MatchPage: SparkValue {
        /// `items`.
        public var items: [Match]
        /// `next_cursor`.
        public var nextCursor: Cursor?

        /// A value with these members.
        public init(items: [Match], nextCursor: Cursor?) {
            self.items = items
            self.nextCursor = nextCursor
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.items = try members.required("items")
            self.nextCursor = try members.required("next_cursor")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("items", items)
            members.add("next_cursor", nextCursor)
            return members.json
        }
    }

    /// A person's own profile.
    public struct Me: SparkValue {
        /// `id`.
        public var id: UserID
        /// The display name.
        public var name: String
        /// `birth_date`.
        public var birthDate: String
        /// The age in years.
        public var age: Int
        /// `gender`.
        public var gender: Gender
        /// The genders that the person wants to meet.
        public var interestedIn: [Gender]
        /// The text about oneself.
        public var about: String
        /// `interests`.
        public var interests: [Interest]
        /// `preferences`.
        public var preferences: Preferences
        /// `visibility`.
        public var visibility: Visibility
        /// Null before the first location.
        public var location: SnappedLocation?
        /// `created_at`.
        public var createdAt: String
        /// `updated_at`.
        public var updatedAt: String

        /// A value with these members.
        public init(id: UserID, name: String, birthDate: String, age: Int, gender: Gender, interestedIn: [Gender], about: String, interests: [Interest], preferences: Preferences, visibility: Visibility, location: SnappedLocation?, createdAt: String, updatedAt: String) {
            self.id = id
            self.name = name
            self.birthDate = birthDate
            self.age = age
            self.gender = gender
            self.interestedIn = interestedIn
            self.about = about
            self.interests = interests
            self.preferences = preferences
            self.visibility = visibility
            self.location = location
            self.createdAt = createdAt
            self.updatedAt = updatedAt
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.id = try members.required("id")
            self.name = try members.required("name")
            self.birthDate = try members.required("birth_date")
            self.age = try members.required("age")
            self.gender = try members.required("gender")
            self.interestedIn = try members.required("interested_in")
            self.about = try members.required("about")
            self.interests = try members.required("interests")
            self.preferences = try members.required("preferences")
            self.visibility = try members.required("visibility")
            self.location = try members.required("location")
            self.createdAt = try members.required("created_at")
            self.updatedAt = try members.required("updated_at")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("id", id)
            members.add("name", name)
            members.add("birth_date", birthDate)
            members.add("age", age)
            members.add("gender", gender)
            members.add("interested_in", interestedIn)
            members.add("about", about)
            members.add("interests", interests)
            members.add("preferences", preferences)
            members.add("visibility", visibility)
            members.add("location", location)
            members.add("created_at", createdAt)
            members.add("updated_at", updatedAt)
            return members.json
        }
    }

    /// A message with its reactions.
    public struct Message: SparkValue {
        /// `conversation`.
        public var conversation: ConversationID
        /// The place in the conversation.
        public var seq: Int
        /// `id`.
        public var id: MessageID
        /// Who wrote it.
        public var from: UserID
        /// `client_id`.
        public var clientID: String
        /// `kind`.
        public var kind: MessageContent
        /// Empty for a deleted message.
        public var text: String
        /// `sent_at`.
        public var sentAt: String
        /// `edited_at`.
        public var editedAt: String?
        /// Present if it was deleted.
        public var deleted: Bool?
        /// `reactions`.
        public var reactions: [MessageReaction]

        /// A value with these members.
        public init(conversation: ConversationID, seq: Int, id: MessageID, from: UserID, clientID: String, kind: MessageContent, text: String, sentAt: String, editedAt: String? = nil, deleted: Bool? = nil, reactions: [MessageReaction]) {
            self.conversation = conversation
            self.seq = seq
            self.id = id
            self.from = from
            self.clientID = clientID
            self.kind = kind
            self.text = text
            self.sentAt = sentAt
            self.editedAt = editedAt
            self.deleted = deleted
            self.reactions = reactions
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.conversation = try members.required("conversation")
            self.seq = try members.required("seq")
            self.id = try members.required("id")
            self.from = try members.required("from")
            self.clientID = try members.required("client_id")
            self.kind = try members.required("kind")
            self.text = try members.required("text")
            self.sentAt = try members.required("sent_at")
            self.editedAt = try members.optional("edited_at")
            self.deleted = try members.optional("deleted")
            self.reactions = try members.required("reactions")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("conversation", conversation)
            members.add("seq", seq)
            members.add("id", id)
            members.add("from", from)
            members.add("client_id", clientID)
            members.add("kind", kind)
            members.add("text", text)
            members.add("sent_at", sentAt)
            members.add(optional: "edited_at", editedAt)
            members.add(optional: "deleted", deleted)
            members.add("reactions", reactions)
            return members.json
        }
    }

    /// What a message is: a text, or the identifier or address of a picture.
    public struct MessageContent: SparkWord {
        /// The word. A newer server may send one that is not known here.
        public let rawValue: String

        /// The value of a word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// `text`.
        public static let text = MessageContent(rawValue: "text")
        /// `sticker`.
        public static let sticker = MessageContent(rawValue: "sticker")
        /// `gif`.
        public static let gif = MessageContent(rawValue: "gif")
    }

    /// Another text for a message.
    public struct MessageEdit: SparkValue {
        /// `text`.
        public var text: String

        /// A value with these members.
        public init(text: String) {
            self.text = text
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.text = try members.required("text")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("text", text)
            return members.json
        }
    }

    /// MessageID
    public typealias MessageID = String

    /// A page of a list.
    public struct MessagePage: SparkValue {
        /// `items`.
        public var items: [Message]
        /// `next_cursor`.
        public var nextCursor: Cursor?

        /// A value with these members.
        public init(items: [Message], nextCursor: Cursor?) {
            self.items = items
            self.nextCursor = nextCursor
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.items = try members.required("items")
            self.nextCursor = try members.required("next_cursor")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("items", items)
            members.add("next_cursor", nextCursor)
            return members.json
        }
    }

    /// One person's reaction to a message.
    public struct MessageReaction: SparkValue {
        /// `by`.
        public var by: UserID
        /// `reaction`.
        public var reaction: String

        /// A value with these members.
        public init(by: UserID, reaction: String) {
            self.by = by
            self.reaction = reaction
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.by = try members.required("by")
            self.reaction = try members.required("reaction")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("by", by)
            members.add("reaction", reaction)
            return members.json
        }
    }

    /// For how long nothing is pushed.
    public struct Mute: SparkValue {
        /// Without it there is no end.
        public var forSeconds: Int?

        /// A value with these members.
        public init(forSeconds: Int? = nil) {
            self.forSeconds = forSeconds
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.forSeconds = try members.optional("for_seconds")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add(optional: "for_seconds", forSeconds)
            return members.json
        }
    }

    /// The pair's live match.
    public struct NewMatch: SparkValue {
        /// `id`.
        public var id: MatchID
        /// `conversation_id`.
        public var conversationID: ConversationID
        /// The other person.
        public var user: Card

        /// A value with these members.
        public init(id: MatchID, conversationID: ConversationID, user: Card) {
            self.id = id
            self.conversationID = conversationID
            self.user = user
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.id = try members.required("id")
            self.conversationID = try members.required("conversation_id")
            self.user = try members.required("user")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("id", id)
            members.add("conversation_id", conversationID)
            members.add("user", user)
            return members.json
        }
    }

    /// A message to be sent.
    public struct NewMessage: SparkValue {
        /// Chosen by the client; the same one again is the same message.
        public var clientID: String
        /// `kind`.
        public var kind: MessageContent?
        /// `text`.
        public var text: String

        /// A value with these members.
        public init(clientID: String, kind: MessageContent? = nil, text: String) {
            self.clientID = clientID
            self.kind = kind
            self.text = text
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.clientID = try members.required("client_id")
            self.kind = try members.optional("kind")
            self.text = try members.required("text")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("client_id", clientID)
            members.add(optional: "kind", kind)
            members.add("text", text)
            return members.json
        }
    }

    /// What a person wants to be told, and when.
    public struct NotificationSettings: SparkValue {
        /// `time_zone`.
        public var timeZone: String?
        /// `quiet_hours`.
        public var quietHours: QuietHours??
        /// `preview`.
        public var preview: PushPreview?
        /// Of these nothing is pushed.
        public var muted: [PushKind]?

        /// A value with these members.
        public init(timeZone: String? = nil, quietHours: QuietHours?? = nil, preview: PushPreview? = nil, muted: [PushKind]? = nil) {
            self.timeZone = timeZone
            self.quietHours = quietHours
            self.preview = preview
            self.muted = muted
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.timeZone = try members.optional("time_zone")
            self.quietHours = try members.optional("quiet_hours")
            self.preview = try members.optional("preview")
            self.muted = try members.optional("muted")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add(optional: "time_zone", timeZone)
            members.add(optional: "quiet_hours", quietHours)
            members.add(optional: "preview", preview)
            members.add(optional: "muted", muted)
            return members.json
        }
    }

    /// An event of the stream.
    public enum NumberedFrame: SparkFrame {
        /// A session of the user was ended.
        case sessionRevoked(ServerSessionRevokedFrame)
        /// A new message; for a deleted one, only its place.
        case message(ServerMessageFrame)
        /// A message was edited.
        case messageEdited(ServerMessageEditedFrame)
        /// A message was deleted.
        case messageDeleted(ServerMessageDeletedFrame)
        /// Somebody has read, or received on a device, all messages up to one.
        case receipt(ServerReceiptFrame)
        /// Somebody reacted to a message, or removed the reaction.
        case reaction(ServerReactionFrame)
        /// Two people like each other.
        case match(ServerMatchFrame)
        /// A conversation is over.
        case unmatch(ServerUnmatchFrame)
        /// A frame of a newer server, which is not known here.
        case other(SparkCore.JSONValue)

        /// Reads the frame.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            switch json["type"]?.string {
            case "session.revoked": self = .sessionRevoked(try ServerSessionRevokedFrame(json: json))
            case "message": self = .message(try ServerMessageFrame(json: json))
            case "message.edited": self = .messageEdited(try ServerMessageEditedFrame(json: json))
            case "message.deleted": self = .messageDeleted(try ServerMessageDeletedFrame(json: json))
            case "receipt": self = .receipt(try ServerReceiptFrame(json: json))
            case "reaction": self = .reaction(try ServerReactionFrame(json: json))
            case "match": self = .match(try ServerMatchFrame(json: json))
            case "unmatch": self = .unmatch(try ServerUnmatchFrame(json: json))
            default: self = .other(json)
            }
        }

        /// What the frame holds.
        public var payload: any SparkValue {
            switch self {
            case .sessionRevoked(let frame): frame
            case .message(let frame): frame
            case .messageEdited(let frame): frame
            case .messageDeleted(let frame): frame
            case .receipt(let frame): frame
            case .reaction(let frame): frame
            case .match(let frame): frame
            case .unmatch(let frame): frame
            case .other(let json): json
            }
        }
    }

    /// The current and the new password.
    public struct PasswordChange: SparkValue {
        /// `current_password`.
        public var currentPassword: String
        /// `new_password`.
        public var newPassword: String

        /// A value with these members.
        public init(currentPassword: String, newPassword: String) {
            self.currentPassword = currentPassword
            self.newPassword = newPassword
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.currentPassword = try members.required("current_password")
            self.newPassword = try members.required("new_password")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("current_password", currentPassword)
            members.add("new_password", newPassword)
            return members.json
        }
    }

    /// The token of a reset link and the new password.
    public struct PasswordReset: SparkValue {
        /// `token`.
        public var token: String
        /// `password`.
        public var password: String

        /// A value with these members.
        public init(token: String, password: String) {
            self.token = token
            self.password = password
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.token = try members.required("token")
            self.password = try members.required("password")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("token", token)
            members.add("password", password)
            return members.json
        }
    }

    /// A person as another one sees them. The view and the fields that were asked for decide what there is.
    public struct Person: SparkValue {
        /// `id`.
        public var id: UserID
        /// The display name.
        public var name: String?
        /// The age in years.
        public var age: Int?
        /// Whole kilometres; null if unknown or hidden.
        public var distanceKm: Int??
        /// Always empty.
        public var photos: [Photo]?
        /// The beginning of the profile text.
        public var bio: String?
        /// `interests`.
        public var interests: [Interest]?
        /// `gender`.
        public var gender: Gender?
        /// The text about oneself.
        public var about: String?
        /// `last_active`.
        public var lastActive: LastActive?

        /// A value with these members.
        public init(id: UserID, name: String? = nil, age: Int? = nil, distanceKm: Int?? = nil, photos: [Photo]? = nil, bio: String? = nil, interests: [Interest]? = nil, gender: Gender? = nil, about: String? = nil, lastActive: LastActive? = nil) {
            self.id = id
            self.name = name
            self.age = age
            self.distanceKm = distanceKm
            self.photos = photos
            self.bio = bio
            self.interests = interests
            self.gender = gender
            self.about = about
            self.lastActive = lastActive
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.id = try members.required("id")
            self.name = try members.optional("name")
            self.age = try members.optional("age")
            self.distanceKm = try members.optional("distance_km")
            self.photos = try members.optional("photos")
            self.bio = try members.optional("bio")
            self.interests = try members.optional("interests")
            self.gender = try members.optional("gender")
            self.about = try members.optional("about")
            self.lastActive = try members.optional("last_active")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("id", id)
            members.add(optional: "name", name)
            members.add(optional: "age", age)
            members.add(optional: "distance_km", distanceKm)
            members.add(optional: "photos", photos)
            members.add(optional: "bio", bio)
            members.add(optional: "interests", interests)
            members.add(optional: "gender", gender)
            members.add(optional: "about", about)
            members.add(optional: "last_active", lastActive)
            return members.json
        }
    }

    /// How much of a person.
    public struct PersonExtent: SparkWord {
        /// The word. A newer server may send one that is not known here.
        public let rawValue: String

        /// The value of a word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// `card`.
        public static let card = PersonExtent(rawValue: "card")
        /// `full`.
        public static let full = PersonExtent(rawValue: "full")
    }

    /// A member of a person.
    public struct PersonMember: SparkWord {
        /// The word. A newer server may send one that is not known here.
        public let rawValue: String

        /// The value of a word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// `id`.
        public static let id = PersonMember(rawValue: "id")
        /// `name`.
        public static let name = PersonMember(rawValue: "name")
        /// `age`.
        public static let age = PersonMember(rawValue: "age")
        /// `distance_km`.
        public static let distanceKm = PersonMember(rawValue: "distance_km")
        /// `photos`.
        public static let photos = PersonMember(rawValue: "photos")
        /// `bio`.
        public static let bio = PersonMember(rawValue: "bio")
        /// `interests`.
        public static let interests = PersonMember(rawValue: "interests")
        /// `gender`.
        public static let gender = PersonMember(rawValue: "gender")
        /// `about`.
        public static let about = PersonMember(rawValue: "about")
        /// `last_active`.
        public static let lastActive = PersonMember(rawValue: "last_active")
    }

    /// The address of a photo.
    public typealias Photo = String

    /// The user's next events.
    public struct Poll: SparkValue {
        /// The name of the history of events; another one after a restore.
        public var epoch: String
        /// Where the next poll goes on.
        public var offset: Int
        /// Present if the client must read again what it shows.
        public var resync: ResyncReason?
        /// The events as a WebSocket gets them.
        public var frames: [NumberedFrame]

        /// A value with these members.
        public init(epoch: String, offset: Int, resync: ResyncReason? = nil, frames: [NumberedFrame]) {
            self.epoch = epoch
            self.offset = offset
            self.resync = resync
            self.frames = frames
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.epoch = try members.required("epoch")
            self.offset = try members.required("offset")
            self.resync = try members.optional("resync")
            self.frames = try members.required("frames")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("epoch", epoch)
            members.add("offset", offset)
            members.add(optional: "resync", resync)
            members.add("frames", frames)
            return members.json
        }
    }

    /// The people that a person wants to see.
    public struct Preferences: SparkValue {
        /// `min_age`.
        public var minAge: Int
        /// `max_age`.
        public var maxAge: Int
        /// `max_distance_km`.
        public var maxDistanceKm: Int
        /// `interested_in`.
        public var interestedIn: [Gender]
        /// The limits that are never relaxed.
        public var hard: HardLimits

        /// A value with these members.
        public init(minAge: Int, maxAge: Int, maxDistanceKm: Int, interestedIn: [Gender], hard: HardLimits) {
            self.minAge = minAge
            self.maxAge = maxAge
            self.maxDistanceKm = maxDistanceKm
            self.interestedIn = interestedIn
            self.hard = hard
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.minAge = try members.required("min_age")
            self.maxAge = try members.required("max_age")
            self.maxDistanceKm = try members.required("max_distance_km")
            self.interestedIn = try members.required("interested_in")
            self.hard = try members.required("hard")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("min_age", minAge)
            members.add("max_age", maxAge)
            members.add("max_distance_km", maxDistanceKm)
            members.add("interested_in", interestedIn)
            members.add("hard", hard)
            return members.json
        }
    }

    /// The people that a person wants to see.
    public struct PreferencesChange: SparkValue {
        /// `min_age`.
        public var minAge: Int
        /// `max_age`.
        public var maxAge: Int
        /// `max_distance_km`.
        public var maxDistanceKm: Int
        /// Stays as it is if absent.
        public var interestedIn: [Gender]?
        /// The limits that are never relaxed.
        public var hard: HardLimitsChange?

        /// A value with these members.
        public init(minAge: Int, maxAge: Int, maxDistanceKm: Int, interestedIn: [Gender]? = nil, hard: HardLimitsChange? = nil) {
            self.minAge = minAge
            self.maxAge = maxAge
            self.maxDistanceKm = maxDistanceKm
            self.interestedIn = interestedIn
            self.hard = hard
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.minAge = try members.required("min_age")
            self.maxAge = try members.required("max_age")
            self.maxDistanceKm = try members.required("max_distance_km")
            self.interestedIn = try members.optional("interested_in")
            self.hard = try members.optional("hard")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("min_age", minAge)
            members.add("max_age", maxAge)
            members.add("max_distance_km", maxDistanceKm)
            members.add(optional: "interested_in", interestedIn)
            members.add(optional: "hard", hard)
            return members.json
        }
    }

    /// An error (RFC 9457).
    public struct Problem: SparkValue {
        /// `type`.
        public var type: String
        /// `title`.
        public var title: String
        /// `status`.
        public var status: Int
        /// Stable and machine-readable.
        public var code: String
        /// `detail`.
        public var detail: String
        /// True if the same request may succeed later.
        public var temporary: Bool
        /// Also in the server's log.
        public var requestID: String
        /// The refused parts of the input.
        public var errors: [Violation]?

        /// A value with these members.
        public init(type: String, title: String, status: Int, code: String, detail: String, temporary: Bool, requestID: String, errors: [Violation]? = nil) {
            self.type = type
            self.title = title
            self.status = status
            self.code = code
            self.detail = detail
            self.temporary = temporary
            self.requestID = requestID
            self.errors = errors
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.type = try members.required("type")
            self.title = try members.required("title")
            self.status = try members.required("status")
            self.code = try members.required("code")
            self.detail = try members.required("detail")
            self.temporary = try members.required("temporary")
            self.requestID = try members.required("request_id")
            self.errors = try members.optional("errors")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("title", title)
            members.add("status", status)
            members.add("code", code)
            members.add("detail", detail)
            members.add("temporary", temporary)
            members.add("request_id", requestID)
            members.add(optional: "errors", errors)
            return members.json
        }
    }

    /// A change of one's own profile; absent members stay unchanged.
    public struct ProfileChange: SparkValue {
        /// The display name.
        public var name: String?
        /// The text about oneself.
        public var about: String?
        /// The same as about, as cards call it.
        public var bio: String?
        /// `interests`.
        public var interests: [Interest]?
        /// `gender`.
        public var gender: Gender?
        /// The genders that the person wants to meet.
        public var interestedIn: [Gender]?
        /// `visibility`.
        public var visibility: VisibilityChange?

        /// A value with these members.
        public init(name: String? = nil, about: String? = nil, bio: String? = nil, interests: [Interest]? = nil, gender: Gender? = nil, interestedIn: [Gender]? = nil, visibility: VisibilityChange? = nil) {
            self.name = name
            self.about = about
            self.bio = bio
            self.interests = interests
            self.gender = gender
            self.interestedIn = interestedIn
            self.visibility = visibility
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.name = try members.optional("name")
            self.about = try members.optional("about")
            self.bio = try members.optional("bio")
            self.interests = try members.optional("interests")
            self.gender = try members.optional("gender")
            self.interestedIn = try members.optional("interested_in")
            self.visibility = try members.optional("visibility")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add(optional: "name", name)
            members.add(optional: "about", about)
            members.add(optional: "bio", bio)
            members.add(optional: "interests", interests)
            members.add(optional: "gender", gender)
            members.add(optional: "interested_in", interestedIn)
            members.add(optional: "visibility", visibility)
            return members.json
        }
    }

    /// Which of Apple's two environments a token belongs to.
    public struct PushEnvironment: SparkWord {
        /// The word. A newer server may send one that is not known here.
        public let rawValue: String

        /// The value of a word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// `production`.
        public static let production = PushEnvironment(rawValue: "production")
        /// `sandbox`.
        public static let sandbox = PushEnvironment(rawValue: "sandbox")
    }

    /// What a push tells.
    public struct PushKind: SparkWord {
        /// The word. A newer server may send one that is not known here.
        public let rawValue: String

        /// The value of a word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// `message`.
        public static let message = PushKind(rawValue: "message")
        /// `match`.
        public static let match = PushKind(rawValue: "match")
        /// `like`.
        public static let like = PushKind(rawValue: "like")
    }

    /// A language in which pushes are written.
    public struct PushLanguage: SparkWord {
        /// The word. A newer server may send one that is not known here.
        public let rawValue: String

        /// The value of a word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// `en`.
        public static let en = PushLanguage(rawValue: "en")
        /// `de`.
        public static let de = PushLanguage(rawValue: "de")
        /// `fr`.
        public static let fr = PushLanguage(rawValue: "fr")
        /// `es`.
        public static let es = PushLanguage(rawValue: "es")
        /// `it`.
        public static let it = PushLanguage(rawValue: "it")
        /// `pt`.
        public static let pt = PushLanguage(rawValue: "pt")
        /// `nl`.
        public static let nl = PushLanguage(rawValue: "nl")
        /// `pl`.
        public static let pl = PushLanguage(rawValue: "pl")
        /// `sv`.
        public static let sv = PushLanguage(rawValue: "sv")
        /// `ja`.
        public static let ja = PushLanguage(rawValue: "ja")
    }

    /// A push platform.
    public struct PushPlatform: SparkWord {
        /// The word. A newer server may send one that is not known here.
        public let rawValue: String

        /// The value of a word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// `apns`.
        public static let apns = PushPlatform(rawValue: "apns")
        /// `fcm`.
        public static let fcm = PushPlatform(rawValue: "fcm")
        /// `webpush`.
        public static let webpush = PushPlatform(rawValue: "webpush")
        /// `log`.
        public static let log = PushPlatform(rawValue: "log")
    }

    /// How much a push shows: only that there is something new, the sender's name, or the content too.
    public struct PushPreview: SparkWord {
        /// The word. A newer server may send one that is not known here.
        public let rawValue: String

        /// The value of a word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// `none`.
        public static let none = PushPreview(rawValue: "none")
        /// `name`.
        public static let name = PushPreview(rawValue: "name")
        /// `full`.
        public static let full = PushPreview(rawValue: "full")
    }

    /// Hours of each day without pushes.
    public struct QuietHours: SparkValue {
        /// `from`.
        public var from: String
        /// On the next day if it is before from.
        public var until: String

        /// A value with these members.
        public init(from: String, until: String) {
            self.from = from
            self.until = until
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.from = try members.required("from")
            self.until = try members.required("until")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("from", from)
            members.add("until", until)
            return members.json
        }
    }

    /// An answer with one sign.
    public struct Reaction: SparkValue {
        /// `reaction`.
        public var reaction: String

        /// A value with these members.
        public init(reaction: String) {
            self.reaction = reaction
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.reaction = try members.required("reaction")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("reaction", reaction)
            return members.json
        }
    }

    /// The last message that was read.
    public struct ReadMark: SparkValue {
        /// `seq`.
        public var seq: Int

        /// A value with these members.
        public init(seq: Int) {
            self.seq = seq
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.seq = try members.required("seq")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("seq", seq)
            return members.json
        }
    }

    /// The unread messages after a read mark moved.
    public struct ReadResult: SparkValue {
        /// `conversation_id`.
        public var conversationID: ConversationID
        /// `unread`.
        public var unread: Int
        /// The unread messages of all conversations.
        public var unreadTotal: Int
        /// How far the user has read.
        public var readSeq: Int

        /// A value with these members.
        public init(conversationID: ConversationID, unread: Int, unreadTotal: Int, readSeq: Int) {
            self.conversationID = conversationID
            self.unread = unread
            self.unreadTotal = unreadTotal
            self.readSeq = readSeq
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.conversationID = try members.required("conversation_id")
            self.unread = try members.required("unread")
            self.unreadTotal = try members.required("unread_total")
            self.readSeq = try members.required("read_seq")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("conversation_id", conversationID)
            members.add("unread", unread)
            members.add("unread_total", unreadTotal)
            members.add("read_seq", readSeq)
            return members.json
        }
    }

    /// A refresh token to exchange.
    public struct Refresh: SparkValue {
        /// `refresh_token`.
        public var refreshToken: String

        /// A value with these members.
        public init(refreshToken: String) {
            self.refreshToken = refreshToken
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.refreshToken = try members.required("refresh_token")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("refresh_token", refreshToken)
            return members.json
        }
    }

    /// The tokens of a session.
    public struct RefreshedTokens: SparkValue {
        /// For the header field Authorization.
        public var accessToken: String
        /// To be exchanged once.
        public var refreshToken: String
        /// `token_type`.
        public var tokenType: String
        /// The access token's lifetime in seconds.
        public var expiresIn: Int

        /// A value with these members.
        public init(accessToken: String, refreshToken: String, tokenType: String = "Bearer", expiresIn: Int) {
            self.accessToken = accessToken
            self.refreshToken = refreshToken
            self.tokenType = tokenType
            self.expiresIn = expiresIn
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.accessToken = try members.required("access_token")
            self.refreshToken = try members.required("refresh_token")
            self.tokenType = try members.required("token_type")
            self.expiresIn = try members.required("expires_in")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("access_token", accessToken)
            members.add("refresh_token", refreshToken)
            members.add("token_type", tokenType)
            members.add("expires_in", expiresIn)
            return members.json
        }
    }

    /// The form of a new account.
    public struct Registration: SparkValue {
        /// The address to log in with.
        public var email: String
        /// `password`.
        public var password: String
        /// The display name.
        public var name: String
        /// `birth_date`.
        public var birthDate: String
        /// `gender`.
        public var gender: Gender
        /// The genders that the person wants to meet.
        public var interestedIn: [Gender]

        /// A value with these members.
        public init(email: String, password: String, name: String, birthDate: String, gender: Gender, interestedIn: [Gender]) {
            self.email = email
            self.password = password
            self.name = name
            self.birthDate = birthDate
            self.gender = gender
            self.interestedIn = interestedIn
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.email = try members.required("email")
            self.password = try members.required("password")
            self.name = try members.required("name")
            self.birthDate = try members.required("birth_date")
            self.gender = try members.required("gender")
            self.interestedIn = try members.required("interested_in")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("email", email)
            members.add("password", password)
            members.add("name", name)
            members.add("birth_date", birthDate)
            members.add("gender", gender)
            members.add("interested_in", interestedIn)
            return members.json
        }
    }

    /// A report to the moderators: exactly one of target_id and conversation_id.
    public struct Report: SparkValue {
        /// Required without conversation_id.
        public var targetID: UserID?
        /// Required without target_id.
        public var conversationID: ConversationID?
        /// `category`.
        public var category: ReportCategory
        /// What happened, in the reporter's words.
        public var text: String?

        /// A value with these members.
        public init(targetID: UserID? = nil, conversationID: ConversationID? = nil, category: ReportCategory, text: String? = nil) {
            self.targetID = targetID
            self.conversationID = conversationID
            self.category = category
            self.text = text
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.targetID = try members.optional("target_id")
            self.conversationID = try members.optional("conversation_id")
            self.category = try members.required("category")
            self.text = try members.optional("text")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add(optional: "target_id", targetID)
            members.add(optional: "conversation_id", conversationID)
            members.add("category", category)
            members.add(optional: "text", text)
            return members.json
        }
    }

    /// The reason of a report.
    public struct ReportCategory: SparkWord {
        /// The word. A newer server may send one that is not known here.
        public let rawValue: String

        /// The value of a word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// `spam`.
        public static let spam = ReportCategory(rawValue: "spam")
        /// `harassment`.
        public static let harassment = ReportCategory(rawValue: "harassment")
        /// `fake`.
        public static let fake = ReportCategory(rawValue: "fake")
        /// `underage`.
        public static let underage = ReportCategory(rawValue: "underage")
        /// `inappropriate`.
        public static let inappropriate = ReportCategory(rawValue: "inappropriate")
        /// `other`.
        public static let other = ReportCategory(rawValue: "other")
    }

    /// ReportID
    public typealias ReportID = String

    /// The receipt of a report.
    public struct ReportReceipt: SparkValue {
        /// `id`.
        public var id: ReportID

        /// A value with these members.
        public init(id: ReportID) {
            self.id = id
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.id = try members.required("id")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("id", id)
            return members.json
        }
    }

    /// Where the person is.
    public struct ReportedLocation: SparkValue {
        /// `latitude`.
        public var latitude: Double
        /// `longitude`.
        public var longitude: Double

        /// A value with these members.
        public init(latitude: Double, longitude: Double) {
            self.latitude = latitude
            self.longitude = longitude
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.latitude = try members.required("latitude")
            self.longitude = try members.required("longitude")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("latitude", latitude)
            members.add("longitude", longitude)
            return members.json
        }
    }

    /// Why the client must read again what it shows.
    public struct ResyncReason: SparkWord {
        /// The word. A newer server may send one that is not known here.
        public let rawValue: String

        /// The value of a word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// `epoch`.
        public static let epoch = ResyncReason(rawValue: "epoch")
        /// `expired`.
        public static let expired = ResyncReason(rawValue: "expired")
        /// `ahead`.
        public static let ahead = ResyncReason(rawValue: "ahead")
    }

    /// The person as they see themselves, as in the answer to GET /me.
    public struct SelfPortrait: SparkValue {
        /// `id`.
        public var id: UserID
        /// Further members, by name.
        public var further: [String: JSONValue]

        /// A value with these members.
        public init(id: UserID, further: [String: JSONValue] = [:]) {
            self.id = id
            self.further = further
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.id = try members.required("id")
            self.further = try members.others(besides: ["id"])
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("id", id)
            members.add(further)
            return members.json
        }
    }

    /// The receipt of a stored message.
    public struct SentMessage: SparkValue {
        /// `id`.
        public var id: MessageID
        /// `conversation_id`.
        public var conversationID: ConversationID
        /// `client_id`.
        public var clientID: String
        /// The place in the conversation.
        public var seq: Int
        /// `sent_at`.
        public var sentAt: String

        /// A value with these members.
        public init(id: MessageID, conversationID: ConversationID, clientID: String, seq: Int, sentAt: String) {
            self.id = id
            self.conversationID = conversationID
            self.clientID = clientID
            self.seq = seq
            self.sentAt = sentAt
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.id = try members.required("id")
            self.conversationID = try members.required("conversation_id")
            self.clientID = try members.required("client_id")
            self.seq = try members.required("seq")
            self.sentAt = try members.required("sent_at")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("id", id)
            members.add("conversation_id", conversationID)
            members.add("client_id", clientID)
            members.add("seq", seq)
            members.add("sent_at", sentAt)
            return members.json
        }
    }

    /// A message is stored.
    public struct ServerAckFrame: SparkValue {
        /// `type`.
        public let type = "ack"
        /// `client_id`.
        public var clientID: String
        /// `conversation`.
        public var conversation: ConversationID
        /// The place in the conversation.
        public var seq: Int
        /// `sent_at`.
        public var sentAt: String
        /// Present if an earlier frame stored it.
        public var duplicate: Bool?

        /// A value with these members.
        public init(clientID: String, conversation: ConversationID, seq: Int, sentAt: String, duplicate: Bool? = nil) {
            self.clientID = clientID
            self.conversation = conversation
            self.seq = seq
            self.sentAt = sentAt
            self.duplicate = duplicate
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.clientID = try members.required("client_id")
            self.conversation = try members.required("conversation")
            self.seq = try members.required("seq")
            self.sentAt = try members.required("sent_at")
            self.duplicate = try members.optional("duplicate")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("client_id", clientID)
            members.add("conversation", conversation)
            members.add("seq", seq)
            members.add("sent_at", sentAt)
            members.add(optional: "duplicate", duplicate)
            return members.json
        }
    }

    /// The new token is accepted.
    public struct ServerAuthFrame: SparkValue {
        /// `type`.
        public let type = "auth"
        /// When the new token ends.
        public var expiresAt: String

        /// A value with these members.
        public init(expiresAt: String) {
            self.expiresAt = expiresAt
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.expiresAt = try members.required("expires_at")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("expires_at", expiresAt)
            return members.json
        }
    }

    /// The server closes the connection; reconnect after the given seconds.
    public struct ServerByeFrame: SparkValue {
        /// `type`.
        public let type = "bye"
        /// When to come back.
        public var afterSeconds: Int
        /// `reason`.
        public var reason: String

        /// A value with these members.
        public init(afterSeconds: Int, reason: String = "restart") {
            self.afterSeconds = afterSeconds
            self.reason = reason
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.afterSeconds = try members.required("after_seconds")
            self.reason = try members.required("reason")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("after_seconds", afterSeconds)
            members.add("reason", reason)
            return members.json
        }
    }

    /// What was wrong with a frame.
    public struct ServerErrorFrame: SparkValue {
        /// `type`.
        public let type = "error"
        /// Stable and machine-readable.
        public var code: String
        /// For people.
        public var detail: String
        /// True if the same frame may be accepted later.
        public var temporary: Bool
        /// Seconds to wait.
        public var retryAfter: Int?
        /// As the client sent it.
        public var ref: String?
        /// The refused parts of the frame, at most 8.
        public var errors: [Violation]?

        /// A value with these members.
        public init(code: String, detail: String, temporary: Bool, retryAfter: Int? = nil, ref: String? = nil, errors: [Violation]? = nil) {
            self.code = code
            self.detail = detail
            self.temporary = temporary
            self.retryAfter = retryAfter
            self.ref = ref
            self.errors = errors
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.code = try members.required("code")
            self.detail = try members.required("detail")
            self.temporary = try members.required("temporary")
            self.retryAfter = try members.optional("retry_after")
            self.ref = try members.optional("ref")
            self.errors = try members.optional("errors")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("code", code)
            members.add("detail", detail)
            members.add("temporary", temporary)
            members.add(optional: "retry_after", retryAfter)
            members.add(optional: "ref", ref)
            members.add(optional: "errors", errors)
            return members.json
        }
    }

    /// Messages of a conversation, newest first.
    public struct ServerHistoryFrame: SparkValue {
        /// `type`.
        public let type = "history"
        /// `conversation`.
        public var conversation: ConversationID
        /// `messages`.
        public var messages: [Message]
        /// Where the next page begins; null on the last one.
        public var nextBefore: Int?
        /// As the client sent it.
        public var ref: String?

        /// A value with these members.
        public init(conversation: ConversationID, messages: [Message], nextBefore: Int?, ref: String? = nil) {
            self.conversation = conversation
            self.messages = messages
            self.nextBefore = nextBefore
            self.ref = ref
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.conversation = try members.required("conversation")
            self.messages = try members.required("messages")
            self.nextBefore = try members.required("next_before")
            self.ref = try members.optional("ref")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("conversation", conversation)
            members.add("messages", messages)
            members.add("next_before", nextBefore)
            members.add(optional: "ref", ref)
            return members.json
        }
    }

    /// The client is caught up.
    public struct ServerLiveFrame: SparkValue {
        /// `type`.
        public let type = "live"
        /// The newest event that was sent.
        public var offset: Int

        /// A value with these members.
        public init(offset: Int) {
            self.offset = offset
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.offset = try members.required("offset")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("offset", offset)
            return members.json
        }
    }

    /// Two people like each other.
    public struct ServerMatchFrame: SparkValue {
        /// `type`.
        public let type = "match"
        /// The number of the event among the user's.
        public var offset: Int
        /// `match`.
        public var match: MatchID
        /// The other person.
        public var user: UserID
        /// `conversation`.
        public var conversation: ConversationID

        /// A value with these members.
        public init(offset: Int, match: MatchID, user: UserID, conversation: ConversationID) {
            self.offset = offset
            self.match = match
            self.user = user
            self.conversation = conversation
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.offset = try members.required("offset")
            self.match = try members.required("match")
            self.user = try members.required("user")
            self.conversation = try members.required("conversation")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("offset", offset)
            members.add("match", match)
            members.add("user", user)
            members.add("conversation", conversation)
            return members.json
        }
    }

    /// A message was deleted.
    public struct ServerMessageDeletedFrame: SparkValue {
        /// `type`.
        public let type = "message.deleted"
        /// The number of the event among the user's.
        public var offset: Int
        /// `conversation`.
        public var conversation: ConversationID
        /// The place in the conversation.
        public var seq: Int
        /// `by`.
        public var by: UserID?
        /// Empty. Present if the message is no more.
        public var text: String?
        /// Present if the message is no more.
        public var deleted: Bool?

        /// A value with these members.
        public init(offset: Int, conversation: ConversationID, seq: Int, by: UserID? = nil, text: String? = nil, deleted: Bool? = nil) {
            self.offset = offset
            self.conversation = conversation
            self.seq = seq
            self.by = by
            self.text = text
            self.deleted = deleted
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.offset = try members.required("offset")
            self.conversation = try members.required("conversation")
            self.seq = try members.required("seq")
            self.by = try members.optional("by")
            self.text = try members.optional("text")
            self.deleted = try members.optional("deleted")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("offset", offset)
            members.add("conversation", conversation)
            members.add("seq", seq)
            members.add(optional: "by", by)
            members.add(optional: "text", text)
            members.add(optional: "deleted", deleted)
            return members.json
        }
    }

    /// A message was edited.
    public struct ServerMessageEditedFrame: SparkValue {
        /// `type`.
        public let type = "message.edited"
        /// The number of the event among the user's.
        public var offset: Int
        /// `conversation`.
        public var conversation: ConversationID
        /// The place in the conversation.
        public var seq: Int
        /// Empty for a message that is no more.
        public var text: String
        /// `edited_at`.
        public var editedAt: String?
        /// `by`.
        public var by: UserID?
        /// Present if the message was deleted.
        public var deleted: Bool?

        /// A value with these members.
        public init(offset: Int, conversation: ConversationID, seq: Int, text: String, editedAt: String? = nil, by: UserID? = nil, deleted: Bool? = nil) {
            self.offset = offset
            self.conversation = conversation
            self.seq = seq
            self.text = text
            self.editedAt = editedAt
            self.by = by
            self.deleted = deleted
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.offset = try members.required("offset")
            self.conversation = try members.required("conversation")
            self.seq = try members.required("seq")
            self.text = try members.required("text")
            self.editedAt = try members.optional("edited_at")
            self.by = try members.optional("by")
            self.deleted = try members.optional("deleted")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("offset", offset)
            members.add("conversation", conversation)
            members.add("seq", seq)
            members.add("text", text)
            members.add(optional: "edited_at", editedAt)
            members.add(optional: "by", by)
            members.add(optional: "deleted", deleted)
            return members.json
        }
    }

    /// A new message; for a deleted one, only its place.
    public struct ServerMessageFrame: SparkValue {
        /// `type`.
        public let type = "message"
        /// The number of the event among the user's.
        public var offset: Int
        /// `conversation`.
        public var conversation: ConversationID
        /// The place in the conversation.
        public var seq: Int
        /// `id`.
        public var id: MessageID?
        /// Who wrote it.
        public var from: UserID?
        /// `client_id`.
        public var clientID: String?
        /// `kind`.
        public var kind: MessageContent?
        /// Empty for a deleted message.
        public var text: String
        /// `sent_at`.
        public var sentAt: String?
        /// `edited_at`.
        public var editedAt: String?
        /// Present if it was deleted.
        public var deleted: Bool?

        /// A value with these members.
        public init(offset: Int, conversation: ConversationID, seq: Int, id: MessageID? = nil, from: UserID? = nil, clientID: String? = nil, kind: MessageContent? = nil, text: String, sentAt: String? = nil, editedAt: String? = nil, deleted: Bool? = nil) {
            self.offset = offset
            self.conversation = conversation
            self.seq = seq
            self.id = id
            self.from = from
            self.clientID = clientID
            self.kind = kind
            self.text = text
            self.sentAt = sentAt
            self.editedAt = editedAt
            self.deleted = deleted
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.offset = try members.required("offset")
            self.conversation = try members.required("conversation")
            self.seq = try members.required("seq")
            self.id = try members.optional("id")
            self.from = try members.optional("from")
            self.clientID = try members.optional("client_id")
            self.kind = try members.optional("kind")
            self.text = try members.required("text")
            self.sentAt = try members.optional("sent_at")
            self.editedAt = try members.optional("edited_at")
            self.deleted = try members.optional("deleted")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("offset", offset)
            members.add("conversation", conversation)
            members.add("seq", seq)
            members.add(optional: "id", id)
            members.add(optional: "from", from)
            members.add(optional: "client_id", clientID)
            members.add(optional: "kind", kind)
            members.add("text", text)
            members.add(optional: "sent_at", sentAt)
            members.add(optional: "edited_at", editedAt)
            members.add(optional: "deleted", deleted)
            return members.json
        }
    }

    /// A message is not stored.
    public struct ServerNackFrame: SparkValue {
        /// `type`.
        public let type = "nack"
        /// The client's id of the message.
        public var clientID: String
        /// Stable and machine-readable.
        public var code: String
        /// True if the same message may be accepted later.
        public var temporary: Bool
        /// Seconds to wait.
        public var retryAfter: Int?
        /// The refused parts of the message, at most 8.
        public var errors: [Violation]?

        /// A value with these members.
        public init(clientID: String, code: String, temporary: Bool, retryAfter: Int? = nil, errors: [Violation]? = nil) {
            self.clientID = clientID
            self.code = code
            self.temporary = temporary
            self.retryAfter = retryAfter
            self.errors = errors
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.clientID = try members.required("client_id")
            self.code = try members.required("code")
            self.temporary = try members.required("temporary")
            self.retryAfter = try members.optional("retry_after")
            self.errors = try members.optional("errors")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("client_id", clientID)
            members.add("code", code)
            members.add("temporary", temporary)
            members.add(optional: "retry_after", retryAfter)
            members.add(optional: "errors", errors)
            return members.json
        }
    }

    /// The answer to a ping.
    public struct ServerPongFrame: SparkValue {
        /// `type`.
        public let type = "pong"
        /// `n`.
        public var n: Int?

        /// A value with these members.
        public init(n: Int? = nil) {
            self.n = n
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.n = try members.optional("n")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add(optional: "n", n)
            return members.json
        }
    }

    /// Whether a watched person is online.
    public struct ServerPresenceFrame: SparkValue {
        /// `type`.
        public let type = "presence"
        /// `user`.
        public var user: UserID
        /// `online`.
        public var online: Bool

        /// A value with these members.
        public init(user: UserID, online: Bool) {
            self.user = user
            self.online = online
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.user = try members.required("user")
            self.online = try members.required("online")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("user", user)
            members.add("online", online)
            return members.json
        }
    }

    /// Somebody reacted to a message, or removed the reaction.
    public struct ServerReactionFrame: SparkValue {
        /// `type`.
        public let type = "reaction"
        /// The number of the event among the user's.
        public var offset: Int
        /// `conversation`.
        public var conversation: ConversationID
        /// The place in the conversation.
        public var seq: Int
        /// `by`.
        public var by: UserID
        /// Null if it was taken back.
        public var reaction: String?

        /// A value with these members.
        public init(offset: Int, conversation: ConversationID, seq: Int, by: UserID, reaction: String?) {
            self.offset = offset
            self.conversation = conversation
            self.seq = seq
            self.by = by
            self.reaction = reaction
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.offset = try members.required("offset")
            self.conversation = try members.required("conversation")
            self.seq = try members.required("seq")
            self.by = try members.required("by")
            self.reaction = try members.required("reaction")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("offset", offset)
            members.add("conversation", conversation)
            members.add("seq", seq)
            members.add("by", by)
            members.add("reaction", reaction)
            return members.json
        }
    }

    /// Somebody has read, or received on a device, all messages up to one.
    public struct ServerReceiptFrame: SparkValue {
        /// `type`.
        public let type = "receipt"
        /// The number of the event among the user's.
        public var offset: Int
        /// `conversation`.
        public var conversation: ConversationID
        /// `by`.
        public var by: UserID
        /// The last message that was read.
        public var read: Int?
        /// The last message that is on a device.
        public var received: Int?

        /// A value with these members.
        public init(offset: Int, conversation: ConversationID, by: UserID, read: Int? = nil, received: Int? = nil) {
            self.offset = offset
            self.conversation = conversation
            self.by = by
            self.read = read
            self.received = received
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.offset = try members.required("offset")
            self.conversation = try members.required("conversation")
            self.by = try members.required("by")
            self.read = try members.optional("read")
            self.received = try members.optional("received")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("offset", offset)
            members.add("conversation", conversation)
            members.add("by", by)
            members.add(optional: "read", read)
            members.add(optional: "received", received)
            return members.json
        }
    }

    /// The requested events are not available; the client reads everything again and continues from the present.
    public struct ServerResyncFrame: SparkValue {
        /// `type`.
        public let type = "resync"
        /// `reason`.
        public var reason: ResyncReason

        /// A value with these members.
        public init(reason: ResyncReason) {
            self.reason = reason
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.reason = try members.required("reason")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("reason", reason)
            return members.json
        }
    }

    /// A session of the user was ended.
    public struct ServerSessionRevokedFrame: SparkValue {
        /// `type`.
        public let type = "session.revoked"
        /// The number of the event among the user's.
        public var offset: Int
        /// `session`.
        public var session: SessionID

        /// A value with these members.
        public init(offset: Int, session: SessionID) {
            self.offset = offset
            self.session = session
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.offset = try members.required("offset")
            self.session = try members.required("session")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("offset", offset)
            members.add("session", session)
            return members.json
        }
    }

    /// The other person starts or stops typing.
    public struct ServerTypingFrame: SparkValue {
        /// `type`.
        public let type = "typing"
        /// `conversation`.
        public var conversation: ConversationID
        /// `by`.
        public var by: UserID
        /// `on`.
        public var on: Bool

        /// A value with these members.
        public init(conversation: ConversationID, by: UserID, on: Bool) {
            self.conversation = conversation
            self.by = by
            self.on = on
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.conversation = try members.required("conversation")
            self.by = try members.required("by")
            self.on = try members.required("on")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("conversation", conversation)
            members.add("by", by)
            members.add("on", on)
            return members.json
        }
    }

    /// A conversation is over.
    public struct ServerUnmatchFrame: SparkValue {
        /// `type`.
        public let type = "unmatch"
        /// The number of the event among the user's.
        public var offset: Int
        /// `conversation`.
        public var conversation: ConversationID

        /// A value with these members.
        public init(offset: Int, conversation: ConversationID) {
            self.offset = offset
            self.conversation = conversation
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.offset = try members.required("offset")
            self.conversation = try members.required("conversation")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("offset", offset)
            members.add("conversation", conversation)
            return members.json
        }
    }

    /// How many messages are unread, in one conversation and in all.
    public struct ServerUnreadFrame: SparkValue {
        /// `type`.
        public let type = "unread"
        /// `conversation`.
        public var conversation: ConversationID?
        /// In the conversation; the total if none is named.
        public var count: Int
        /// In all conversations.
        public var total: Int
        /// As the client sent it.
        public var ref: String?

        /// A value with these members.
        public init(conversation: ConversationID? = nil, count: Int, total: Int, ref: String? = nil) {
            self.conversation = conversation
            self.count = count
            self.total = total
            self.ref = ref
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.conversation = try members.optional("conversation")
            self.count = try members.required("count")
            self.total = try members.required("total")
            self.ref = try members.optional("ref")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add(optional: "conversation", conversation)
            members.add("count", count)
            members.add("total", total)
            members.add(optional: "ref", ref)
            return members.json
        }
    }

    /// The stream begins.
    public struct ServerWelcomeFrame: SparkValue {
        /// `type`.
        public let type = "welcome"
        /// The name of the history of events; another one after a restore.
        public var epoch: String
        /// The newest event.
        public var offset: Int
        /// `heartbeat_seconds`.
        public var heartbeatSeconds: Int
        /// The longest frame that the server reads.
        public var maxFrameBytes: Int
        /// `session`.
        public var session: SessionID
        /// `now`.
        public var now: String

        /// A value with these members.
        public init(epoch: String, offset: Int, heartbeatSeconds: Int, maxFrameBytes: Int, session: SessionID, now: String) {
            self.epoch = epoch
            self.offset = offset
            self.heartbeatSeconds = heartbeatSeconds
            self.maxFrameBytes = maxFrameBytes
            self.session = session
            self.now = now
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.epoch = try members.required("epoch")
            self.offset = try members.required("offset")
            self.heartbeatSeconds = try members.required("heartbeat_seconds")
            self.maxFrameBytes = try members.required("max_frame_bytes")
            self.session = try members.required("session")
            self.now = try members.required("now")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("type", type)
            members.add("epoch", epoch)
            members.add("offset", offset)
            members.add("heartbeat_seconds", heartbeatSeconds)
            members.add("max_frame_bytes", maxFrameBytes)
            members.add("session", session)
            members.add("now", now)
            return members.json
        }
    }

    /// An open session.
    public struct Session: SparkValue {
        /// `id`.
        public var id: SessionID
        /// `created_at`.
        public var createdAt: String
        /// `last_used_at`.
        public var lastUsedAt: String
        /// The client that opened it.
        public var label: String
        /// This session.
        public var current: Bool

        /// A value with these members.
        public init(id: SessionID, createdAt: String, lastUsedAt: String, label: String, current: Bool) {
            self.id = id
            self.createdAt = createdAt
            self.lastUsedAt = lastUsedAt
            self.label = label
            self.current = current
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.id = try members.required("id")
            self.createdAt = try members.required("created_at")
            self.lastUsedAt = try members.required("last_used_at")
            self.label = try members.required("label")
            self.current = try members.required("current")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("id", id)
            members.add("created_at", createdAt)
            members.add("last_used_at", lastUsedAt)
            members.add("label", label)
            members.add("current", current)
            return members.json
        }
    }

    /// SessionID
    public typealias SessionID = String

    /// A page of a list.
    public struct SessionPage: SparkValue {
        /// `items`.
        public var items: [Session]
        /// `next_cursor`.
        public var nextCursor: Cursor?

        /// A value with these members.
        public init(items: [Session], nextCursor: Cursor?) {
            self.items = items
            self.nextCursor = nextCursor
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.items = try members.required("items")
            self.nextCursor = try members.required("next_cursor")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("items", items)
            members.add("next_cursor", nextCursor)
            return members.json
        }
    }

    /// The centre of the cell that a person is in.
    public struct SnappedLocation: SparkValue {
        /// `latitude`.
        public var latitude: Double
        /// `longitude`.
        public var longitude: Double

        /// A value with these members.
        public init(latitude: Double, longitude: Double) {
            self.latitude = latitude
            self.longitude = longitude
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.latitude = try members.required("latitude")
            self.longitude = try members.required("longitude")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("latitude", latitude)
            members.add("longitude", longitude)
            return members.json
        }
    }

    /// A candidate of a deck: the card and the score.
    public struct Suggestion: SparkValue {
        /// `id`.
        public var id: UserID
        /// The display name.
        public var name: String
        /// The age in years.
        public var age: Int
        /// Whole kilometres; null if unknown or hidden.
        public var distanceKm: Int?
        /// Always empty.
        public var photos: [Photo]
        /// The beginning of the profile text.
        public var bio: String
        /// `interests`.
        public var interests: [Interest]
        /// `score`.
        public var score: Double

        /// A value with these members.
        public init(id: UserID, name: String, age: Int, distanceKm: Int?, photos: [Photo], bio: String, interests: [Interest], score: Double) {
            self.id = id
            self.name = name
            self.age = age
            self.distanceKm = distanceKm
            self.photos = photos
            self.bio = bio
            self.interests = interests
            self.score = score
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.id = try members.required("id")
            self.name = try members.required("name")
            self.age = try members.required("age")
            self.distanceKm = try members.required("distance_km")
            self.photos = try members.required("photos")
            self.bio = try members.required("bio")
            self.interests = try members.required("interests")
            self.score = try members.required("score")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("id", id)
            members.add("name", name)
            members.add("age", age)
            members.add("distance_km", distanceKm)
            members.add("photos", photos)
            members.add("bio", bio)
            members.add("interests", interests)
            members.add("score", score)
            return members.json
        }
    }

    /// A deck, best first.
    public struct Suggestions: SparkValue {
        /// `items`.
        public var items: [Suggestion]
        /// `stage`.
        public var stage: DeckStage

        /// A value with these members.
        public init(items: [Suggestion], stage: DeckStage) {
            self.items = items
            self.stage = stage
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.items = try members.required("items")
            self.stage = try members.required("stage")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("items", items)
            members.add("stage", stage)
            return members.json
        }
    }

    /// A decision about a person.
    public struct Swipe: SparkValue {
        /// `target_id`.
        public var targetID: UserID
        /// `action`.
        public var action: SwipeAction

        /// A value with these members.
        public init(targetID: UserID, action: SwipeAction) {
            self.targetID = targetID
            self.action = action
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.targetID = try members.required("target_id")
            self.action = try members.required("action")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("target_id", targetID)
            members.add("action", action)
            return members.json
        }
    }

    /// A person's decision about a candidate.
    public struct SwipeAction: SparkWord {
        /// The word. A newer server may send one that is not known here.
        public let rawValue: String

        /// The value of a word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// `pass`.
        public static let pass = SwipeAction(rawValue: "pass")
        /// `like`.
        public static let like = SwipeAction(rawValue: "like")
        /// `superlike`.
        public static let superlike = SwipeAction(rawValue: "superlike")
        /// `skip`.
        public static let skip = SwipeAction(rawValue: "skip")
    }

    /// The answer to a swipe.
    public struct SwipeResult: SparkValue {
        /// The pair's live match; null if there is none.
        public var match: NewMatch?

        /// A value with these members.
        public init(match: NewMatch?) {
            self.match = match
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.match = try members.required("match")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("match", match)
            return members.json
        }
    }

    /// A ticket to connect without header fields.
    public struct Ticket: SparkValue {
        /// `ticket`.
        public var ticket: String
        /// Seconds in which it must be used.
        public var expiresIn: Int

        /// A value with these members.
        public init(ticket: String, expiresIn: Int) {
            self.ticket = ticket
            self.expiresIn = expiresIn
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.ticket = try members.required("ticket")
            self.expiresIn = try members.required("expires_in")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("ticket", ticket)
            members.add("expires_in", expiresIn)
            return members.json
        }
    }

    /// A person and the tokens of a new session.
    public struct TokenGrant: SparkValue {
        /// `user`.
        public var user: SelfPortrait
        /// For the header field Authorization.
        public var accessToken: String
        /// To be exchanged once.
        public var refreshToken: String
        /// `token_type`.
        public var tokenType: String
        /// The access token's lifetime in seconds.
        public var expiresIn: Int

        /// A value with these members.
        public init(user: SelfPortrait, accessToken: String, refreshToken: String, tokenType: String = "Bearer", expiresIn: Int) {
            self.user = user
            self.accessToken = accessToken
            self.refreshToken = refreshToken
            self.tokenType = tokenType
            self.expiresIn = expiresIn
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.user = try members.required("user")
            self.accessToken = try members.required("access_token")
            self.refreshToken = try members.required("refresh_token")
            self.tokenType = try members.required("token_type")
            self.expiresIn = try members.required("expires_in")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("user", user)
            members.add("access_token", accessToken)
            members.add("refresh_token", refreshToken)
            members.add("token_type", tokenType)
            members.add("expires_in", expiresIn)
            return members.json
        }
    }

    /// A swipe that was undone.
    public struct UndoneSwipe: SparkValue {
        /// `target_id`.
        public var targetID: UserID
        /// `action`.
        public var action: SwipeAction

        /// A value with these members.
        public init(targetID: UserID, action: SwipeAction) {
            self.targetID = targetID
            self.action = action
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.targetID = try members.required("target_id")
            self.action = try members.required("action")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("target_id", targetID)
            members.add("action", action)
            return members.json
        }
    }

    /// How many messages the user has not read.
    public struct Unread: SparkValue {
        /// The unread messages of all conversations.
        public var unreadTotal: Int

        /// A value with these members.
        public init(unreadTotal: Int) {
            self.unreadTotal = unreadTotal
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.unreadTotal = try members.required("unread_total")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("unread_total", unreadTotal)
            return members.json
        }
    }

    /// UserID
    public typealias UserID = String

    /// One refused part of an input.
    public struct Violation: SparkValue {
        /// A JSON pointer, or the name of a parameter.
        public var field: String
        /// A stable word.
        public var reason: String
        /// For people.
        public var detail: String

        /// A value with these members.
        public init(field: String, reason: String, detail: String) {
            self.field = field
            self.reason = reason
            self.detail = detail
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.field = try members.required("field")
            self.reason = try members.required("reason")
            self.detail = try members.required("detail")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("field", field)
            members.add("reason", reason)
            members.add("detail", detail)
            return members.json
        }
    }

    /// How much of a person others see.
    public struct Visibility: SparkValue {
        /// In no deck.
        public var paused: Bool
        /// Shown only to people that this person likes.
        public var incognito: Bool
        /// No distance is shown.
        public var hideDistance: Bool

        /// A value with these members.
        public init(paused: Bool, incognito: Bool, hideDistance: Bool) {
            self.paused = paused
            self.incognito = incognito
            self.hideDistance = hideDistance
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.paused = try members.required("paused")
            self.incognito = try members.required("incognito")
            self.hideDistance = try members.required("hide_distance")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("paused", paused)
            members.add("incognito", incognito)
            members.add("hide_distance", hideDistance)
            return members.json
        }
    }

    /// A change of how much others see; absent members stay unchanged.
    public struct VisibilityChange: SparkValue {
        /// In no deck.
        public var paused: Bool?
        /// Shown only to people that this person likes.
        public var incognito: Bool?
        /// No distance is shown.
        public var hideDistance: Bool?

        /// A value with these members.
        public init(paused: Bool? = nil, incognito: Bool? = nil, hideDistance: Bool? = nil) {
            self.paused = paused
            self.incognito = incognito
            self.hideDistance = hideDistance
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.paused = try members.optional("paused")
            self.incognito = try members.optional("incognito")
            self.hideDistance = try members.optional("hide_distance")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add(optional: "paused", paused)
            members.add(optional: "incognito", incognito)
            members.add(optional: "hide_distance", hideDistance)
            return members.json
        }
    }

    /// What browsers subscribe with.
    public struct WebPushKey: SparkValue {
        /// The applicationServerKey.
        public var key: String

        /// A value with these members.
        public init(key: String) {
            self.key = key
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.key = try members.required("key")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("key", key)
            return members.json
        }
    }

    /// The keys of a browser's subscription.
    public struct WebPushKeys: SparkValue {
        /// A point on P-256, 65 bytes.
        public var p256dh: String
        /// 16 bytes.
        public var auth: String

        /// A value with these members.
        public init(p256dh: String, auth: String) {
            self.p256dh = p256dh
            self.auth = auth
        }

        /// Reads the value.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            let members = try MemberList(json)
            self.p256dh = try members.required("p256dh")
            self.auth = try members.required("auth")
        }

        /// The value as the server reads it.
        public var json: SparkCore.JSONValue {
            var members = MemberList()
            members.add("p256dh", p256dh)
            members.add("auth", auth)
            return members.json
        }
    }

    /// A frame that a client sends.
    public enum ClientFrame: SparkFrame {
        /// Starts the stream; with an epoch and an offset, after that event.
        case hello(ClientHelloFrame)
        /// Renews the token of the connection in place.
        case auth(ClientAuthFrame)
        /// Asks for a pong.
        case ping(ClientPingFrame)
        /// Ends the connection.
        case bye(ClientByeFrame)
        /// Sends a message; the same client_id again gets the same answer.
        case messageSend(ClientMessageSendFrame)
        /// Edits my message.
        case messageEdit(ClientMessageEditFrame)
        /// Deletes my message for both people.
        case messageDelete(ClientMessageDeleteFrame)
        /// Mark everything up to a message as read.
        case messageRead(ClientMessageReadFrame)
        /// Reacts to a message with one character; null removes the reaction.
        case messageReact(ClientMessageReactFrame)
        /// Acknowledges everything up to an offset, for this device.
        case received(ClientReceivedFrame)
        /// Starts or stops my typing indicator.
        case typing(ClientTypingFrame)
        /// Watches whether these people are online; replaces the previous list.
        case presenceWatch(ClientPresenceWatchFrame)
        /// Requests messages before one, or the newest; an answer may hold fewer than requested.
        case history(ClientHistoryFrame)
        /// Requests the number of unread messages.
        case unread(ClientUnreadFrame)
        /// A frame of a newer server, which is not known here.
        case other(SparkCore.JSONValue)

        /// Reads the frame.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            switch json["type"]?.string {
            case "hello": self = .hello(try ClientHelloFrame(json: json))
            case "auth": self = .auth(try ClientAuthFrame(json: json))
            case "ping": self = .ping(try ClientPingFrame(json: json))
            case "bye": self = .bye(try ClientByeFrame(json: json))
            case "message.send": self = .messageSend(try ClientMessageSendFrame(json: json))
            case "message.edit": self = .messageEdit(try ClientMessageEditFrame(json: json))
            case "message.delete": self = .messageDelete(try ClientMessageDeleteFrame(json: json))
            case "message.read": self = .messageRead(try ClientMessageReadFrame(json: json))
            case "message.react": self = .messageReact(try ClientMessageReactFrame(json: json))
            case "received": self = .received(try ClientReceivedFrame(json: json))
            case "typing": self = .typing(try ClientTypingFrame(json: json))
            case "presence.watch": self = .presenceWatch(try ClientPresenceWatchFrame(json: json))
            case "history": self = .history(try ClientHistoryFrame(json: json))
            case "unread": self = .unread(try ClientUnreadFrame(json: json))
            default: self = .other(json)
            }
        }

        /// What the frame holds.
        public var payload: any SparkValue {
            switch self {
            case .hello(let frame): frame
            case .auth(let frame): frame
            case .ping(let frame): frame
            case .bye(let frame): frame
            case .messageSend(let frame): frame
            case .messageEdit(let frame): frame
            case .messageDelete(let frame): frame
            case .messageRead(let frame): frame
            case .messageReact(let frame): frame
            case .received(let frame): frame
            case .typing(let frame): frame
            case .presenceWatch(let frame): frame
            case .history(let frame): frame
            case .unread(let frame): frame
            case .other(let json): json
            }
        }
    }

    /// A frame that the server sends.
    public enum ServerFrame: SparkFrame {
        /// The stream begins.
        case welcome(ServerWelcomeFrame)
        /// The client is caught up.
        case live(ServerLiveFrame)
        /// The requested events are not available; the client reads everything again and continues from the present.
        case resync(ServerResyncFrame)
        /// The new token is accepted.
        case auth(ServerAuthFrame)
        /// The answer to a ping.
        case pong(ServerPongFrame)
        /// What was wrong with a frame.
        case error(ServerErrorFrame)
        /// The server closes the connection; reconnect after the given seconds.
        case bye(ServerByeFrame)
        /// A session of the user was ended.
        case sessionRevoked(ServerSessionRevokedFrame)
        /// A new message; for a deleted one, only its place.
        case message(ServerMessageFrame)
        /// A message was edited.
        case messageEdited(ServerMessageEditedFrame)
        /// A message was deleted.
        case messageDeleted(ServerMessageDeletedFrame)
        /// Somebody has read, or received on a device, all messages up to one.
        case receipt(ServerReceiptFrame)
        /// Somebody reacted to a message, or removed the reaction.
        case reaction(ServerReactionFrame)
        /// Two people like each other.
        case match(ServerMatchFrame)
        /// A conversation is over.
        case unmatch(ServerUnmatchFrame)
        /// A message is stored.
        case ack(ServerAckFrame)
        /// A message is not stored.
        case nack(ServerNackFrame)
        /// How many messages are unread, in one conversation and in all.
        case unread(ServerUnreadFrame)
        /// The other person starts or stops typing.
        case typing(ServerTypingFrame)
        /// Whether a watched person is online.
        case presence(ServerPresenceFrame)
        /// Messages of a conversation, newest first.
        case history(ServerHistoryFrame)
        /// A frame of a newer server, which is not known here.
        case other(SparkCore.JSONValue)

        /// Reads the frame.
        public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
            switch json["type"]?.string {
            case "welcome": self = .welcome(try ServerWelcomeFrame(json: json))
            case "live": self = .live(try ServerLiveFrame(json: json))
            case "resync": self = .resync(try ServerResyncFrame(json: json))
            case "auth": self = .auth(try ServerAuthFrame(json: json))
            case "pong": self = .pong(try ServerPongFrame(json: json))
            case "error": self = .error(try ServerErrorFrame(json: json))
            case "bye": self = .bye(try ServerByeFrame(json: json))
            case "session.revoked": self = .sessionRevoked(try ServerSessionRevokedFrame(json: json))
            case "message": self = .message(try ServerMessageFrame(json: json))
            case "message.edited": self = .messageEdited(try ServerMessageEditedFrame(json: json))
            case "message.deleted": self = .messageDeleted(try ServerMessageDeletedFrame(json: json))
            case "receipt": self = .receipt(try ServerReceiptFrame(json: json))
            case "reaction": self = .reaction(try ServerReactionFrame(json: json))
            case "match": self = .match(try ServerMatchFrame(json: json))
            case "unmatch": self = .unmatch(try ServerUnmatchFrame(json: json))
            case "ack": self = .ack(try ServerAckFrame(json: json))
            case "nack": self = .nack(try ServerNackFrame(json: json))
            case "unread": self = .unread(try ServerUnreadFrame(json: json))
            case "typing": self = .typing(try ServerTypingFrame(json: json))
            case "presence": self = .presence(try ServerPresenceFrame(json: json))
            case "history": self = .history(try ServerHistoryFrame(json: json))
            default: self = .other(json)
            }
        }

        /// What the frame holds.
        public var payload: any SparkValue {
            switch self {
            case .welcome(let frame): frame
            case .live(let frame): frame
            case .resync(let frame): frame
            case .auth(let frame): frame
            case .pong(let frame): frame
            case .error(let frame): frame
            case .bye(let frame): frame
            case .sessionRevoked(let frame): frame
            case .message(let frame): frame
            case .messageEdited(let frame): frame
            case .messageDeleted(let frame): frame
            case .receipt(let frame): frame
            case .reaction(let frame): frame
            case .match(let frame): frame
            case .unmatch(let frame): frame
            case .ack(let frame): frame
            case .nack(let frame): frame
            case .unread(let frame): frame
            case .typing(let frame): frame
            case .presence(let frame): frame
            case .history(let frame): frame
            case .other(let json): json
            }
        }
    }
}
