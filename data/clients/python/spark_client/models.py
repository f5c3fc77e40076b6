"""The types of all bodies, answers and frames. Made by `spark export client python`. Do not edit."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

# A message without its reactions.
BareMessage = TypedDict("BareMessage", {
    "conversation": "ConversationID",
    # The place in the conversation.
    "seq": "int",
    "id": "MessageID",
    # Who wrote it.
    "from": "UserID",
    "client_id": "str",
    "kind": "MessageContent",
    # Empty for a deleted message.
    "text": "str",
    "sent_at": "str",
    "edited_at": "NotRequired[str]",
    # Present if it was deleted.
    "deleted": "NotRequired[bool]",
})


class BareMessagePage(TypedDict):
    """A page of a list."""

    items: list[BareMessage]
    next_cursor: Cursor | None


class Batch(TypedDict):
    """Requests that are carried out side by side."""

    # In any order; the answers have the same one.
    requests: list[BatchRequest]


class BatchAnswer(TypedDict):
    """The answers, in the order of the requests."""

    responses: list[BatchResponse]


class BatchRequest(TypedDict):
    """A request in a batch."""

    # Chosen by the client, for the answer.
    id: str | int
    method: str
    # The whole path below /api/v1, with its query.
    path: str
    # In addition to those of the batch: its token, language and client apply to every request.
    headers: NotRequired[BatchRequestHeaders | None]
    # JSON; null for no body.
    body: NotRequired[JSONValue]

# Header fields by name.
BatchRequestHeaders = TypedDict("BatchRequestHeaders", {
    "Accept": "NotRequired[str]",
    "Accept-Language": "NotRequired[str]",
    "Content-Type": "NotRequired[str]",
    "Idempotency-Key": "NotRequired[str]",
    "If-Match": "NotRequired[str]",
    "If-None-Match": "NotRequired[str]",
    "User-Agent": "NotRequired[str]",
    "X-Request-Id": "NotRequired[str]",
})


class BatchResponse(TypedDict):
    """The answer to a request of a batch."""

    id: str | int
    status: int
    headers: BatchResponseHeaders
    # What the route answers alone; null without a body.
    body: JSONValue

# Header fields by name.
BatchResponseHeaders = TypedDict("BatchResponseHeaders", {
    "ETag": "NotRequired[str]",
    "Location": "NotRequired[str]",
    "X-Request-Id": "NotRequired[str]",
    "RateLimit": "NotRequired[str]",
    "RateLimit-Policy": "NotRequired[str]",
    "Retry-After": "NotRequired[str]",
    "Idempotency-Replayed": "NotRequired[str]",
})


class Block(TypedDict):
    """A person that the user blocked."""

    user_id: UserID
    blocked_at: str


class BlockPage(TypedDict):
    """A page of a list."""

    items: list[Block]
    next_cursor: Cursor | None


class BlockRequest(TypedDict):
    """Whom to block or unblock: exactly one of the two members."""

    # Required without conversation_id.
    target_id: NotRequired[UserID]
    # Required without target_id.
    conversation_id: NotRequired[ConversationID]


class Card(TypedDict):
    """The short view of a person."""

    id: UserID
    # The display name.
    name: str
    # The age in years.
    age: int
    # Whole kilometres; null if unknown or hidden.
    distance_km: int | None
    # Always empty.
    photos: list[Photo]
    # The beginning of the profile text.
    bio: str
    interests: list[Interest]


class ClientAuthFrame(TypedDict):
    """Renews the token of the connection in place."""

    type: Literal["auth"]
    # Repeated in the answer or the error.
    ref: NotRequired[str]
    # An access token.
    token: str


class ClientByeFrame(TypedDict):
    """Ends the connection."""

    type: Literal["bye"]
    # Repeated in the answer or the error.
    ref: NotRequired[str]


class ClientHelloFrame(TypedDict):
    """Starts the stream; with an epoch and an offset, after that event."""

    type: Literal["hello"]
    # Repeated in the answer or the error.
    ref: NotRequired[str]
    # 1. The server closes the connection of any other version with 4501.
    v: int
    # The epoch under which the client has its last event.
    epoch: NotRequired[str]
    # The last event that the client has.
    offset: NotRequired[int]
    # A newer connection of the same device replaces this one.
    device: NotRequired[str]
    # True if a push woke the app and it is not on the screen.
    background: NotRequired[bool]
    # The longest silence that is normal.
    heartbeat_seconds: NotRequired[int]


class ClientHistoryFrame(TypedDict):
    """Requests messages before one, or the newest; an answer may hold fewer than requested."""

    type: Literal["history"]
    # Repeated in the answer or the error.
    ref: NotRequired[str]
    conversation: ConversationID
    # Only messages before this place.
    before: NotRequired[int]
    # How many messages at most.
    limit: NotRequired[int]


class ClientMessageDeleteFrame(TypedDict):
    """Deletes my message for both people."""

    type: Literal["message.delete"]
    # Repeated in the answer or the error.
    ref: NotRequired[str]
    conversation: ConversationID
    # The place in the conversation.
    seq: int


class ClientMessageEditFrame(TypedDict):
    """Edits my message."""

    type: Literal["message.edit"]
    # Repeated in the answer or the error.
    ref: NotRequired[str]
    conversation: ConversationID
    # The place in the conversation.
    seq: int
    text: str


class ClientMessageReactFrame(TypedDict):
    """Reacts to a message with one character; null removes the reaction."""

    type: Literal["message.react"]
    # Repeated in the answer or the error.
    ref: NotRequired[str]
    conversation: ConversationID
    # The place in the conversation.
    seq: int
    # Null takes it back.
    reaction: NotRequired[str | None]


class ClientMessageReadFrame(TypedDict):
    """Mark everything up to a message as read."""

    type: Literal["message.read"]
    # Repeated in the answer or the error.
    ref: NotRequired[str]
    conversation: ConversationID
    # The place in the conversation.
    seq: int


class ClientMessageSendFrame(TypedDict):
    """Sends a message; the same client_id again gets the same answer."""

    type: Literal["message.send"]
    # Repeated in the answer or the error.
    ref: NotRequired[str]
    conversation: ConversationID
    # Chosen by the client; the same one again is the same message.
    client_id: str
    kind: NotRequired[MessageContent]
    text: str


class ClientPingFrame(TypedDict):
    """Asks for a pong."""

    type: Literal["ping"]
    # Repeated in the answer or the error.
    ref: NotRequired[str]
    n: NotRequired[int]


class ClientPresenceWatchFrame(TypedDict):
    """Watches whether these people are online; replaces the previous list."""

    type: Literal["presence.watch"]
    # Repeated in the answer or the error.
    ref: NotRequired[str]
    users: list[UserID]


class ClientReceivedFrame(TypedDict):
    """Acknowledges everything up to an offset, for this device."""

    type: Literal["received"]
    # Repeated in the answer or the error.
    ref: NotRequired[str]
    offset: int


class ClientTypingFrame(TypedDict):
    """Starts or stops my typing indicator."""

    type: Literal["typing"]
    # Repeated in the answer or the error.
    ref: NotRequired[str]
    conversation: ConversationID
    on: bool


class ClientUnreadFrame(TypedDict):
    """Requests the number of unread messages."""

    type: Literal["unread"]
    # Repeated in the answer or the error.
    ref: NotRequired[str]
    # A conversation to count by itself.
    conversation: NotRequired[ConversationID]


class Closure(TypedDict):
    """The deletion of an account."""

    # Until then a login takes the deletion back.
    erase_at: str


class Confirmation(TypedDict):
    """The password, to confirm the session."""

    password: str


class Conversation(TypedDict):
    """A conversation in a list."""

    id: ConversationID
    match_id: MatchID
    # The other person.
    user: Card
    # Null before the first message.
    last_message: BareMessage | None
    last_seq: int
    unread: int
    # How far the user has read.
    read_seq: int
    # How far the other person has read.
    peer_read_seq: int
    # How far a device of the other person has received messages.
    peer_received_seq: int
    last_activity_at: str

ConversationID: TypeAlias = "str"


class ConversationPage(TypedDict):
    """Conversations, those with the newest activity first."""

    items: list[Conversation]
    next_cursor: Cursor | None
    # The unread messages of all conversations.
    unread_total: int

# Where the next page begins; give it back as it is.
Cursor: TypeAlias = "str"

# A filter that keeps people out of a deck.
DeckFilter: TypeAlias = Literal[
    "gender",
    "inactive",
    "age",
    "distance",
    "decided",
    "their_preferences",
]


class DeckLoosening(TypedDict):
    """How many people a looser preference would add."""

    filter: DeckFilter
    min_age: NotRequired[int]
    max_age: NotRequired[int]
    max_distance_km: NotRequired[int]
    people: int


class DeckReasons(TypedDict):
    """Why a deck is as small as it is, in rounded counts."""

    # People within the viewer's distance.
    around: int
    removed: list[DeckRemoval]
    # People in the deck.
    left: int
    loosening: list[DeckLoosening]


class DeckRemoval(TypedDict):
    """How many people a filter removes."""

    filter: DeckFilter
    people: int

# How far the limits of a deck are loosened.
DeckStage: TypeAlias = Literal["nearby", "wider", "anywhere"]


class Device(TypedDict):
    """A device that is pushed to."""

    # The app's name for the device.
    id: str
    provider: PushPlatform
    language: PushLanguage
    # The device gets no pushes once this session has ended.
    session_id: SessionID
    registered_at: str


class DevicePage(TypedDict):
    """A page of a list."""

    items: list[Device]
    next_cursor: Cursor | None


class DeviceRegistration(TypedDict):
    """A device that is pushed to."""

    provider: PushPlatform
    # As the platform gave it to the app; a browser's endpoint.
    token: str
    # For apns; production by default.
    environment: NotRequired[PushEnvironment]
    # By default, the language that Accept-Language asks for.
    language: NotRequired[str]
    # For webpush.
    keys: NotRequired[WebPushKeys]

# Server-Sent Events: the frames of a WebSocket, each in one line of data; the id is the offset.
EventStream: TypeAlias = "str"


class Export(TypedDict):
    """Everything that is stored of a person: a list for each table."""

    exported_at: str

# A row, by the names of its columns.
ExportedRow: TypeAlias = "dict[str, JSONValue]"

# The rows of a table that concern the person.
ExportedTable: TypeAlias = "list[ExportedRow]"

# A gender.
Gender: TypeAlias = Literal["woman", "man", "nonbinary"]


class HardLimits(TypedDict):
    """The limits that are never relaxed."""

    age: bool
    distance: bool


class HardLimitsChange(TypedDict):
    """The limits that are never relaxed; an absent one is hard."""

    age: NotRequired[bool]
    distance: NotRequired[bool]

# One of a person's interests.
Interest: TypeAlias = "str"

# Any JSON value.
JSONValue: TypeAlias = "Any"

# How lately a person was active.
LastActive: TypeAlias = Literal["today", "this_week", "earlier"]


class Like(TypedDict):
    """A person who likes the user."""

    user: Card
    superlike: bool
    liked_at: str


class LikePage(TypedDict):
    """A page of a list."""

    items: list[Like]
    next_cursor: Cursor | None


class Login(TypedDict):
    """The address and the password of an account."""

    email: str
    password: str


class Match(TypedDict):
    """A match in a list."""

    id: MatchID
    conversation_id: ConversationID
    created_at: str
    # The other person.
    user: Card

MatchID: TypeAlias = "str"


class MatchPage(TypedDict):
    """A page of a list."""

    items: list[Match]
    next_cursor: Cursor | None


class Me(TypedDict):
    """A person's own profile."""

    id: UserID
    # The display name.
    name: str
    birth_date: str
    # The age in years.
    age: int
    gender: Gender
    # The genders that the person wants to meet.
    interested_in: list[Gender]
    # The text about oneself.
    about: str
    interests: list[Interest]
    preferences: Preferences
    visibility: Visibility
    # Null before the first location.
    location: SnappedLocation | None
    created_at: str
    updated_at: str

