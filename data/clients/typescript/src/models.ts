// Made by `spark export client typescript`. Do not edit.

/** A message without its reactions. */
export interface BareMessage {
  conversation: ConversationID;
  /** The place in the conversation. */
  seq: number;
  id: MessageID;
  /** Who wrote it. */
  from: UserID;
  client_id: string;
  kind: MessageContent;
  /** Empty for a deleted message. */
  text: string;
  sent_at: string;
  edited_at?: string;
  /** Present if it was deleted. */
  deleted?: boolean;
}

/** A page of a list. */
export interface BareMessagePage {
  items: BareMessage[];
  next_cursor: Cursor | null;
}

/** Requests that are carried out side by side. */
export interface Batch {
  /** In any order; the answers have the same one. */
  requests: BatchRequest[];
}

/** The answers, in the order of the requests. */
export interface BatchAnswer {
  responses: BatchResponse[];
}

/** A request in a batch. */
export interface BatchRequest {
  /** Chosen by the client, for the answer. */
  id: string | number;
  method: string;
  /** The whole path below /api/v1, with its query. */
  path: string;
  /** In addition to those of the batch: its token, language and client apply to every request. */
  headers?: BatchRequestHeaders | null;
  /** JSON; null for no body. */
  body?: JSONValue;
}

/** Header fields by name. */
export interface BatchRequestHeaders {
  Accept?: string;
  "Accept-Language"?: string;
  "Content-Type"?: string;
  "Idempotency-Key"?: string;
  "If-Match"?: string;
  "If-None-Match"?: string;
  "User-Agent"?: string;
  "X-Request-Id"?: string;
}

/** The answer to a request of a batch. */
export interface BatchResponse {
  id: string | number;
  status: number;
  headers: BatchResponseHeaders;
  /** What the route answers alone; null without a body. */
  body: JSONValue;
}

/** Header fields by name. */
export interface BatchResponseHeaders {
  ETag?: string;
  Location?: string;
  "X-Request-Id"?: string;
  RateLimit?: string;
  "RateLimit-Policy"?: string;
  "Retry-After"?: string;
  "Idempotency-Replayed"?: string;
}

/** A person that the user blocked. */
export interface Block {
  user_id: UserID;
  blocked_at: string;
}

/** A page of a list. */
export interface BlockPage {
  items: Block[];
  next_cursor: Cursor | null;
}

/** Whom to block or unblock: exactly one of the two members. */
export interface BlockRequest {
  /** Required without conversation_id. */
  target_id?: UserID;
  /** Required without target_id. */
  conversation_id?: ConversationID;
}

/** The short view of a person. */
export interface Card {
  id: UserID;
  /** The display name. */
  name: string;
  /** The age in years. */
  age: number;
  /** Whole kilometres; null if unknown or hidden. */
  distance_km: number | null;
  /** Always empty. */
  photos: Photo[];
  /** The beginning of the profile text. */
  bio: string;
  interests: Interest[];
}

/** Renews the token of the connection in place. */
export interface ClientAuthFrame {
  type: "auth";
  /** Repeated in the answer or the error. */
  ref?: string;
  /** An access token. */
  token: string;
}

/** Ends the connection. */
export interface ClientByeFrame {
  type: "bye";
  /** Repeated in the answer or the error. */
  ref?: string;
}

/** Starts the stream; with an epoch and an offset, after that event. */
export interface ClientHelloFrame {
  type: "hello";
  /** Repeated in the answer or the error. */
  ref?: string;
  /** 1. The server closes the connection of any other version with 4501. */
  v: number;
  /** The epoch under which the client has its last event. */
  epoch?: string;
  /** The last event that the client has. */
  offset?: number;
  /** A newer connection of the same device replaces this one. */
  device?: string;
  /** True if a push woke the app and it is not on the screen. */
  background?: boolean;
  /** The longest silence that is normal. */
  heartbeat_seconds?: number;
}

/** Requests messages before one, or the newest; an answer may hold fewer than requested. */
export interface ClientHistoryFrame {
  type: "history";
  /** Repeated in the answer or the error. */
  ref?: string;
  conversation: ConversationID;
  /** Only messages before this place. */
  before?: number;
  /** How many messages at most. */
  limit?: number;
}

