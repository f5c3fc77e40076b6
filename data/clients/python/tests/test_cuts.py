"""The stream while connections break all the time."""

from __future__ import annotations

import threading
import time
import unittest
from typing import cast

from spark_client import SparkServer, models as m

COUNT = 100


class CutsTest(unittest.TestCase):
    def test_each_message_comes_once_and_in_order(self) -> None:
        with SparkServer.start() as server:
            ada, ben = server.client(), server.client()
            self.addCleanup(ada.close)
            self.addCleanup(ben.close)
            for client, name in [(ada, "Ada"), (ben, "Ben")]:
                client.post_auth_register(
                    {
                        "email": f"{name}@example.org",
                        "password": "correct horse battery",
                        "name": name,
                        "birth_date": "1995-06-15",
                        "gender": "nonbinary",
                        "interested_in": ["nonbinary"],
                    }
                )
            ada.post_swipes({"target_id": ben.user_id, "action": "like"})
            match = ben.post_swipes({"target_id": ada.user_id, "action": "like"})["match"]
            assert match is not None
            with ada.stream() as hers, ben.stream() as his:
                hers.wait_for("live", 60)
                his.wait_for("live", 60)
                is_over = threading.Event()

                def cut() -> None:
                    # Not for ever, so that a slow machine gets through.
                    end = time.monotonic() + 3
                    while time.monotonic() < end and not is_over.wait(0.03):
                        hers.cut()
                        his.cut()

                cutter = threading.Thread(target=cut)
                cutter.start()
                texts = [f"message {number}" for number in range(COUNT)]
                sendings = []
                for text in texts:
                    sendings.append(hers.send_message(match["conversation_id"], text))
                    time.sleep(0.003)
                received = [cast(m.ServerMessageFrame, his.wait_for("message", 60))["text"] for _ in texts]
                is_over.set()
                cutter.join()
                self.assertEqual(received, texts)
                self.assertEqual([sending.wait(60)["seq"] for sending in sendings], list(range(1, COUNT + 1)))
