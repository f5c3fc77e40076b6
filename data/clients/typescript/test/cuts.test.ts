import assert from "node:assert/strict";
import { test } from "node:test";
import type { Spark, Stream, TransportName } from "../src/index.js";
import { SparkServer } from "../src/server.js";

const transports: TransportName[] = ["events", "polling"];
if (typeof WebSocket !== "undefined") transports.unshift("websocket");
const count = 60;

for (const transport of transports) {
  test(`through many cuts, ${transport} brings each message once and in order`, { timeout: 240_000 }, async () => {
    const server = await SparkServer.start();
    const streams: Stream[] = [];
    let cutting: ReturnType<typeof setInterval> | undefined;
    try {
      const [ada, ben] = [await signUp(server, "Ada", "woman"), await signUp(server, "Ben", "man")];
      await ada.postSwipes({ target_id: ben.userId ?? "", action: "like" });
      const { match } = await ben.postSwipes({ target_id: ada.userId ?? "", action: "like" });
      assert.ok(match);
      const [hers, his] = [ada.stream({ transport }), ben.stream({ transport })];
      streams.push(hers, his);
      await Promise.all([hers.waitFor("live", 60_000), his.waitFor("live", 60_000)]);
      let cuts = 0;
      cutting = setInterval(() => [hers, his][cuts++ % 2]?.cut(), 30);
      const texts = Array.from({ length: count }, (_, number) => `message ${number}`);
      const sendings = [];
      for (const text of texts) {
        sendings.push(hers.sendMessage(match.conversation_id, text));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const received = [];
      // Fewer cuts towards the end, so that a slow machine makes progress between two of them.
      setTimeout(() => clearInterval(cutting), 3_000);
      for (let number = 0; number < count; number++) received.push((await his.waitFor("message", 60_000)).text);
      assert.deepEqual(received, texts);
      const seqs = await Promise.all(sendings.map(async (sending) => (await sending.answer).seq));
      assert.deepEqual(seqs, texts.map((_, number) => number + 1));
      assert.ok(cuts > 5);
    } finally {
      clearInterval(cutting);
      await Promise.all(streams.map((stream) => stream.close()));
      await server.stop();
    }
  });
}

async function signUp(server: SparkServer, name: string, gender: "woman" | "man"): Promise<Spark> {
  const client = server.client();
  await client.postAuthRegister({
    email: `${name.toLowerCase()}@example.org`,
    password: "correct horse battery",
    name,
    birth_date: "1995-06-15",
    gender,
    interested_in: ["woman", "man"],
  });
  return client;
}
