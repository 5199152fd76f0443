// Makes the calls listed on standard input with openai and @anthropic-ai/sdk; prints what came of each. In and out: as sdks.py.
//
// KEYWARD_NODE   the folder whose node_modules holds both
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(join(process.env.KEYWARD_NODE, "package.json"));
const OpenAI = require("openai").default;
const { toFile } = require("openai");
const Anthropic = require("@anthropic-ai/sdk").default;

const messages = [{ role: "user", content: "Grüezi \u{1f600}" }];

function result(seen, given) {
  seen.result = given;
  seen.request_id = given._request_id ?? null;
}

async function stream(seen, events) {
  for await (const event of events) seen.events.push(event);
}

async function models(client, { model }, seen) {
  seen.models = [];
  for await (const one of client.models.list()) seen.models.push(one.id);
  seen.models.sort();
  seen.model = (await client.models.retrieve(model)).id;
}

const kinds = {
  async "openai.chat"(client, { model }, seen) {
    result(seen, await client.chat.completions.create({ model, messages }));
  },
  async "openai.chat_stream"(client, { model }, seen) {
    await stream(seen, await client.chat.completions.create({ model, messages, stream: true }));
  },
  async "openai.responses"(client, { model }, seen) {
    result(seen, await client.responses.create({ model, input: "Hello" }));
  },
  async "openai.responses_stream"(client, { model }, seen) {
    await stream(seen, await client.responses.create({ model, input: "Hello", stream: true }));
  },
  /** Asks for base64, as the SDK does unless told otherwise, and gives numbers. */
  async "openai.embeddings"(client, { model }, seen) {
    result(seen, await client.embeddings.create({ model, input: "Hello" }));
  },
  async "openai.completions"(client, { model }, seen) {
    result(seen, await client.completions.create({ model, prompt: "Hello" }));
  },
  async "openai.completions_stream"(client, { model }, seen) {
    await stream(seen, await client.completions.create({ model, prompt: "Hello", stream: true }));
  },
  async "openai.transcription"(client, { model }, seen) {
    const bytes = Buffer.alloc(256 * 64, Uint8Array.from({ length: 256 }, (_, n) => n));
    const file = await toFile(bytes, "voice.wav", { type: "audio/wav" });
    result(seen, await client.audio.transcriptions.create({ model, file }));
  },
  "openai.models": models,
  async "anthropic.messages"(client, { model }, seen) {
    result(seen, await client.messages.create({ model, max_tokens: 64, messages }));
  },
  async "anthropic.messages_stream"(client, { model }, seen) {
    await stream(seen, await client.messages.create({ model, max_tokens: 64, messages, stream: true }));
  },
  async "anthropic.count_tokens"(client, { model }, seen) {
    result(seen, await client.messages.countTokens({ model, messages }));
  },
  "anthropic.models": models,
};

/** An error as a test wants it: its class and what it tells of the answer. */
function raised(error) {
  return {
    type: error.constructor.name,
    message: String(error.message).slice(0, 2000),
    status: error.status ?? null,
    code: error.code ?? null,
    body: error.error ?? null,
    request_id: error.requestID ?? null,
    retry_after: error.headers?.get?.("retry-after") ?? null,
  };
}

async function run(urls, wanted) {
  const sdk = wanted.kind.split(".")[0];
  const Client = sdk === "openai" ? OpenAI : Anthropic;
  const client = new Client({ apiKey: "dummy", baseURL: urls[wanted.at ?? sdk], maxRetries: wanted.retries ?? 0 });
  const seen = { events: [] };
  try {
    await kinds[wanted.kind](client, wanted, seen);
    return { outcome: "ok", ...seen };
  } catch (error) {
    return { outcome: "raised", ...raised(error), ...seen };
  }
}

const asked = JSON.parse(readFileSync(0, "utf8"));
const outcomes = [];
for (const wanted of asked.cases) outcomes.push(await run(asked.urls, wanted));
process.stdout.write(JSON.stringify(outcomes));