# A message with its reactions.
Message = TypedDict("Message", {
    "conversation": "ConversationID",
    # The place in the conversation.
    "seq": "int",
    "id": "MessageID",
    # Who wrote it.
    "from": "UserID",
    "client_id": "str",
    "kind": "MessageContent",
    # Empty for a deleted message.
    "text": "str",
    "sent_at": "str",
    "edited_at": "NotRequired[str]",
    # Present if it was deleted.
    "deleted": "NotRequired[bool]",
    "reactions": "list[MessageReaction]",
})

# What a message is: a text, or the identifier or address of a picture.
MessageContent: TypeAlias = Literal["text", "sticker", "gif"]


class MessageEdit(TypedDict):
    """Another text for a message."""

    text: str

MessageID: TypeAlias = "str"


class MessagePage(TypedDict):
    """A page of a list."""

    items: list[Message]
    next_cursor: Cursor | None


class MessageReaction(TypedDict):
    """One person's reaction to a message."""

    by: UserID
    reaction: str


class Mute(TypedDict):
    """For how long nothing is pushed."""

    # Without it there is no end.
    for_seconds: NotRequired[int]


class NewMatch(TypedDict):
    """The pair's live match."""

    id: MatchID
    conversation_id: ConversationID
    # The other person.
    user: Card


