// Made by `spark export client typescript`. Do not edit.

import type * as m from "./models.js";
import { type CallOptions, Caller, segment } from "./caller.js";

/** A method for each route of the API, named after the HTTP method and the path. */
export abstract class Routes extends Caller {
  /** Create an account and open its first session. */
  postAuthRegister(body: m.Registration, options: CallOptions = {}): Promise<m.TokenGrant> {
    return this.call<m.TokenGrant>({ method: "POST", path: "/api/v1/auth/register", body, takesKey: true }, options);
  }

  /** Open a session; within the grace period this also restores a deleted account. */
  postAuthLogin(body: m.Login, options: CallOptions = {}): Promise<m.TokenGrant> {
    return this.call<m.TokenGrant>({ method: "POST", path: "/api/v1/auth/login", body, takesKey: true }, options);
  }

  /** Exchange a refresh token for new tokens; it can be used once. */
  postAuthRefresh(body: m.Refresh, options: CallOptions = {}): Promise<m.RefreshedTokens> {
    return this.call<m.RefreshedTokens>({ method: "POST", path: "/api/v1/auth/refresh", body, takesKey: true }, options);
  }

  /** Revoke this session. */
  postAuthLogout(options: CallOptions = {}): Promise<void> {
    return this.call<void>({ method: "POST", path: "/api/v1/auth/logout", takesKey: true }, options);
  }

  /** The open sessions, most recently used first. */
  getAuthSessions(options: CallOptions = {}): Promise<m.SessionPage> {
    return this.call<m.SessionPage>({ method: "GET", path: "/api/v1/auth/sessions" }, options);
  }

  /** Revoke every session but this one. */
  deleteAuthSessions(options: CallOptions = {}): Promise<void> {
    return this.call<void>({ method: "DELETE", path: "/api/v1/auth/sessions", takesKey: true }, options);
  }

  /** Revoke one session. */
  deleteAuthSessionsId(id: string, options: CallOptions = {}): Promise<void> {
    return this.call<void>({ method: "DELETE", path: `/api/v1/auth/sessions/${segment(id)}`, takesKey: true }, options);
  }

  /** Change the password and revoke every other session. */
  postAuthPassword(body: m.PasswordChange, options: CallOptions = {}): Promise<void> {
    return this.call<void>({ method: "POST", path: "/api/v1/auth/password", body, takesKey: true }, options);
  }

  /** Confirm the password; the session then counts as just opened. */
  postAuthConfirm(body: m.Confirmation, options: CallOptions = {}): Promise<void> {
    return this.call<void>({ method: "POST", path: "/api/v1/auth/confirm", body, takesKey: true }, options);
  }

  /** Set a new password with a link's token, which works once; revokes every session. */
  postAuthResetConfirm(body: m.PasswordReset, options: CallOptions = {}): Promise<void> {
    return this.call<void>({ method: "POST", path: "/api/v1/auth/reset/confirm", body, takesKey: true }, options);
  }

  /** Delete the account: hidden at once, erased after the grace period. */
  deleteMe(body?: m.Confirmation, options: CallOptions = {}): Promise<m.Closure> {
    return this.call<m.Closure>({ method: "DELETE", path: "/api/v1/me", body, takesKey: true }, options);
  }

  /** Show my profile. */
  getMe(options: CallOptions = {}): Promise<m.Me> {
    return this.call<m.Me>({ method: "GET", path: "/api/v1/me" }, options);
  }

  /** Change parts of my profile. */
  patchMe(body: m.ProfileChange, options: CallOptions = {}): Promise<m.Me> {
    return this.call<m.Me>({ method: "PATCH", path: "/api/v1/me", body, takesKey: true }, options);
  }

  /** Everything that is stored about you. */
  getMeExport(options: CallOptions = {}): Promise<m.Export> {
    return this.call<m.Export>({ method: "GET", path: "/api/v1/me/export" }, options);
  }

  /** Set my location; the answer is the snapped location. */
  putMeLocation(body: m.ReportedLocation, options: CallOptions = {}): Promise<m.SnappedLocation> {
    return this.call<m.SnappedLocation>({ method: "PUT", path: "/api/v1/me/location", body, takesKey: true }, options);
  }

  /** Show my preferences. */
  getMePreferences(options: CallOptions = {}): Promise<m.Preferences> {
    return this.call<m.Preferences>({ method: "GET", path: "/api/v1/me/preferences" }, options);
  }

