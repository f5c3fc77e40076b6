import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageRefused, type models, type Spark, SparkProblem, type Stream, type TransportName } from "../src/index.js";
import { SparkServer } from "../src/server.js";

/** Generous, since a busy machine must not make the test fail. */
const patience = 60_000;

// The story of two people, over each transport that this version of Node has.
const transports: TransportName[] = ["events", "polling"];
if (typeof WebSocket !== "undefined") transports.unshift("websocket");

for (const transport of transports) {
  test(`two people meet, chat over ${transport} through cuts, and part`, { timeout: 4 * patience }, async () => {
    const server = await SparkServer.start();
    const streams: Stream[] = [];
    const story = async () => {
      // Sign up, and say where they are.
      const ada = await signUp(server, "Ada", "woman", "man");
      const ben = await signUp(server, "Ben", "man", "woman");

      // Deck, like, match.
      const deck = await ada.getMatchesSuggestions({ limit: 10 });
      assert.deepEqual(deck.items.map((card) => card.id), [ben.userId]);
      const like = await ada.postSwipes({ target_id: id(ben), action: "like" });
      assert.equal(like.match, null);
      const { match } = await ben.postSwipes({ target_id: id(ada), action: "like" });
      assert.ok(match);
      assert.equal(match.user.name, "Ada");
      const matches: models.Match[] = [];
      for await (const one of ada.eachMatches({ limit: 1 })) matches.push(one);
      assert.deepEqual(matches.map((one) => one.user.id), [ben.userId]);
      const chat = match.conversation_id;

      // Chat over the stream.
      const [hers, his] = [ada.stream({ transport }), ben.stream({ transport })];
      streams.push(hers, his);
      await Promise.all([hers.waitFor("live", patience), his.waitFor("live", patience)]);
      assert.equal((await hers.sendMessage(chat, "Hello").answer).seq, 1);
      assert.equal(text(await his.waitFor("message", patience)), "Hello");

      // A cut in the middle: nothing is lost, nothing comes twice.
      his.cut();
      hers.cut();
      const second = hers.sendMessage(chat, "Are you there?");
      const third = hers.sendMessage(chat, "I am.");
      assert.equal(hers.outbox.length, 2);
      assert.equal((await second.answer).seq, 2);
      assert.equal((await third.answer).seq, 3);
      assert.equal(hers.outbox.length, 0);
      assert.equal(text(await his.waitFor("message", patience)), "Are you there?");
      assert.equal(text(await his.waitFor("message", patience)), "I am.");
      await his.sendMessage(chat, "Me too").answer;
      assert.equal(text(await his.waitFor("message", patience)), "Me too");
      const own = [];
      for (let count = 0; count < 4; count++) own.push(text(await hers.waitFor("message", patience)));
      assert.deepEqual(own, ["Hello", "Are you there?", "I am.", "Me too"]);

      // A later stream of the same device goes on where this one ended.
      const position = his.position;
      await his.close();
      await hers.sendMessage(chat, "Good night").answer;
      const later = ben.stream({ transport, position });
      streams.push(later);
      assert.equal(text(await later.waitFor("message", patience)), "Good night");
      await later.close();

      // Push, to a person who is not there.
      await ben.putMeDevicesId("phone", { provider: "log", token: "bens-phone" });
      await hers.sendMessage(chat, "Sleep well").answer;
      const pushes = await server.outbox({ kind: "push", to: id(ben), count: 1, wait: 30_000 });
      assert.deepEqual(pushes.map((push) => push.to), [ben.userId]);

      // Block.
      await ben.postBlocks({ target_id: id(ada) });
      await hers.waitFor("unmatch", patience);
      await assert.rejects(
        hers.sendMessage(chat, "Hello?").answer,
        (error) => error instanceof MessageRefused && error.code === "chat.gone",
      );
      assert.deepEqual((await ada.getMatches()).items, []);
      assert.deepEqual((await ben.getBlocks()).items.map((block) => block.user_id), [ada.userId]);
      await assert.rejects(ada.person(id(ben)), (error) => error instanceof SparkProblem && error.status === 404);
    };
    try {
      await server.showingLog(story);
    } finally {
      await Promise.all(streams.map((stream) => stream.close()));
      await server.stop();
    }
  });
}

async function signUp(server: SparkServer, name: string, gender: models.Gender, interest: models.Gender): Promise<Spark> {
  const client = server.client();
  const grant = await client.postAuthRegister({
    email: `${name.toLowerCase()}@example.org`,
    password: "correct horse battery",
    name,
    birth_date: "1995-06-15",
    gender,
    interested_in: [interest],
  });
  assert.equal(grant.user.id, client.userId);
  await client.putMeLocation({ latitude: 48.85, longitude: 2.35 });
  await client.putMePreferences({ min_age: 18, max_age: 99, max_distance_km: 50 });
  return client;
}

function id(client: Spark): string {
  assert.ok(client.userId);
  return client.userId;
}

function text(frame: models.ServerMessageFrame): string {
  return frame.text;
}