class NewMessage(TypedDict):
    """A message to be sent."""

    # Chosen by the client; the same one again is the same message.
    client_id: str
    kind: NotRequired[MessageContent]
    text: str


class NotificationSettings(TypedDict):
    """What a person wants to be told, and when."""

    time_zone: NotRequired[str]
    quiet_hours: NotRequired[QuietHours | None]
    preview: NotRequired[PushPreview]
    # Of these nothing is pushed.
    muted: NotRequired[list[PushKind]]

# An event of the stream.
NumberedFrame: TypeAlias = (
    "ServerSessionRevokedFrame "
    "| ServerMessageFrame "
    "| ServerMessageEditedFrame "
    "| ServerMessageDeletedFrame "
    "| ServerReceiptFrame "
    "| ServerReactionFrame "
    "| ServerMatchFrame "
    "| ServerUnmatchFrame"
)


class PasswordChange(TypedDict):
    """The current and the new password."""

    current_password: str
    new_password: str


class PasswordReset(TypedDict):
    """The token of a reset link and the new password."""

    token: str
    password: str


class Person(TypedDict):
    """A person as another one sees them. The view and the fields that were asked for decide what there is."""

    id: UserID
    # The display name.
    name: NotRequired[str]
    # The age in years.
    age: NotRequired[int]
    # Whole kilometres; null if unknown or hidden.
    distance_km: NotRequired[int | None]
    # Always empty.
    photos: NotRequired[list[Photo]]
    # The beginning of the profile text.
    bio: NotRequired[str]
    interests: NotRequired[list[Interest]]
    gender: NotRequired[Gender]
    # The text about oneself.
    about: NotRequired[str]
    last_active: NotRequired[LastActive]