  /** Change my preferences. */
  putMePreferences(body: m.PreferencesChange, options: CallOptions = {}): Promise<m.Preferences> {
    return this.call<m.Preferences>({ method: "PUT", path: "/api/v1/me/preferences", body, takesKey: true }, options);
  }

  /** Show a person. */
  getUsersId(id: string, options: { view?: m.PersonExtent | undefined; fields?: m.PersonMember[] | undefined } & CallOptions = {}): Promise<m.Person> {
    return this.call<m.Person>({ method: "GET", path: `/api/v1/users/${segment(id)}`, query: { view: options.view, fields: options.fields } }, options);
  }

  /** The best candidates for me. */
  getMatchesSuggestions(options: { limit?: number | undefined } & CallOptions = {}): Promise<m.Suggestions> {
    return this.call<m.Suggestions>({ method: "GET", path: "/api/v1/matches/suggestions", query: { limit: options.limit } }, options);
  }

  /** Which filter takes how many people out of my deck, and what loosening one would add. */
  getMeDeckWhy(options: CallOptions = {}): Promise<m.DeckReasons> {
    return this.call<m.DeckReasons>({ method: "GET", path: "/api/v1/me/deck/why" }, options);
  }

  /** Like, pass, superlike or skip somebody. */
  postSwipes(body: m.Swipe, options: CallOptions = {}): Promise<m.SwipeResult> {
    return this.call<m.SwipeResult>({ method: "POST", path: "/api/v1/swipes", body, takesKey: true }, options);
  }

  /** Undo my last swipe. */
  deleteSwipesLast(options: CallOptions = {}): Promise<m.UndoneSwipe> {
    return this.call<m.UndoneSwipe>({ method: "DELETE", path: "/api/v1/swipes/last", takesKey: true }, options);
  }

  /** My matches, newest first. */
  getMatches(options: { limit?: number | undefined; cursor?: string | undefined } & CallOptions = {}): Promise<m.MatchPage> {
    return this.call<m.MatchPage>({ method: "GET", path: "/api/v1/matches", query: { limit: options.limit, cursor: options.cursor } }, options);
  }

  /** My matches, newest first: every element of every page. */
  eachMatches(options: { limit?: number | undefined } & CallOptions = {}): AsyncGenerator<m.Match, void, undefined> {
    return this.pages((cursor) => this.getMatches({ ...options, ...cursor }));
  }

  /** End a match. */
  deleteMatchesId(id: string, options: CallOptions = {}): Promise<void> {
    return this.call<void>({ method: "DELETE", path: `/api/v1/matches/${segment(id)}`, takesKey: true }, options);
  }

  /** Who likes me and awaits my answer, newest first. */
  getLikes(options: { limit?: number | undefined; cursor?: string | undefined } & CallOptions = {}): Promise<m.LikePage> {
    return this.call<m.LikePage>({ method: "GET", path: "/api/v1/likes", query: { limit: options.limit, cursor: options.cursor } }, options);
  }

  /** Who likes me and awaits my answer, newest first: every element of every page. */
  eachLikes(options: { limit?: number | undefined } & CallOptions = {}): AsyncGenerator<m.Like, void, undefined> {
    return this.pages((cursor) => this.getLikes({ ...options, ...cursor }));
  }

  /** Whom I blocked, newest first. */
  getBlocks(options: { limit?: number | undefined; cursor?: string | undefined } & CallOptions = {}): Promise<m.BlockPage> {
    return this.call<m.BlockPage>({ method: "GET", path: "/api/v1/blocks", query: { limit: options.limit, cursor: options.cursor } }, options);
  }

  /** Whom I blocked, newest first: every element of every page. */
  eachBlocks(options: { limit?: number | undefined } & CallOptions = {}): AsyncGenerator<m.Block, void, undefined> {
    return this.pages((cursor) => this.getBlocks({ ...options, ...cursor }));
  }

  /** Block somebody; ends a match. */
  postBlocks(body: m.BlockRequest, options: CallOptions = {}): Promise<void> {
    return this.call<void>({ method: "POST", path: "/api/v1/blocks", body, takesKey: true }, options);
  }

