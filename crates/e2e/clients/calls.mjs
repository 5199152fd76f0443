// Makes the calls listed on standard input with @google/genai; prints what came of each. In and out: as calls.py.
//
// KEYWARD_NODE   the folder whose node_modules holds @google/genai
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(join(process.env.KEYWARD_NODE, "package.json"));
const { GoogleGenAI, Type } = require("@google/genai");

const contents = "Hello";

/** Adds what one response holds to what was seen of the call. */
function add(seen, response) {
  seen.chunks += 1;
  for (const candidate of response.candidates ?? []) {
    if (candidate.finishReason) seen.finish_reason = candidate.finishReason;
    for (const part of candidate.content?.parts ?? []) {
      if (part.thoughtSignature) {
        (seen.signatures ??= []).push(Buffer.from(part.thoughtSignature, "base64").toString("hex"));
      }
      if (part.functionCall) (seen.function_calls ??= []).push(part.functionCall.name);
      if (part.text && part.thought) seen.thoughts = (seen.thoughts ?? "") + part.text;
      else if (part.text) seen.text += part.text;
    }
  }
  if (response.usageMetadata) seen.total_tokens = response.usageMetadata.totalTokenCount;
  if (response.promptFeedback?.blockReason) seen.block_reason = response.promptFeedback.blockReason;
}

const kinds = {
  async unary(ai, { model }, seen) {
    add(seen, await ai.models.generateContent({ model, contents }));
  },
  async stream(ai, { model }, seen) {
    for await (const chunk of await ai.models.generateContentStream({ model, contents })) add(seen, chunk);
  },
  async chat(ai, { model }, seen) {
    const conversation = ai.chats.create({ model });
    add(seen, await conversation.sendMessage({ message: "first" }));
    add(seen, await conversation.sendMessage({ message: "second" }));
    seen.history = conversation.getHistory().map((content) => content.role);
  },
  async tools(ai, { model }, seen) {
    const city = { name: "get_user_city", parameters: { type: Type.OBJECT, properties: { in: { type: Type.STRING } } } };
    const config = { tools: [{ functionDeclarations: [city] }] };
    const question = { role: "user", parts: [{ text: "Where do I live?" }] };
    const first = await ai.models.generateContent({ model, contents: [question], config });
    add(seen, first);
    const result = { functionResponse: { name: first.functionCalls[0].name, response: { city: "Zürich" } } };
    const answered = [question, first.candidates[0].content, { role: "user", parts: [result] }];
    add(seen, await ai.models.generateContent({ model, contents: answered, config }));
  },
  async structured(ai, { model }, seen) {
    const responseSchema = { type: Type.OBJECT, properties: { name: { type: Type.STRING }, minutes: { type: Type.INTEGER } } };
    const config = { responseMimeType: "application/json", responseSchema };
    const response = await ai.models.generateContent({ model, contents, config });
    add(seen, response);
    seen.parsed = JSON.parse(response.text);
  },
  async image(ai, { model, bytes }, seen) {
    const data = Buffer.alloc(bytes);
    for (let n = 0; n < bytes; n += 1) data[n] = ((n % 251) * 31) % 251;
    const inlineData = { data: data.toString("base64"), mimeType: "image/png" };
    add(seen, await ai.models.generateContent({ model, contents: [{ inlineData }, "What is this?"] }));
  },
  async models(ai, { model }, seen) {
    seen.models = [];
    for await (const one of await ai.models.list()) seen.models.push(one.name);
    seen.models.sort();
    seen.model = (await ai.models.get({ model })).name;
  },
  /** Stops after the first chunk by its abort signal: leaving the loop alone does not close the connection. */
  async leave_stream(ai, { model }, seen) {
    const abort = new AbortController();
    const config = { abortSignal: abort.signal };
    for await (const chunk of await ai.models.generateContentStream({ model, contents, config })) {
      add(seen, chunk);
      abort.abort();
      break;
    }
  },
};

/** An error as a test wants it: its class and the fields of ApiError. */
function raised(error) {
  const fields = { type: error.constructor.name, name: error.name, text_of_error: String(error).slice(0, 2000) };
  if (error.status !== undefined) fields.code = error.status;
  if (error.message !== undefined) fields.message = error.message;
  return fields;
}

async function run(ai, wanted) {
  const seen = { text: "", chunks: 0 };
  try {
    await kinds[wanted.kind](ai, wanted, seen);
    return { outcome: "ok", ...seen };
  } catch (error) {
    return { outcome: "raised", ...raised(error), ...seen };
  }
}

const asked = JSON.parse(readFileSync(0, "utf8"));
const httpOptions = { baseUrl: asked.base_url, headers: asked.headers ?? {} };
const ai = new GoogleGenAI({ apiKey: "dummy", httpOptions });
const outcomes = [];
for (const wanted of asked.cases) outcomes.push(await run(ai, wanted));
process.stdout.write(JSON.stringify(outcomes));