/** Deletes my message for both people. */
export interface ClientMessageDeleteFrame {
  type: "message.delete";
  /** Repeated in the answer or the error. */
  ref?: string;
  conversation: ConversationID;
  /** The place in the conversation. */
  seq: number;
}

/** Edits my message. */
export interface ClientMessageEditFrame {
  type: "message.edit";
  /** Repeated in the answer or the error. */
  ref?: string;
  conversation: ConversationID;
  /** The place in the conversation. */
  seq: number;
  text: string;
}

/** Reacts to a message with one character; null removes the reaction. */
export interface ClientMessageReactFrame {
  type: "message.react";
  /** Repeated in the answer or the error. */
  ref?: string;
  conversation: ConversationID;
  /** The place in the conversation. */
  seq: number;
  /** Null takes it back. */
  reaction?: string | null;
}

/** Mark everything up to a message as read. */
export interface ClientMessageReadFrame {
  type: "message.read";
  /** Repeated in the answer or the error. */
  ref?: string;
  conversation: ConversationID;
  /** The place in the conversation. */
  seq: number;
}

/** Sends a message; the same client_id again gets the same answer. */
export interface ClientMessageSendFrame {
  type: "message.send";
  /** Repeated in the answer or the error. */
  ref?: string;
  conversation: ConversationID;
  /** Chosen by the client; the same one again is the same message. */
  client_id: string;
  kind?: MessageContent;
  text: string;
}

/** Asks for a pong. */
export interface ClientPingFrame {
  type: "ping";
  /** Repeated in the answer or the error. */
  ref?: string;
  n?: number;
}

/** Watches whether these people are online; replaces the previous list. */
export interface ClientPresenceWatchFrame {
  type: "presence.watch";
  /** Repeated in the answer or the error. */
  ref?: string;
  users: UserID[];
}

/** Acknowledges everything up to an offset, for this device. */
export interface ClientReceivedFrame {
  type: "received";
  /** Repeated in the answer or the error. */
  ref?: string;
  offset: number;
}

/** Starts or stops my typing indicator. */
export interface ClientTypingFrame {
  type: "typing";
  /** Repeated in the answer or the error. */
  ref?: string;
  conversation: ConversationID;
  on: boolean;
}

/** Requests the number of unread messages. */
export interface ClientUnreadFrame {
  type: "unread";
  /** Repeated in the answer or the error. */
  ref?: string;
  /** A conversation to count by itself. */
  conversation?: ConversationID;
}

/** The deletion of an account. */
export interface Closure {
  /** Until then a login takes the deletion back. */
  erase_at: string;
}

/** The password, to confirm the session. */
export interface Confirmation {
  password: string;
}

/** A conversation in a list. */
export interface Conversation {
  id: ConversationID;
  match_id: MatchID;
  /** The other person. */
  user: Card;
  /** Null before the first message. */
  last_message: BareMessage | null;
  last_seq: number;
  unread: number;
  /** How far the user has read. */
  read_seq: number;
  /** How far the other person has read. */
  peer_read_seq: number;
  /** How far a device of the other person has received messages. */
  peer_received_seq: number;
  last_activity_at: string;
}

export type ConversationID = string;

/** Conversations, those with the newest activity first. */
export interface ConversationPage {
  items: Conversation[];
  next_cursor: Cursor | null;
  /** The unread messages of all conversations. */
  unread_total: number;
}

/** Where the next page begins; give it back as it is. */
export type Cursor = string;

/** A filter that keeps people out of a deck. */
export type DeckFilter = "gender" | "inactive" | "age" | "distance" | "decided" | "their_preferences";

/** How many people a looser preference would add. */
export interface DeckLoosening {
  filter: DeckFilter;
  min_age?: number;
  max_age?: number;
  max_distance_km?: number;
  people: number;
}

/** Why a deck is as small as it is, in rounded counts. */
export interface DeckReasons {
  /** People within the viewer's distance. */
  around: number;
  removed: DeckRemoval[];
  /** People in the deck. */
  left: number;
  loosening: DeckLoosening[];
}