  /** Lift a block. */
  deleteBlocks(body: m.BlockRequest, options: CallOptions = {}): Promise<void> {
    return this.call<void>({ method: "DELETE", path: "/api/v1/blocks", body, takesKey: true }, options);
  }

  /** Lift the block of a user. */
  deleteBlocksId(id: string, options: CallOptions = {}): Promise<void> {
    return this.call<void>({ method: "DELETE", path: `/api/v1/blocks/${segment(id)}`, takesKey: true }, options);
  }

  /** Report somebody to those who moderate. */
  postReports(body: m.Report, options: CallOptions = {}): Promise<m.ReportReceipt> {
    return this.call<m.ReportReceipt>({ method: "POST", path: "/api/v1/reports", body, takesKey: true }, options);
  }

  /** My conversations, newest activity first. */
  getConversations(options: { limit?: number | undefined; cursor?: string | undefined } & CallOptions = {}): Promise<m.ConversationPage> {
    return this.call<m.ConversationPage>({ method: "GET", path: "/api/v1/conversations", query: { limit: options.limit, cursor: options.cursor } }, options);
  }

  /** My conversations, newest activity first: every element of every page. */
  eachConversations(options: { limit?: number | undefined } & CallOptions = {}): AsyncGenerator<m.Conversation, void, undefined> {
    return this.pages((cursor) => this.getConversations({ ...options, ...cursor }));
  }

  /** One of my conversations. */
  getConversationsId(id: string, options: CallOptions = {}): Promise<m.Conversation> {
    return this.call<m.Conversation>({ method: "GET", path: `/api/v1/conversations/${segment(id)}` }, options);
  }

  /** Mark everything up to a message as read. */
  postConversationsIdRead(id: string, body: m.ReadMark, options: CallOptions = {}): Promise<m.ReadResult> {
    return this.call<m.ReadResult>({ method: "POST", path: `/api/v1/conversations/${segment(id)}/read`, body, takesKey: true }, options);
  }

  /** Number of my unread messages. */
  getUnread(options: CallOptions = {}): Promise<m.Unread> {
    return this.call<m.Unread>({ method: "GET", path: "/api/v1/unread" }, options);
  }

  /** Messages of a conversation: newest first, or oldest first after a given one. */
  getConversationsIdMessages(id: string, options: { limit?: number | undefined; cursor?: string | undefined; before?: number | undefined; after?: number | undefined } & CallOptions = {}): Promise<m.MessagePage> {
    return this.call<m.MessagePage>({ method: "GET", path: `/api/v1/conversations/${segment(id)}/messages`, query: { limit: options.limit, cursor: options.cursor, before: options.before, after: options.after } }, options);
  }

  /** Messages of a conversation: newest first, or oldest first after a given one: every element of every page. */
  eachConversationsIdMessages(id: string, options: { limit?: number | undefined; before?: number | undefined; after?: number | undefined } & CallOptions = {}): AsyncGenerator<m.Message, void, undefined> {
    return this.pages((cursor) => this.getConversationsIdMessages(id, { ...options, ...cursor }));
  }

  /** Send a message; the same client_id again gives the same answer. */
  postConversationsIdMessages(id: string, body: m.NewMessage, options: CallOptions = {}): Promise<m.SentMessage> {
    return this.call<m.SentMessage>({ method: "POST", path: `/api/v1/conversations/${segment(id)}/messages`, body, takesKey: true }, options);
  }

  /** Search the messages of my conversations, newest first. */
  getMessagesSearch(options: { q?: string | undefined; limit?: number | undefined; cursor?: string | undefined } & CallOptions = {}): Promise<m.BareMessagePage> {
    return this.call<m.BareMessagePage>({ method: "GET", path: "/api/v1/messages/search", query: { q: options.q, limit: options.limit, cursor: options.cursor } }, options);
  }

  /** Search the messages of my conversations, newest first: every element of every page. */
  eachMessagesSearch(options: { q?: string | undefined; limit?: number | undefined } & CallOptions = {}): AsyncGenerator<m.BareMessage, void, undefined> {
    return this.pages((cursor) => this.getMessagesSearch({ ...options, ...cursor }));
  }

  /** Edit my message. */
  patchConversationsIdMessagesSeq(id: string, seq: string, body: m.MessageEdit, options: CallOptions = {}): Promise<m.Message> {
    return this.call<m.Message>({ method: "PATCH", path: `/api/v1/conversations/${segment(id)}/messages/${segment(seq)}`, body, takesKey: true }, options);
  }