# How much of a person.
PersonExtent: TypeAlias = Literal["card", "full"]

# A member of a person.
PersonMember: TypeAlias = Literal[
    "id",
    "name",
    "age",
    "distance_km",
    "photos",
    "bio",
    "interests",
    "gender",
    "about",
    "last_active",
]

# The address of a photo.
Photo: TypeAlias = "str"


class Poll(TypedDict):
    """The user's next events."""

    # The name of the history of events; another one after a restore.
    epoch: str
    # Where the next poll goes on.
    offset: int
    # Present if the client must read again what it shows.
    resync: NotRequired[ResyncReason]
    # The events as a WebSocket gets them.
    frames: list[NumberedFrame]


class Preferences(TypedDict):
    """The people that a person wants to see."""

    min_age: int
    max_age: int
    max_distance_km: int
    interested_in: list[Gender]
    # The limits that are never relaxed.
    hard: HardLimits


class PreferencesChange(TypedDict):
    """The people that a person wants to see."""

    min_age: int
    max_age: int
    max_distance_km: int
    # Stays as it is if absent.
    interested_in: NotRequired[list[Gender]]
    # The limits that are never relaxed.
    hard: NotRequired[HardLimitsChange]


class Problem(TypedDict):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    # Stable and machine-readable.
    code: str
    detail: str
    # True if the same request may succeed later.
    temporary: bool
    # Also in the server's log.
    request_id: str
    # The refused parts of the input.
    errors: NotRequired[list[Violation]]


class ProfileChange(TypedDict):
    """A change of one's own profile; absent members stay unchanged."""

    # The display name.
    name: NotRequired[str]
    # The text about oneself.
    about: NotRequired[str]
    # The same as about, as cards call it.
    bio: NotRequired[str]
    interests: NotRequired[list[Interest]]
    gender: NotRequired[Gender]
    # The genders that the person wants to meet.
    interested_in: NotRequired[list[Gender]]
    visibility: NotRequired[VisibilityChange]

# Which of Apple's two environments a token belongs to.
PushEnvironment: TypeAlias = Literal["production", "sandbox"]

# What a push tells.
PushKind: TypeAlias = Literal["message", "match", "like"]

# A language in which pushes are written.
PushLanguage: TypeAlias = Literal[
    "en",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "pl",
    "sv",
    "ja",
]