/** How many people a filter removes. */
export interface DeckRemoval {
  filter: DeckFilter;
  people: number;
}

/** How far the limits of a deck are loosened. */
export type DeckStage = "nearby" | "wider" | "anywhere";

/** A device that is pushed to. */
export interface Device {
  /** The app's name for the device. */
  id: string;
  provider: PushPlatform;
  language: PushLanguage;
  /** The device gets no pushes once this session has ended. */
  session_id: SessionID;
  registered_at: string;
}

/** A page of a list. */
export interface DevicePage {
  items: Device[];
  next_cursor: Cursor | null;
}

/** A device that is pushed to. */
export interface DeviceRegistration {
  provider: PushPlatform;
  /** As the platform gave it to the app; a browser's endpoint. */
  token: string;
  /** For apns; production by default. */
  environment?: PushEnvironment;
  /** By default, the language that Accept-Language asks for. */
  language?: string;
  /** For webpush. */
  keys?: WebPushKeys;
}

/** Server-Sent Events: the frames of a WebSocket, each in one line of data; the id is the offset. */
export type EventStream = string;

/** Everything that is stored of a person: a list for each table. */
export interface Export {
  exported_at: string;
  [name: string]: ExportedTable | string;
}

/** A row, by the names of its columns. */
export interface ExportedRow {
  [name: string]: JSONValue;
}

/** The rows of a table that concern the person. */
export type ExportedTable = ExportedRow[];

/** A gender. */
export type Gender = "woman" | "man" | "nonbinary";

/** The limits that are never relaxed. */
export interface HardLimits {
  age: boolean;
  distance: boolean;
}

/** The limits that are never relaxed; an absent one is hard. */
export interface HardLimitsChange {
  age?: boolean;
  distance?: boolean;
}

/** One of a person's interests. */
export type Interest = string;

/** Any JSON value. */
export type JSONValue = unknown;

/** How lately a person was active. */
export type LastActive = "today" | "this_week" | "earlier";

/** A person who likes the user. */
export interface Like {
  user: Card;
  superlike: boolean;
  liked_at: string;
}

/** A page of a list. */
export interface LikePage {
  items: Like[];
  next_cursor: Cursor | null;
}

/** The address and the password of an account. */
export interface Login {
  email: string;
  password: string;
}

/** A match in a list. */
export interface Match {
  id: MatchID;
  conversation_id: ConversationID;
  created_at: string;
  /** The other person. */
  user: Card;
}

export type MatchID = string;

/** A page of a list. */
export interface MatchPage {
  items: Match[];
  next_cursor: Cursor | null;
}

/** A person's own profile. */
export interface Me {
  id: UserID;
  /** The display name. */
  name: string;
  birth_date: string;
  /** The age in years. */
  age: number;
  gender: Gender;
  /** The genders that the person wants to meet. */
  interested_in: Gender[];
  /** The text about oneself. */
  about: string;
  interests: Interest[];
  preferences: Preferences;
  visibility: Visibility;
  /** Null before the first location. */
  location: SnappedLocation | null;
  created_at: string;
  updated_at: string;
}

/** A message with its reactions. */
export interface Message {
  conversation: ConversationID;
  /** The place in the conversation. */
  seq: number;
  id: MessageID;
  /** Who wrote it. */
  from: UserID;
  client_id: string;
  kind: MessageContent;
  /** Empty for a deleted message. */
  text: string;
  sent_at: string;
  edited_at?: string;
  /** Present if it was deleted. */
  deleted?: boolean;
  reactions: MessageReaction[];
}

/** What a message is: a text, or the identifier or address of a picture. */
export type MessageContent = "text" | "sticker" | "gif";

/** Another text for a message. */
export interface MessageEdit {
  text: string;
}

export type MessageID = string;

/** A page of a list. */
export interface MessagePage {
  items: Message[];
  next_cursor: Cursor | null;
}

/** One person's reaction to a message. */
export interface MessageReaction {
  by: UserID;
  reaction: string;
}

/** For how long nothing is pushed. */
export interface Mute {
  /** Without it there is no end. */
  for_seconds?: number;
}