  /** Delete my message for both people. */
  deleteConversationsIdMessagesSeq(id: string, seq: string, options: CallOptions = {}): Promise<void> {
    return this.call<void>({ method: "DELETE", path: `/api/v1/conversations/${segment(id)}/messages/${segment(seq)}`, takesKey: true }, options);
  }

  /** React to a message with one character. */
  putConversationsIdMessagesSeqReaction(id: string, seq: string, body: m.Reaction, options: CallOptions = {}): Promise<void> {
    return this.call<void>({ method: "PUT", path: `/api/v1/conversations/${segment(id)}/messages/${segment(seq)}/reaction`, body, takesKey: true }, options);
  }

  /** Remove my reaction. */
  deleteConversationsIdMessagesSeqReaction(id: string, seq: string, options: CallOptions = {}): Promise<void> {
    return this.call<void>({ method: "DELETE", path: `/api/v1/conversations/${segment(id)}/messages/${segment(seq)}/reaction`, takesKey: true }, options);
  }

  /** My devices that get pushes. */
  getMeDevices(options: CallOptions = {}): Promise<m.DevicePage> {
    return this.call<m.DevicePage>({ method: "GET", path: "/api/v1/me/devices" }, options);
  }

  /** Register a device under a name; its token belongs to the last person who registered it, until the session ends. */
  putMeDevicesId(id: string, body: m.DeviceRegistration, options: CallOptions = {}): Promise<m.Device> {
    return this.call<m.Device>({ method: "PUT", path: `/api/v1/me/devices/${segment(id)}`, body, takesKey: true }, options);
  }

  /** Remove a device. */
  deleteMeDevicesId(id: string, options: CallOptions = {}): Promise<void> {
    return this.call<void>({ method: "DELETE", path: `/api/v1/me/devices/${segment(id)}`, takesKey: true }, options);
  }

  /** My notification settings. */
  getMeNotifications(options: CallOptions = {}): Promise<m.NotificationSettings> {
    return this.call<m.NotificationSettings>({ method: "GET", path: "/api/v1/me/notifications" }, options);
  }

  /** Set my notification settings; omitted ones get their defaults. */
  putMeNotifications(body: m.NotificationSettings, options: CallOptions = {}): Promise<m.NotificationSettings> {
    return this.call<m.NotificationSettings>({ method: "PUT", path: "/api/v1/me/notifications", body, takesKey: true }, options);
  }

  /** Mute a conversation, forever or for a time. */
  putConversationsIdMute(id: string, body?: m.Mute, options: CallOptions = {}): Promise<void> {
    return this.call<void>({ method: "PUT", path: `/api/v1/conversations/${segment(id)}/mute`, body, takesKey: true }, options);
  }

  /** Unmute a conversation. */
  deleteConversationsIdMute(id: string, options: CallOptions = {}): Promise<void> {
    return this.call<void>({ method: "DELETE", path: `/api/v1/conversations/${segment(id)}/mute`, takesKey: true }, options);
  }

  /** The key that browsers subscribe with (applicationServerKey). */
  getPushWebpushKey(options: CallOptions = {}): Promise<m.WebPushKey> {
    return this.call<m.WebPushKey>({ method: "GET", path: "/api/v1/push/webpush-key" }, options);
  }

  /** A ticket to connect without header fields, within 30 seconds: for one WebSocket, or repeatedly for event streams and polls. */
  postWsTicket(options: CallOptions = {}): Promise<m.Ticket> {
    return this.call<m.Ticket>({ method: "POST", path: "/api/v1/ws/ticket" }, options);
  }

  /** My numbered events after an offset; waits for one if there is none. */
  getPoll(options: { offset?: string | undefined; epoch?: string | undefined; wait?: number | undefined; limit?: number | undefined } & CallOptions = {}): Promise<m.Poll> {
    return this.call<m.Poll>({ method: "GET", path: "/api/v1/poll", query: { offset: options.offset, epoch: options.epoch, wait: options.wait, limit: options.limit } }, options);
  }

  /** Carry out up to 20 requests side by side. */
  postBatch(body: m.Batch, options: CallOptions = {}): Promise<m.BatchAnswer> {
    return this.call<m.BatchAnswer>({ method: "POST", path: "/api/v1/batch", body }, options);
  }
}