# A push platform.
PushPlatform: TypeAlias = Literal["apns", "fcm", "webpush", "log"]

# How much a push shows: only that there is something new, the sender's name, or the content too.
PushPreview: TypeAlias = Literal["none", "name", "full"]

# Hours of each day without pushes.
QuietHours = TypedDict("QuietHours", {
    "from": "str",
    # On the next day if it is before from.
    "until": "str",
})


class Reaction(TypedDict):
    """An answer with one sign."""

    reaction: str


class ReadMark(TypedDict):
    """The last message that was read."""

    seq: int


class ReadResult(TypedDict):
    """The unread messages after a read mark moved."""

    conversation_id: ConversationID
    unread: int
    # The unread messages of all conversations.
    unread_total: int
    # How far the user has read.
    read_seq: int


class Refresh(TypedDict):
    """A refresh token to exchange."""

    refresh_token: str


class RefreshedTokens(TypedDict):
    """The tokens of a session."""

    # For the header field Authorization.
    access_token: str
    # To be exchanged once.
    refresh_token: str
    token_type: Literal["Bearer"]
    # The access token's lifetime in seconds.
    expires_in: int


class Registration(TypedDict):
    """The form of a new account."""

    # The address to log in with.
    email: str
    password: str
    # The display name.
    name: str
    birth_date: str
    gender: Gender
    # The genders that the person wants to meet.
    interested_in: list[Gender]


class Report(TypedDict):
    """A report to the moderators: exactly one of target_id and conversation_id."""

    # Required without conversation_id.
    target_id: NotRequired[UserID]
    # Required without target_id.
    conversation_id: NotRequired[ConversationID]
    category: ReportCategory
    # What happened, in the reporter's words.
    text: NotRequired[str]

# The reason of a report.
ReportCategory: TypeAlias = Literal[
    "spam",
    "harassment",
    "fake",
    "underage",
    "inappropriate",
    "other",
]

ReportID: TypeAlias = "str"


class ReportReceipt(TypedDict):
    """The receipt of a report."""

    id: ReportID


class ReportedLocation(TypedDict):
    """Where the person is."""

    latitude: float
    longitude: float

# Why the client must read again what it shows.
ResyncReason: TypeAlias = Literal["epoch", "expired", "ahead"]


class SelfPortrait(TypedDict):
    """The person as they see themselves, as in the answer to GET /me."""

    id: UserID


class SentMessage(TypedDict):
    """The receipt of a stored message."""

    id: MessageID
    conversation_id: ConversationID
    client_id: str
    # The place in the conversation.
    seq: int
    sent_at: str


class ServerAckFrame(TypedDict):
    """A message is stored."""

    type: Literal["ack"]
    client_id: str
    conversation: ConversationID
    # The place in the conversation.
    seq: int
    sent_at: str
    # Present if an earlier frame stored it.
    duplicate: NotRequired[bool]


class ServerAuthFrame(TypedDict):
    """The new token is accepted."""

    type: Literal["auth"]
    # When the new token ends.
    expires_at: str


class ServerByeFrame(TypedDict):
    """The server closes the connection; reconnect after the given seconds."""

    type: Literal["bye"]
    # When to come back.
    after_seconds: int
    reason: Literal["restart"]


class ServerErrorFrame(TypedDict):
    """What was wrong with a frame."""

    type: Literal["error"]
    # Stable and machine-readable.
    code: str
    # For people.
    detail: str
    # True if the same frame may be accepted later.
    temporary: bool
    # Seconds to wait.
    retry_after: NotRequired[int]
    # As the client sent it.
    ref: NotRequired[str]
    # The refused parts of the frame, at most 8.
    errors: NotRequired[list[Violation]]


class ServerHistoryFrame(TypedDict):
    """Messages of a conversation, newest first."""

    type: Literal["history"]
    conversation: ConversationID
    messages: list[Message]
    # Where the next page begins; null on the last one.
    next_before: int | None
    # As the client sent it.
    ref: NotRequired[str]


class ServerLiveFrame(TypedDict):
    """The client is caught up."""

    type: Literal["live"]
    # The newest event that was sent.
    offset: int


class ServerMatchFrame(TypedDict):
    """Two people like each other."""

    type: Literal["match"]
    # The number of the event among the user's.
    offset: int
    match: MatchID
    # The other person.
    user: UserID
    conversation: ConversationID