/** The pair's live match. */
export interface NewMatch {
  id: MatchID;
  conversation_id: ConversationID;
  /** The other person. */
  user: Card;
}

/** A message to be sent. */
export interface NewMessage {
  /** Chosen by the client; the same one again is the same message. */
  client_id: string;
  kind?: MessageContent;
  text: string;
}

/** What a person wants to be told, and when. */
export interface NotificationSettings {
  time_zone?: string;
  quiet_hours?: QuietHours | null;
  preview?: PushPreview;
  /** Of these nothing is pushed. */
  muted?: PushKind[];
}

/** An event of the stream. */
export type NumberedFrame =
  | ServerSessionRevokedFrame
  | ServerMessageFrame
  | ServerMessageEditedFrame
  | ServerMessageDeletedFrame
  | ServerReceiptFrame
  | ServerReactionFrame
  | ServerMatchFrame
  | ServerUnmatchFrame;

/** The current and the new password. */
export interface PasswordChange {
  current_password: string;
  new_password: string;
}

/** The token of a reset link and the new password. */
export interface PasswordReset {
  token: string;
  password: string;
}

/** A person as another one sees them. The view and the fields that were asked for decide what there is. */
export interface Person {
  id: UserID;
  /** The display name. */
  name?: string;
  /** The age in years. */
  age?: number;
  /** Whole kilometres; null if unknown or hidden. */
  distance_km?: number | null;
  /** Always empty. */
  photos?: Photo[];
  /** The beginning of the profile text. */
  bio?: string;
  interests?: Interest[];
  gender?: Gender;
  /** The text about oneself. */
  about?: string;
  last_active?: LastActive;
}

/** How much of a person. */
export type PersonExtent = "card" | "full";

/** A member of a person. */
export type PersonMember =
  | "id"
  | "name"
  | "age"
  | "distance_km"
  | "photos"
  | "bio"
  | "interests"
  | "gender"
  | "about"
  | "last_active";

/** The address of a photo. */
export type Photo = string;

/** The user's next events. */
export interface Poll {
  /** The name of the history of events; another one after a restore. */
  epoch: string;
  /** Where the next poll goes on. */
  offset: number;
  /** Present if the client must read again what it shows. */
  resync?: ResyncReason;
  /** The events as a WebSocket gets them. */
  frames: NumberedFrame[];
}

/** The people that a person wants to see. */
export interface Preferences {
  min_age: number;
  max_age: number;
  max_distance_km: number;
  interested_in: Gender[];
  /** The limits that are never relaxed. */
  hard: HardLimits;
}

/** The people that a person wants to see. */
export interface PreferencesChange {
  min_age: number;
  max_age: number;
  max_distance_km: number;
  /** Stays as it is if absent. */
  interested_in?: Gender[];
  /** The limits that are never relaxed. */
  hard?: HardLimitsChange;
}

/** An error (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  /** Stable and machine-readable. */
  code: string;
  detail: string;
  /** True if the same request may succeed later. */
  temporary: boolean;
  /** Also in the server's log. */
  request_id: string;
  /** The refused parts of the input. */
  errors?: Violation[];
}

/** A change of one's own profile; absent members stay unchanged. */
export interface ProfileChange {
  /** The display name. */
  name?: string;
  /** The text about oneself. */
  about?: string;
  /** The same as about, as cards call it. */
  bio?: string;
  interests?: Interest[];
  gender?: Gender;
  /** The genders that the person wants to meet. */
  interested_in?: Gender[];
  visibility?: VisibilityChange;
}

/** Which of Apple's two environments a token belongs to. */
export type PushEnvironment = "production" | "sandbox";

/** What a push tells. */
export type PushKind = "message" | "match" | "like";

/** A language in which pushes are written. */
export type PushLanguage = "en" | "de" | "fr" | "es" | "it" | "pt" | "nl" | "pl" | "sv" | "ja";

/** A push platform. */
export type PushPlatform = "apns" | "fcm" | "webpush" | "log";

/** How much a push shows: only that there is something new, the sender's name, or the content too. */
export type PushPreview = "none" | "name" | "full";

