"""The story of two people, against a server of its own."""

from __future__ import annotations

import unittest
from typing import cast

from spark_client import MessageRefused, Spark, SparkProblem, SparkServer, models as m

#: Generous, since a busy machine must not make the test fail.
PATIENCE = 60.0


class StoryTest(unittest.TestCase):
    def test_two_people_meet_chat_through_cuts_and_part(self) -> None:
        with SparkServer.start() as server:
            try:
                self.story(server)
            except BaseException:
                print(server.log)
                raise

    def story(self, server: SparkServer) -> None:
        # Sign up, and say where they are.
        ada = self.sign_up(server, "Ada", "woman", "man")
        ben = self.sign_up(server, "Ben", "man", "woman")

        # Deck, like, match.
        deck = ada.get_matches_suggestions(limit=10)
        self.assertEqual([card["id"] for card in deck["items"]], [ben.user_id])
        like = ada.post_swipes({"target_id": ben.user_id, "action": "like"})
        self.assertIsNone(like["match"])
        match = ben.post_swipes({"target_id": ada.user_id, "action": "like"})["match"]
        assert match is not None
        self.assertEqual(match["user"]["name"], "Ada")
        self.assertEqual([one["user"]["id"] for one in ada.each_matches(limit=1)], [ben.user_id])
        chat = match["conversation_id"]

        # Chat over the stream.
        with ada.stream() as hers:
            with ben.stream() as his:
                hers.wait_for("live", PATIENCE)
                his.wait_for("live", PATIENCE)
                self.assertEqual(hers.send_message(chat, "Hello").wait(PATIENCE)["seq"], 1)
                self.assertEqual(self.text(his.wait_for("message", PATIENCE)), "Hello")

                # A cut in the middle: nothing is lost, nothing comes twice.
                his.cut()
                hers.cut()
                sendings = [hers.send_message(chat, text) for text in ("Are you there?", "I am.")]
                self.assertEqual([sending.wait(PATIENCE)["seq"] for sending in sendings], [2, 3])
                self.assertEqual(hers.outbox, [])
                received = [self.text(his.wait_for("message", PATIENCE)) for _ in sendings]
                self.assertEqual(received, ["Are you there?", "I am."])
                his.send_message(chat, "Me too").wait(PATIENCE)
                self.assertEqual(self.text(his.wait_for("message", PATIENCE)), "Me too")
                own = [self.text(hers.wait_for("message", PATIENCE)) for _ in range(4)]
                self.assertEqual(own, ["Hello", "Are you there?", "I am.", "Me too"])
                position = his.position

            # A later stream of the same device goes on where this one ended.
            hers.send_message(chat, "Good night").wait(PATIENCE)
            with ben.stream(position) as later:
                self.assertEqual(self.text(later.wait_for("message", PATIENCE)), "Good night")

            # Push, to a person who is not there.
            ben.put_me_devices_id("phone", {"provider": "log", "token": "bens-phone"})
            hers.send_message(chat, "Sleep well").wait(PATIENCE)
            pushes = server.outbox(kind="push", to=ben.user_id, count=1, wait=30.0)
            self.assertEqual([push["to"] for push in pushes], [ben.user_id])

            # Block.
            ben.post_blocks({"target_id": ada.user_id})
            hers.wait_for("unmatch", PATIENCE)
            with self.assertRaises(MessageRefused) as refused:
                hers.send_message(chat, "Hello?").wait(PATIENCE)
            self.assertEqual(refused.exception.code, "chat.gone")
        self.assertEqual(ada.get_matches()["items"], [])
        self.assertEqual([block["user_id"] for block in ben.get_blocks()["items"]], [ada.user_id])
        with self.assertRaises(SparkProblem) as problem:
            ada.get_users_id(ben.user_id)
        self.assertEqual(problem.exception.status, 404)

    def sign_up(self, server: SparkServer, name: str, gender: m.Gender, interest: m.Gender) -> Spark:
        client = server.client()
        self.addCleanup(client.close)
        grant = client.post_auth_register(
            {
                "email": f"{name.lower()}@example.org",
                "password": "correct horse battery",
                "name": name,
                "birth_date": "1995-06-15",
                "gender": gender,
                "interested_in": [interest],
            }
        )
        self.assertEqual(grant["user"]["id"], client.user_id)
        client.put_me_location({"latitude": 48.85, "longitude": 2.35})
        client.put_me_preferences({"min_age": 18, "max_age": 99, "max_distance_km": 50})
        return client

    @staticmethod
    def text(frame: m.ServerFrame) -> str:
        return cast(m.ServerMessageFrame, frame)["text"]