class ServerMessageDeletedFrame(TypedDict):
    """A message was deleted."""

    type: Literal["message.deleted"]
    # The number of the event among the user's.
    offset: int
    conversation: ConversationID
    # The place in the conversation.
    seq: int
    by: NotRequired[UserID]
    # Empty. Present if the message is no more.
    text: NotRequired[str]
    # Present if the message is no more.
    deleted: NotRequired[bool]


class ServerMessageEditedFrame(TypedDict):
    """A message was edited."""

    type: Literal["message.edited"]
    # The number of the event among the user's.
    offset: int
    conversation: ConversationID
    # The place in the conversation.
    seq: int
    # Empty for a message that is no more.
    text: str
    edited_at: NotRequired[str]
    by: NotRequired[UserID]
    # Present if the message was deleted.
    deleted: NotRequired[bool]

# A new message; for a deleted one, only its place.
ServerMessageFrame = TypedDict("ServerMessageFrame", {
    "type": "Literal['message']",
    # The number of the event among the user's.
    "offset": "int",
    "conversation": "ConversationID",
    # The place in the conversation.
    "seq": "int",
    "id": "NotRequired[MessageID]",
    # Who wrote it.
    "from": "NotRequired[UserID]",
    "client_id": "NotRequired[str]",
    "kind": "NotRequired[MessageContent]",
    # Empty for a deleted message.
    "text": "str",
    "sent_at": "NotRequired[str]",
    "edited_at": "NotRequired[str]",
    # Present if it was deleted.
    "deleted": "NotRequired[bool]",
})


class ServerNackFrame(TypedDict):
    """A message is not stored."""

    type: Literal["nack"]
    # The client's id of the message.
    client_id: str
    # Stable and machine-readable.
    code: str
    # True if the same message may be accepted later.
    temporary: bool
    # Seconds to wait.
    retry_after: NotRequired[int]
    # The refused parts of the message, at most 8.
    errors: NotRequired[list[Violation]]


class ServerPongFrame(TypedDict):
    """The answer to a ping."""

    type: Literal["pong"]
    n: NotRequired[int]


class ServerPresenceFrame(TypedDict):
    """Whether a watched person is online."""

    type: Literal["presence"]
    user: UserID
    online: bool


class ServerReactionFrame(TypedDict):
    """Somebody reacted to a message, or removed the reaction."""

    type: Literal["reaction"]
    # The number of the event among the user's.
    offset: int
    conversation: ConversationID
    # The place in the conversation.
    seq: int
    by: UserID
    # Null if it was taken back.
    reaction: str | None


class ServerReceiptFrame(TypedDict):
    """Somebody has read, or received on a device, all messages up to one."""

    type: Literal["receipt"]
    # The number of the event among the user's.
    offset: int
    conversation: ConversationID
    by: UserID
    # The last message that was read.
    read: NotRequired[int]
    # The last message that is on a device.
    received: NotRequired[int]


class ServerResyncFrame(TypedDict):
    """The requested events are not available; the client reads everything again and continues from the present."""

    type: Literal["resync"]
    reason: ResyncReason


class ServerSessionRevokedFrame(TypedDict):
    """A session of the user was ended."""

    type: Literal["session.revoked"]
    # The number of the event among the user's.
    offset: int
    session: SessionID


class ServerTypingFrame(TypedDict):
    """The other person starts or stops typing."""

    type: Literal["typing"]
    conversation: ConversationID
    by: UserID
    on: bool


class ServerUnmatchFrame(TypedDict):
    """A conversation is over."""

    type: Literal["unmatch"]
    # The number of the event among the user's.
    offset: int
    conversation: ConversationID


class ServerUnreadFrame(TypedDict):
    """How many messages are unread, in one conversation and in all."""

    type: Literal["unread"]
    conversation: NotRequired[ConversationID]
    # In the conversation; the total if none is named.
    count: int
    # In all conversations.
    total: int
    # As the client sent it.
    ref: NotRequired[str]


class ServerWelcomeFrame(TypedDict):
    """The stream begins."""

    type: Literal["welcome"]
    # The name of the history of events; another one after a restore.
    epoch: str
    # The newest event.
    offset: int
    heartbeat_seconds: int
    # The longest frame that the server reads.
    max_frame_bytes: int
    session: SessionID
    now: str


class Session(TypedDict):
    """An open session."""

    id: SessionID
    created_at: str
    last_used_at: str
    # The client that opened it.
    label: str
    # This session.
    current: bool