/** Hours of each day without pushes. */
export interface QuietHours {
  from: string;
  /** On the next day if it is before from. */
  until: string;
}

/** An answer with one sign. */
export interface Reaction {
  reaction: string;
}

/** The last message that was read. */
export interface ReadMark {
  seq: number;
}

/** The unread messages after a read mark moved. */
export interface ReadResult {
  conversation_id: ConversationID;
  unread: number;
  /** The unread messages of all conversations. */
  unread_total: number;
  /** How far the user has read. */
  read_seq: number;
}

/** A refresh token to exchange. */
export interface Refresh {
  refresh_token: string;
}

/** The tokens of a session. */
export interface RefreshedTokens {
  /** For the header field Authorization. */
  access_token: string;
  /** To be exchanged once. */
  refresh_token: string;
  token_type: "Bearer";
  /** The access token's lifetime in seconds. */
  expires_in: number;
}

/** The form of a new account. */
export interface Registration {
  /** The address to log in with. */
  email: string;
  password: string;
  /** The display name. */
  name: string;
  birth_date: string;
  gender: Gender;
  /** The genders that the person wants to meet. */
  interested_in: Gender[];
}

/** A report to the moderators: exactly one of target_id and conversation_id. */
export interface Report {
  /** Required without conversation_id. */
  target_id?: UserID;
  /** Required without target_id. */
  conversation_id?: ConversationID;
  category: ReportCategory;
  /** What happened, in the reporter's words. */
  text?: string;
}

/** The reason of a report. */
export type ReportCategory = "spam" | "harassment" | "fake" | "underage" | "inappropriate" | "other";

export type ReportID = string;

/** The receipt of a report. */
export interface ReportReceipt {
  id: ReportID;
}

/** Where the person is. */
export interface ReportedLocation {
  latitude: number;
  longitude: number;
}

/** Why the client must read again what it shows. */
export type ResyncReason = "epoch" | "expired" | "ahead";

/** The person as they see themselves, as in the answer to GET /me. */
export interface SelfPortrait {
  id: UserID;
  [name: string]: JSONValue | UserID;
}

/** The receipt of a stored message. */
export interface SentMessage {
  id: MessageID;
  conversation_id: ConversationID;
  client_id: string;
  /** The place in the conversation. */
  seq: number;
  sent_at: string;
}

/** A message is stored. */
export interface ServerAckFrame {
  type: "ack";
  client_id: string;
  conversation: ConversationID;
  /** The place in the conversation. */
  seq: number;
  sent_at: string;
  /** Present if an earlier frame stored it. */
  duplicate?: boolean;
}

/** The new token is accepted. */
export interface ServerAuthFrame {
  type: "auth";
  /** When the new token ends. */
  expires_at: string;
}

/** The server closes the connection; reconnect after the given seconds. */
export interface ServerByeFrame {
  type: "bye";
  /** When to come back. */
  after_seconds: number;
  reason: "restart";
}

/** What was wrong with a frame. */
export interface ServerErrorFrame {
  type: "error";
  /** Stable and machine-readable. */
  code: string;
  /** For people. */
  detail: string;
  /** True if the same frame may be accepted later. */
  temporary: boolean;
  /** Seconds to wait. */
  retry_after?: number;
  /** As the client sent it. */
  ref?: string;
  /** The refused parts of the frame, at most 8. */
  errors?: Violation[];
}

/** Messages of a conversation, newest first. */
export interface ServerHistoryFrame {
  type: "history";
  conversation: ConversationID;
  messages: Message[];
  /** Where the next page begins; null on the last one. */
  next_before: number | null;
  /** As the client sent it. */
  ref?: string;
}

/** The client is caught up. */
export interface ServerLiveFrame {
  type: "live";
  /** The newest event that was sent. */
  offset: number;
}

/** Two people like each other. */
export interface ServerMatchFrame {
  type: "match";
  /** The number of the event among the user's. */
  offset: number;
  match: MatchID;
  /** The other person. */
  user: UserID;
  conversation: ConversationID;
}

