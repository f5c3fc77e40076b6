"""A method for each route of the API. Made by `spark export client python`. Do not edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from . import models as m
from .caller import Caller, segment


class Routes(Caller):
    """A method for each route of the API, named after the HTTP method and the path."""

    def post_auth_register(
        self,
        body: m.Registration,
        *,
        idempotency_key: str | None = None,
    ) -> m.TokenGrant:
        """Create an account and open its first session."""
        answer: m.TokenGrant = self.call("POST", "/api/v1/auth/register", body=body, idempotency_key=idempotency_key, takes_key=True)
        return answer

    def post_auth_login(
        self,
        body: m.Login,
        *,
        idempotency_key: str | None = None,
    ) -> m.TokenGrant:
        """Open a session; within the grace period this also restores a deleted account."""
        answer: m.TokenGrant = self.call("POST", "/api/v1/auth/login", body=body, idempotency_key=idempotency_key, takes_key=True)
        return answer

    def post_auth_refresh(
        self,
        body: m.Refresh,
        *,
        idempotency_key: str | None = None,
    ) -> m.RefreshedTokens:
        """Exchange a refresh token for new tokens; it can be used once."""
        answer: m.RefreshedTokens = self.call("POST", "/api/v1/auth/refresh", body=body, idempotency_key=idempotency_key, takes_key=True)
        return answer

    def post_auth_logout(self, *, idempotency_key: str | None = None) -> None:
        """Revoke this session."""
        self.call("POST", "/api/v1/auth/logout", idempotency_key=idempotency_key, takes_key=True)

    def get_auth_sessions(self) -> m.SessionPage:
        """The open sessions, most recently used first."""
        answer: m.SessionPage = self.call("GET", "/api/v1/auth/sessions")
        return answer

    def delete_auth_sessions(self, *, idempotency_key: str | None = None) -> None:
        """Revoke every session but this one."""
        self.call("DELETE", "/api/v1/auth/sessions", idempotency_key=idempotency_key, takes_key=True)

    def delete_auth_sessions_id(self, id: str, *, idempotency_key: str | None = None) -> None:
        """Revoke one session."""
        self.call("DELETE", f"/api/v1/auth/sessions/{segment(id)}", idempotency_key=idempotency_key, takes_key=True)

    def post_auth_password(
        self,
        body: m.PasswordChange,
        *,
        idempotency_key: str | None = None,
    ) -> None:
        """Change the password and revoke every other session."""
        self.call("POST", "/api/v1/auth/password", body=body, idempotency_key=idempotency_key, takes_key=True)

    def post_auth_confirm(
        self,
        body: m.Confirmation,
        *,
        idempotency_key: str | None = None,
    ) -> None:
        """Confirm the password; the session then counts as just opened."""
        self.call("POST", "/api/v1/auth/confirm", body=body, idempotency_key=idempotency_key, takes_key=True)

    def post_auth_reset_confirm(
        self,
        body: m.PasswordReset,
        *,
        idempotency_key: str | None = None,
    ) -> None:
        """Set a new password with a link's token, which works once; revokes every session."""
        self.call("POST", "/api/v1/auth/reset/confirm", body=body, idempotency_key=idempotency_key, takes_key=True)

    def delete_me(
        self,
        body: m.Confirmation | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> m.Closure:
        """Delete the account: hidden at once, erased after the grace period."""
        answer: m.Closure = self.call("DELETE", "/api/v1/me", body=body, idempotency_key=idempotency_key, takes_key=True)
        return answer

    def get_me(self) -> m.Me:
        """Show my profile."""
        answer: m.Me = self.call("GET", "/api/v1/me")
        return answer

    def patch_me(self, body: m.ProfileChange, *, idempotency_key: str | None = None) -> m.Me:
        """Change parts of my profile."""
        answer: m.Me = self.call("PATCH", "/api/v1/me", body=body, idempotency_key=idempotency_key, takes_key=True)
        return answer

    def get_me_export(self) -> m.Export:
        """Everything that is stored about you."""
        answer: m.Export = self.call("GET", "/api/v1/me/export")
        return answer

    def put_me_location(
        self,
        body: m.ReportedLocation,
        *,
        idempotency_key: str | None = None,
    ) -> m.SnappedLocation:
        """Set my location; the answer is the snapped location."""
        answer: m.SnappedLocation = self.call("PUT", "/api/v1/me/location", body=body, idempotency_key=idempotency_key, takes_key=True)
        return answer

    def get_me_preferences(self) -> m.Preferences:
        """Show my preferences."""
        answer: m.Preferences = self.call("GET", "/api/v1/me/preferences")
        return answer

    def put_me_preferences(
        self,
        body: m.PreferencesChange,
        *,
        idempotency_key: str | None = None,
    ) -> m.Preferences:
        """Change my preferences."""
        answer: m.Preferences = self.call("PUT", "/api/v1/me/preferences", body=body, idempotency_key=idempotency_key, takes_key=True)
        return answer

    def get_users_id(
        self,
        id: str,
        *,
        view: m.PersonExtent | None = None,
        fields: Sequence[m.PersonMember] | None = None,
    ) -> m.Person:
        """Show a person."""
        answer: m.Person = self.call("GET", f"/api/v1/users/{segment(id)}", query={"view": view, "fields": fields})
        return answer

    def get_matches_suggestions(self, *, limit: int | None = None) -> m.Suggestions:
        """The best candidates for me."""
        answer: m.Suggestions = self.call("GET", "/api/v1/matches/suggestions", query={"limit": limit})
        return answer

    def get_me_deck_why(self) -> m.DeckReasons:
        """Which filter takes how many people out of my deck, and what loosening one would add."""
        answer: m.DeckReasons = self.call("GET", "/api/v1/me/deck/why")
        return answer

    def post_swipes(self, body: m.Swipe, *, idempotency_key: str | None = None) -> m.SwipeResult:
        """Like, pass, superlike or skip somebody."""
        answer: m.SwipeResult = self.call("POST", "/api/v1/swipes", body=body, idempotency_key=idempotency_key, takes_key=True)
        return answer

    def delete_swipes_last(self, *, idempotency_key: str | None = None) -> m.UndoneSwipe:
        """Undo my last swipe."""
        answer: m.UndoneSwipe = self.call("DELETE", "/api/v1/swipes/last", idempotency_key=idempotency_key, takes_key=True)
        return answer

    def get_matches(self, *, limit: int | None = None, cursor: str | None = None) -> m.MatchPage:
        """My matches, newest first."""
        answer: m.MatchPage = self.call("GET", "/api/v1/matches", query={"limit": limit, "cursor": cursor})
        return answer

    def each_matches(self, *, limit: int | None = None) -> Iterator[m.Match]:
        """My matches, newest first: every element of every page."""
        cursor: str | None = None
        while True:
            page = self.get_matches(limit=limit, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def delete_matches_id(self, id: str, *, idempotency_key: str | None = None) -> None:
        """End a match."""
        self.call("DELETE", f"/api/v1/matches/{segment(id)}", idempotency_key=idempotency_key, takes_key=True)

    def get_likes(self, *, limit: int | None = None, cursor: str | None = None) -> m.LikePage:
        """Who likes me and awaits my answer, newest first."""
        answer: m.LikePage = self.call("GET", "/api/v1/likes", query={"limit": limit, "cursor": cursor})
        return answer

    def each_likes(self, *, limit: int | None = None) -> Iterator[m.Like]:
        """Who likes me and awaits my answer, newest first: every element of every page."""
        cursor: str | None = None
        while True:
            page = self.get_likes(limit=limit, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def get_blocks(self, *, limit: int | None = None, cursor: str | None = None) -> m.BlockPage:
        """Whom I blocked, newest first."""
        answer: m.BlockPage = self.call("GET", "/api/v1/blocks", query={"limit": limit, "cursor": cursor})
        return answer

    def each_blocks(self, *, limit: int | None = None) -> Iterator[m.Block]:
        """Whom I blocked, newest first: every element of every page."""
        cursor: str | None = None
        while True:
            page = self.get_blocks(limit=limit, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def post_blocks(self, body: m.BlockRequest, *, idempotency_key: str | None = None) -> None:
        """Block somebody; ends a match."""
        self.call("POST", "/api/v1/blocks", body=body, idempotency_key=idempotency_key, takes_key=True)

    def delete_blocks(self, body: m.BlockRequest, *, idempotency_key: str | None = None) -> None:
        """Lift a block."""
        self.call("DELETE", "/api/v1/blocks", body=body, idempotency_key=idempotency_key, takes_key=True)

    def delete_blocks_id(self, id: str, *, idempotency_key: str | None = None) -> None:
        """Lift the block of a user."""
        self.call("DELETE", f"/api/v1/blocks/{segment(id)}", idempotency_key=idempotency_key, takes_key=True)

    def post_reports(
        self,
        body: m.Report,
        *,
        idempotency_key: str | None = None,
    ) -> m.ReportReceipt:
        """Report somebody to those who moderate."""
        answer: m.ReportReceipt = self.call("POST", "/api/v1/reports", body=body, idempotency_key=idempotency_key, takes_key=True)
        return answer

    def get_conversations(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> m.ConversationPage:
        """My conversations, newest activity first."""
        answer: m.ConversationPage = self.call("GET", "/api/v1/conversations", query={"limit": limit, "cursor": cursor})
        return answer

    def each_conversations(self, *, limit: int | None = None) -> Iterator[m.Conversation]:
        """My conversations, newest activity first: every element of every page."""
        cursor: str | None = None
        while True:
            page = self.get_conversations(limit=limit, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def get_conversations_id(self, id: str) -> m.Conversation:
        """One of my conversations."""
        answer: m.Conversation = self.call("GET", f"/api/v1/conversations/{segment(id)}")
        return answer

    def post_conversations_id_read(
        self,
        id: str,
        body: m.ReadMark,
        *,
        idempotency_key: str | None = None,
    ) -> m.ReadResult:
        """Mark everything up to a message as read."""
        answer: m.ReadResult = self.call("POST", f"/api/v1/conversations/{segment(id)}/read", body=body, idempotency_key=idempotency_key, takes_key=True)
        return answer

    def get_unread(self) -> m.Unread:
        """Number of my unread messages."""
        answer: m.Unread = self.call("GET", "/api/v1/unread")
        return answer

    def get_conversations_id_messages(
        self,
        id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        before: int | None = None,
        after: int | None = None,
    ) -> m.MessagePage:
        """Messages of a conversation: newest first, or oldest first after a given one."""
        answer: m.MessagePage = self.call("GET", f"/api/v1/conversations/{segment(id)}/messages", query={"limit": limit, "cursor": cursor, "before": before, "after": after})
        return answer

    def each_conversations_id_messages(
        self,
        id: str,
        *,
        limit: int | None = None,
        before: int | None = None,
        after: int | None = None,
    ) -> Iterator[m.Message]:
        """Messages of a conversation: newest first, or oldest first after a given one: every element of every page."""
        cursor: str | None = None
        while True:
            page = self.get_conversations_id_messages(id, limit=limit, before=before, after=after, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def post_conversations_id_messages(
        self,
        id: str,
        body: m.NewMessage,
        *,
        idempotency_key: str | None = None,
    ) -> m.SentMessage:
        """Send a message; the same client_id again gives the same answer."""
        answer: m.SentMessage = self.call("POST", f"/api/v1/conversations/{segment(id)}/messages", body=body, idempotency_key=idempotency_key, takes_key=True)
        return answer

    def get_messages_search(
        self,
        *,
        q: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> m.BareMessagePage:
        """Search the messages of my conversations, newest first."""
        answer: m.BareMessagePage = self.call("GET", "/api/v1/messages/search", query={"q": q, "limit": limit, "cursor": cursor})
        return answer

    def each_messages_search(
        self,
        *,
        q: str | None = None,
        limit: int | None = None,
    ) -> Iterator[m.BareMessage]:
        """Search the messages of my conversations, newest first: every element of every page."""
        cursor: str | None = None
        while True:
            page = self.get_messages_search(q=q, limit=limit, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def patch_conversations_id_messages_seq(
        self,
        id: str,
        seq: int | str,
        body: m.MessageEdit,
        *,
        idempotency_key: str | None = None,
    ) -> m.Message:
        """Edit my message."""
        answer: m.Message = self.call("PATCH", f"/api/v1/conversations/{segment(id)}/messages/{segment(seq)}", body=body, idempotency_key=idempotency_key, takes_key=True)
        return answer

    def delete_conversations_id_messages_seq(
        self,
        id: str,
        seq: int | str,
        *,
        idempotency_key: str | None = None,
    ) -> None:
        """Delete my message for both people."""
        self.call("DELETE", f"/api/v1/conversations/{segment(id)}/messages/{segment(seq)}", idempotency_key=idempotency_key, takes_key=True)

    def put_conversations_id_messages_seq_reaction(
        self,
        id: str,
        seq: int | str,
        body: m.Reaction,
        *,
        idempotency_key: str | None = None,
    ) -> None:
        """React to a message with one character."""
        self.call("PUT", f"/api/v1/conversations/{segment(id)}/messages/{segment(seq)}/reaction", body=body, idempotency_key=idempotency_key, takes_key=True)

    def delete_conversations_id_messages_seq_reaction(
        self,
        id: str,
        seq: int | str,
        *,
        idempotency_key: str | None = None,
    ) -> None:
        """Remove my reaction."""
        self.call("DELETE", f"/api/v1/conversations/{segment(id)}/messages/{segment(seq)}/reaction", idempotency_key=idempotency_key, takes_key=True)

    def get_me_devices(self) -> m.DevicePage:
        """My devices that get pushes."""
        answer: m.DevicePage = self.call("GET", "/api/v1/me/devices")
        return answer

    def put_me_devices_id(
        self,
        id: str,
        body: m.DeviceRegistration,
        *,
        idempotency_key: str | None = None,
    ) -> m.Device:
        """Register a device under a name; its token belongs to the last person who registered it, until the session ends."""
        answer: m.Device = self.call("PUT", f"/api/v1/me/devices/{segment(id)}", body=body, idempotency_key=idempotency_key, takes_key=True)
        return answer

    def delete_me_devices_id(self, id: str, *, idempotency_key: str | None = None) -> None:
        """Remove a device."""
        self.call("DELETE", f"/api/v1/me/devices/{segment(id)}", idempotency_key=idempotency_key, takes_key=True)

    def get_me_notifications(self) -> m.NotificationSettings:
        """My notification settings."""
        answer: m.NotificationSettings = self.call("GET", "/api/v1/me/notifications")
        return answer

    def put_me_notifications(
        self,
        body: m.NotificationSettings,
        *,
        idempotency_key: str | None = None,
    ) -> m.NotificationSettings:
        """Set my notification settings; omitted ones get their defaults."""
        answer: m.NotificationSettings = self.call("PUT", "/api/v1/me/notifications", body=body, idempotency_key=idempotency_key, takes_key=True)
        return answer

    def put_conversations_id_mute(
        self,
        id: str,
        body: m.Mute | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> None:
        """Mute a conversation, forever or for a time."""
        self.call("PUT", f"/api/v1/conversations/{segment(id)}/mute", body=body, idempotency_key=idempotency_key, takes_key=True)

    def delete_conversations_id_mute(self, id: str, *, idempotency_key: str | None = None) -> None:
        """Unmute a conversation."""
        self.call("DELETE", f"/api/v1/conversations/{segment(id)}/mute", idempotency_key=idempotency_key, takes_key=True)

    def get_push_webpush_key(self) -> m.WebPushKey:
        """The key that browsers subscribe with (applicationServerKey)."""
        answer: m.WebPushKey = self.call("GET", "/api/v1/push/webpush-key")
        return answer

    def post_ws_ticket(self) -> m.Ticket:
        """A ticket to connect without header fields, within 30 seconds: for one WebSocket, or repeatedly for event streams and polls."""
        answer: m.Ticket = self.call("POST", "/api/v1/ws/ticket")
        return answer

    def get_poll(
        self,
        *,
        offset: str | None = None,
        epoch: str | None = None,
        wait: int | None = None,
        limit: int | None = None,
    ) -> m.Poll:
        """My numbered events after an offset; waits for one if there is none."""
        answer: m.Poll = self.call("GET", "/api/v1/poll", query={"offset": offset, "epoch": epoch, "wait": wait, "limit": limit})
        return answer

    def post_batch(self, body: m.Batch) -> m.BatchAnswer:
        """Carry out up to 20 requests side by side."""
        answer: m.BatchAnswer = self.call("POST", "/api/v1/batch", body=body)
        return answer
