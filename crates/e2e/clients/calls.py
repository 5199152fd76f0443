"""Makes the calls listed on standard input with google-genai; prints what came of each.

In:  {"base_url": "http://…/gateway/gemini", "cases": [{"kind": "unary", "model": "an-endpoint", …}, …]}
Out: a JSON array, one object a case, in order: {"outcome": "ok", …} or {"outcome": "raised", "type", "code", …}
     with what had arrived before in "text" and "chunks".
"""
import asyncio
import json
import sys

from google import genai
from google.genai import types

CONTENTS = "Hello"
WEATHER = types.FunctionDeclaration(
    name="get_user_city",
    description="Where the user lives",
    parameters=types.Schema(type="OBJECT", properties={"in": types.Schema(type="STRING")}),
)
NO_AUTOMATIC_CALLS = types.AutomaticFunctionCallingConfig(disable=True)


class Seen:
    """What has arrived so far of one call."""

    def __init__(self):
        self.text = ""
        self.chunks = 0
        self.more = {}

    def add(self, response):
        self.chunks += 1
        for candidate in response.candidates or []:
            if candidate.finish_reason is not None:
                self.more["finish_reason"] = candidate.finish_reason.value
            for part in (candidate.content and candidate.content.parts) or []:
                if part.thought_signature:
                    self.more.setdefault("signatures", []).append(part.thought_signature.hex())
                if part.function_call:
                    self.more.setdefault("function_calls", []).append(part.function_call.name)
                if part.text and part.thought:
                    self.more["thoughts"] = self.more.get("thoughts", "") + part.text
                elif part.text:
                    self.text += part.text
        if response.usage_metadata:
            self.more["total_tokens"] = response.usage_metadata.total_token_count
        if response.prompt_feedback and response.prompt_feedback.block_reason:
            self.more["block_reason"] = response.prompt_feedback.block_reason.value


def unary(client, case, seen):
    seen.add(client.models.generate_content(model=case["model"], contents=CONTENTS))


def stream(client, case, seen):
    for chunk in client.models.generate_content_stream(model=case["model"], contents=CONTENTS):
        seen.add(chunk)


async def async_unary(client, case, seen):
    seen.add(await client.aio.models.generate_content(model=case["model"], contents=CONTENTS))


async def async_stream(client, case, seen):
    async for chunk in await client.aio.models.generate_content_stream(
        model=case["model"], contents=CONTENTS
    ):
        seen.add(chunk)


def chat(client, case, seen):
    conversation = client.chats.create(model=case["model"])
    seen.add(conversation.send_message("first"))
    seen.add(conversation.send_message("second"))
    seen.more["history"] = [content.role for content in conversation.get_history()]


def chat_stream(client, case, seen):
    conversation = client.chats.create(model=case["model"])
    for chunk in conversation.send_message_stream("first"):
        seen.add(chunk)
    seen.more["history"] = [content.role for content in conversation.get_history()]


def tools(client, case, seen):
    """A call of a function, then its result; the thought's signature goes back with it, as the provider asks."""
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[WEATHER])],
        automatic_function_calling=NO_AUTOMATIC_CALLS,
    )
    question = types.Content(role="user", parts=[types.Part(text="Where do I live?")])
    first = client.models.generate_content(model=case["model"], contents=[question], config=config)
    seen.add(first)
    call = first.function_calls[0]
    result = types.Part.from_function_response(name=call.name, response={"city": "Zürich"})
    contents = [question, first.candidates[0].content, types.Content(role="user", parts=[result])]
    seen.add(client.models.generate_content(model=case["model"], contents=contents, config=config))


def structured(client, case, seen):
    from pydantic import BaseModel

    class Recipe(BaseModel):
        name: str
        minutes: int

    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Recipe)
    response = client.models.generate_content(model=case["model"], contents=CONTENTS, config=config)
    seen.add(response)
    assert isinstance(response.parsed, Recipe), response.parsed
    seen.more["parsed"] = response.parsed.model_dump()


def image(client, case, seen):
    """`bytes` bytes of a pattern that a test can make again: byte n is n * 31 mod 251."""
    pattern = bytes(n * 31 % 251 for n in range(251))
    size = case["bytes"]
    data = (pattern * (size // len(pattern) + 1))[:size]
    contents = [types.Part.from_bytes(data=data, mime_type="image/png"), "What is this?"]
    seen.add(client.models.generate_content(model=case["model"], contents=contents))


def models(client, case, seen):
    seen.more["models"] = sorted(model.name for model in client.models.list())
    seen.more["model"] = client.models.get(model=case["model"]).name


def leave_stream(client, case, seen):
    """Stops reading after the first chunk and closes the stream, as an application does whose user left."""
    chunks = client.models.generate_content_stream(model=case["model"], contents=CONTENTS)
    seen.add(next(iter(chunks)))
    chunks.close()


KINDS = {
    "unary": unary,
    "stream": stream,
    "async_unary": async_unary,
    "async_stream": async_stream,
    "chat": chat,
    "chat_stream": chat_stream,
    "tools": tools,
    "structured": structured,
    "image": image,
    "models": models,
    "leave_stream": leave_stream,
}


def raised(error):
    """An exception as a test wants it: its class with its module, and the fields of google.genai.errors.APIError."""
    kind = type(error)
    fields = {"type": kind.__name__, "module": kind.__module__, "text_of_error": str(error)[:2000]}
    for name in ("code", "status", "message", "details"):
        if hasattr(error, name):
            fields[name] = getattr(error, name)
    return fields


def run(client, case):
    seen = Seen()
    try:
        done = KINDS[case["kind"]](client, case, seen)
        if asyncio.iscoroutine(done):
            asyncio.run(done)
        outcome = {"outcome": "ok"}
    except Exception as error:  # whatever the SDK raises is what the test is about
        outcome = {"outcome": "raised", **raised(error)}
    return {**outcome, "text": seen.text, "chunks": seen.chunks, **seen.more}


def main():
    asked = json.load(sys.stdin)
    options = {"base_url": asked["base_url"]}
    if "headers" in asked:
        options["headers"] = asked["headers"]
    shared = genai.Client(api_key="dummy", http_options=options)
    outcomes = []
    for case in asked["cases"]:
        # An async client belongs to its event loop, and each case has one of its own.
        is_async = case["kind"].startswith("async")
        client = genai.Client(api_key="dummy", http_options=options) if is_async else shared
        outcomes.append(run(client, case))
    json.dump(outcomes, sys.stdout, default=str)


main()