/** A message was deleted. */
export interface ServerMessageDeletedFrame {
  type: "message.deleted";
  /** The number of the event among the user's. */
  offset: number;
  conversation: ConversationID;
  /** The place in the conversation. */
  seq: number;
  by?: UserID;
  /** Empty. Present if the message is no more. */
  text?: string;
  /** Present if the message is no more. */
  deleted?: boolean;
}

/** A message was edited. */
export interface ServerMessageEditedFrame {
  type: "message.edited";
  /** The number of the event among the user's. */
  offset: number;
  conversation: ConversationID;
  /** The place in the conversation. */
  seq: number;
  /** Empty for a message that is no more. */
  text: string;
  edited_at?: string;
  by?: UserID;
  /** Present if the message was deleted. */
  deleted?: boolean;
}

/** A new message; for a deleted one, only its place. */
export interface ServerMessageFrame {
  type: "message";
  /** The number of the event among the user's. */
  offset: number;
  conversation: ConversationID;
  /** The place in the conversation. */
  seq: number;
  id?: MessageID;
  /** Who wrote it. */
  from?: UserID;
  client_id?: string;
  kind?: MessageContent;
  /** Empty for a deleted message. */
  text: string;
  sent_at?: string;
  edited_at?: string;
  /** Present if it was deleted. */
  deleted?: boolean;
}

/** A message is not stored. */
export interface ServerNackFrame {
  type: "nack";
  /** The client's id of the message. */
  client_id: string;
  /** Stable and machine-readable. */
  code: string;
  /** True if the same message may be accepted later. */
  temporary: boolean;
  /** Seconds to wait. */
  retry_after?: number;
  /** The refused parts of the message, at most 8. */
  errors?: Violation[];
}

/** The answer to a ping. */
export interface ServerPongFrame {
  type: "pong";
  n?: number;
}

/** Whether a watched person is online. */
export interface ServerPresenceFrame {
  type: "presence";
  user: UserID;
  online: boolean;
}

/** Somebody reacted to a message, or removed the reaction. */
export interface ServerReactionFrame {
  type: "reaction";
  /** The number of the event among the user's. */
  offset: number;
  conversation: ConversationID;
  /** The place in the conversation. */
  seq: number;
  by: UserID;
  /** Null if it was taken back. */
  reaction: string | null;
}

/** Somebody has read, or received on a device, all messages up to one. */
export interface ServerReceiptFrame {
  type: "receipt";
  /** The number of the event among the user's. */
  offset: number;
  conversation: ConversationID;
  by: UserID;
  /** The last message that was read. */
  read?: number;
  /** The last message that is on a device. */
  received?: number;
}

/** The requested events are not available; the client reads everything again and continues from the present. */
export interface ServerResyncFrame {
  type: "resync";
  reason: ResyncReason;
}

/** A session of the user was ended. */
export interface ServerSessionRevokedFrame {
  type: "session.revoked";
  /** The number of the event among the user's. */
  offset: number;
  session: SessionID;
}

/** The other person starts or stops typing. */
export interface ServerTypingFrame {
  type: "typing";
  conversation: ConversationID;
  by: UserID;
  on: boolean;
}

/** A conversation is over. */
export interface ServerUnmatchFrame {
  type: "unmatch";
  /** The number of the event among the user's. */
  offset: number;
  conversation: ConversationID;
}

/** How many messages are unread, in one conversation and in all. */
export interface ServerUnreadFrame {
  type: "unread";
  conversation?: ConversationID;
  /** In the conversation; the total if none is named. */
  count: number;
  /** In all conversations. */
  total: number;
  /** As the client sent it. */
  ref?: string;
}

/** The stream begins. */
export interface ServerWelcomeFrame {
  type: "welcome";
  /** The name of the history of events; another one after a restore. */
  epoch: string;
  /** The newest event. */
  offset: number;
  heartbeat_seconds: number;
  /** The longest frame that the server reads. */
  max_frame_bytes: number;
  session: SessionID;
  now: string;
}

/** An open session. */
export interface Session {
  id: SessionID;
  created_at: string;
  last_used_at: string;
  /** The client that opened it. */
  label: string;
  /** This session. */
  current: boolean;
}

export type SessionID = string;