SessionID: TypeAlias = "str"


class SessionPage(TypedDict):
    """A page of a list."""

    items: list[Session]
    next_cursor: Cursor | None


class SnappedLocation(TypedDict):
    """The centre of the cell that a person is in."""

    latitude: float
    longitude: float


class Suggestion(TypedDict):
    """A candidate of a deck: the card and the score."""

    id: UserID
    # The display name.
    name: str
    # The age in years.
    age: int
    # Whole kilometres; null if unknown or hidden.
    distance_km: int | None
    # Always empty.
    photos: list[Photo]
    # The beginning of the profile text.
    bio: str
    interests: list[Interest]
    score: float


class Suggestions(TypedDict):
    """A deck, best first."""

    items: list[Suggestion]
    stage: DeckStage


class Swipe(TypedDict):
    """A decision about a person."""

    target_id: UserID
    action: SwipeAction

# A person's decision about a candidate.
SwipeAction: TypeAlias = Literal["pass", "like", "superlike", "skip"]


class SwipeResult(TypedDict):
    """The answer to a swipe."""

    # The pair's live match; null if there is none.
    match: NewMatch | None


class Ticket(TypedDict):
    """A ticket to connect without header fields."""

    ticket: str
    # Seconds in which it must be used.
    expires_in: int


class TokenGrant(TypedDict):
    """A person and the tokens of a new session."""

    user: SelfPortrait
    # For the header field Authorization.
    access_token: str
    # To be exchanged once.
    refresh_token: str
    token_type: Literal["Bearer"]
    # The access token's lifetime in seconds.
    expires_in: int


class UndoneSwipe(TypedDict):
    """A swipe that was undone."""

    target_id: UserID
    action: SwipeAction


class Unread(TypedDict):
    """How many messages the user has not read."""

    # The unread messages of all conversations.
    unread_total: int

UserID: TypeAlias = "str"


class Violation(TypedDict):
    """One refused part of an input."""

    # A JSON pointer, or the name of a parameter.
    field: str
    # A stable word.
    reason: str
    # For people.
    detail: str


class Visibility(TypedDict):
    """How much of a person others see."""

    # In no deck.
    paused: bool
    # Shown only to people that this person likes.
    incognito: bool
    # No distance is shown.
    hide_distance: bool


class VisibilityChange(TypedDict):
    """A change of how much others see; absent members stay unchanged."""

    # In no deck.
    paused: NotRequired[bool]
    # Shown only to people that this person likes.
    incognito: NotRequired[bool]
    # No distance is shown.
    hide_distance: NotRequired[bool]


class WebPushKey(TypedDict):
    """What browsers subscribe with."""

    # The applicationServerKey.
    key: str


class WebPushKeys(TypedDict):
    """The keys of a browser's subscription."""

    # A point on P-256, 65 bytes.
    p256dh: str
    # 16 bytes.
    auth: str

# A frame that a client sends.
ClientFrame: TypeAlias = (
    "ClientHelloFrame "
    "| ClientAuthFrame "
    "| ClientPingFrame "
    "| ClientByeFrame "
    "| ClientMessageSendFrame "
    "| ClientMessageEditFrame "
    "| ClientMessageDeleteFrame "
    "| ClientMessageReadFrame "
    "| ClientMessageReactFrame "
    "| ClientReceivedFrame "
    "| ClientTypingFrame "
    "| ClientPresenceWatchFrame "
    "| ClientHistoryFrame "
    "| ClientUnreadFrame"
)

# A frame that the server sends.
ServerFrame: TypeAlias = (
    "ServerWelcomeFrame "
    "| ServerLiveFrame "
    "| ServerResyncFrame "
    "| ServerAuthFrame "
    "| ServerPongFrame "
    "| ServerErrorFrame "
    "| ServerByeFrame "
    "| ServerSessionRevokedFrame "
    "| ServerMessageFrame "
    "| ServerMessageEditedFrame "
    "| ServerMessageDeletedFrame "
    "| ServerReceiptFrame "
    "| ServerReactionFrame "
    "| ServerMatchFrame "
    "| ServerUnmatchFrame "
    "| ServerAckFrame "
    "| ServerNackFrame "
    "| ServerUnreadFrame "
    "| ServerTypingFrame "
    "| ServerPresenceFrame "
    "| ServerHistoryFrame"
)