/** A page of a list. */
export interface SessionPage {
  items: Session[];
  next_cursor: Cursor | null;
}

/** The centre of the cell that a person is in. */
export interface SnappedLocation {
  latitude: number;
  longitude: number;
}

/** A candidate of a deck: the card and the score. */
export interface Suggestion {
  id: UserID;
  /** The display name. */
  name: string;
  /** The age in years. */
  age: number;
  /** Whole kilometres; null if unknown or hidden. */
  distance_km: number | null;
  /** Always empty. */
  photos: Photo[];
  /** The beginning of the profile text. */
  bio: string;
  interests: Interest[];
  score: number;
}

/** A deck, best first. */
export interface Suggestions {
  items: Suggestion[];
  stage: DeckStage;
}

/** A decision about a person. */
export interface Swipe {
  target_id: UserID;
  action: SwipeAction;
}

/** A person's decision about a candidate. */
export type SwipeAction = "pass" | "like" | "superlike" | "skip";

/** The answer to a swipe. */
export interface SwipeResult {
  /** The pair's live match; null if there is none. */
  match: NewMatch | null;
}

/** A ticket to connect without header fields. */
export interface Ticket {
  ticket: string;
  /** Seconds in which it must be used. */
  expires_in: number;
}

/** A person and the tokens of a new session. */
export interface TokenGrant {
  user: SelfPortrait;
  /** For the header field Authorization. */
  access_token: string;
  /** To be exchanged once. */
  refresh_token: string;
  token_type: "Bearer";
  /** The access token's lifetime in seconds. */
  expires_in: number;
}

/** A swipe that was undone. */
export interface UndoneSwipe {
  target_id: UserID;
  action: SwipeAction;
}

/** How many messages the user has not read. */
export interface Unread {
  /** The unread messages of all conversations. */
  unread_total: number;
}

export type UserID = string;

/** One refused part of an input. */
export interface Violation {
  /** A JSON pointer, or the name of a parameter. */
  field: string;
  /** A stable word. */
  reason: string;
  /** For people. */
  detail: string;
}

/** How much of a person others see. */
export interface Visibility {
  /** In no deck. */
  paused: boolean;
  /** Shown only to people that this person likes. */
  incognito: boolean;
  /** No distance is shown. */
  hide_distance: boolean;
}

/** A change of how much others see; absent members stay unchanged. */
export interface VisibilityChange {
  /** In no deck. */
  paused?: boolean;
  /** Shown only to people that this person likes. */
  incognito?: boolean;
  /** No distance is shown. */
  hide_distance?: boolean;
}

/** What browsers subscribe with. */
export interface WebPushKey {
  /** The applicationServerKey. */
  key: string;
}

/** The keys of a browser's subscription. */
export interface WebPushKeys {
  /** A point on P-256, 65 bytes. */
  p256dh: string;
  /** 16 bytes. */
  auth: string;
}

/** A frame that a client sends. */
export type ClientFrame =
  | ClientHelloFrame
  | ClientAuthFrame
  | ClientPingFrame
  | ClientByeFrame
  | ClientMessageSendFrame
  | ClientMessageEditFrame
  | ClientMessageDeleteFrame
  | ClientMessageReadFrame
  | ClientMessageReactFrame
  | ClientReceivedFrame
  | ClientTypingFrame
  | ClientPresenceWatchFrame
  | ClientHistoryFrame
  | ClientUnreadFrame;

/** A frame that the server sends. */
export type ServerFrame =
  | ServerWelcomeFrame
  | ServerLiveFrame
  | ServerResyncFrame
  | ServerAuthFrame
  | ServerPongFrame
  | ServerErrorFrame
  | ServerByeFrame
  | ServerSessionRevokedFrame
  | ServerMessageFrame
  | ServerMessageEditedFrame
  | ServerMessageDeletedFrame
  | ServerReceiptFrame
  | ServerReactionFrame
  | ServerMatchFrame
  | ServerUnmatchFrame
  | ServerAckFrame
  | ServerNackFrame
  | ServerUnreadFrame
  | ServerTypingFrame
  | ServerPresenceFrame
  | ServerHistoryFrame;
