"""Makes the calls listed on standard input with openai and anthropic; prints what came of each.

In:  {"urls": {"openai": "http://…/v1", "anthropic": "http://…", "mlflow": "http://…/v1"},
      "cases": [{"kind": "openai.chat", "model": "an-endpoint", "at": "mlflow", …}, …]}
     `at` says which of the URLs; absent, it is the SDK's own. `retries` is how often the SDK may repeat it; absent, never.
Out: a JSON array, one object a case, in order: {"outcome": "ok", …} or {"outcome": "raised", "type", "status", …},
     "result" what the SDK returned, "events" what it gave of a stream, also before it raised.
"""
import json
import sys

import anthropic
import openai

MESSAGES = [{"role": "user", "content": "Grüezi \U0001f600"}]


def chat(client, case, seen):
    seen.result(client.chat.completions.create(model=case["model"], messages=MESSAGES))


def chat_stream(client, case, seen):
    seen.stream(client.chat.completions.create(model=case["model"], messages=MESSAGES, stream=True))


def responses(client, case, seen):
    seen.result(client.responses.create(model=case["model"], input="Hello"))


def responses_stream(client, case, seen):
    seen.stream(client.responses.create(model=case["model"], input="Hello", stream=True))


def embeddings(client, case, seen):
    """Asks for base64, as the SDK does unless told otherwise, and gives numbers."""
    seen.result(client.embeddings.create(model=case["model"], input="Hello"))


def completions(client, case, seen):
    seen.result(client.completions.create(model=case["model"], prompt="Hello"))


def completions_stream(client, case, seen):
    seen.stream(client.completions.create(model=case["model"], prompt="Hello", stream=True))


def transcription(client, case, seen):
    file = ("voice.wav", bytes(range(256)) * 64, "audio/wav")
    seen.result(client.audio.transcriptions.create(model=case["model"], file=file))


def models(client, case, seen):
    seen.more["models"] = sorted(model.id for model in client.models.list())
    seen.more["model"] = client.models.retrieve(case["model"]).id


def messages(client, case, seen):
    seen.result(client.messages.create(model=case["model"], max_tokens=64, messages=MESSAGES))


def messages_stream(client, case, seen):
    seen.stream(client.messages.create(model=case["model"], max_tokens=64, messages=MESSAGES, stream=True))


def count_tokens(client, case, seen):
    seen.result(client.messages.count_tokens(model=case["model"], messages=MESSAGES))


KINDS = {
    "openai.chat": chat,
    "openai.chat_stream": chat_stream,
    "openai.responses": responses,
    "openai.responses_stream": responses_stream,
    "openai.embeddings": embeddings,
    "openai.completions": completions,
    "openai.completions_stream": completions_stream,
    "openai.transcription": transcription,
    "openai.models": models,
    "anthropic.messages": messages,
    "anthropic.messages_stream": messages_stream,
    "anthropic.count_tokens": count_tokens,
    "anthropic.models": models,
}


class Seen:
    """What has arrived so far of one call."""

    def __init__(self):
        self.more = {"events": []}

    def result(self, result):
        self.more["result"] = result.model_dump(mode="json")
        self.more["request_id"] = getattr(result, "_request_id", None)

    def stream(self, stream):
        for event in stream:
            self.more["events"].append(event.model_dump(mode="json"))


def raised(error):
    """An exception as a test wants it: its class with its package, and what it tells of the answer."""
    kind = type(error)
    fields = {"type": kind.__name__, "module": kind.__module__.split(".")[0], "message": str(error)[:2000]}
    fields["status"] = getattr(error, "status_code", None)
    fields["code"] = getattr(error, "code", None)
    fields["body"] = getattr(error, "body", None)
    fields["request_id"] = getattr(error, "request_id", None)
    response = getattr(error, "response", None)
    fields["retry_after"] = response.headers.get("retry-after") if response is not None else None
    return fields


def client_of(urls, case):
    sdk = case["kind"].split(".")[0]
    kind = openai.OpenAI if sdk == "openai" else anthropic.Anthropic
    url = urls[case.get("at", sdk)]
    return kind(api_key="dummy", base_url=url, max_retries=case.get("retries", 0))


def run(urls, case):
    seen = Seen()
    try:
        with client_of(urls, case) as client:
            KINDS[case["kind"]](client, case, seen)
        outcome = {"outcome": "ok"}
    except Exception as error:  # whatever the SDK raises is what the test is about
        outcome = {"outcome": "raised", **raised(error)}
    return {**outcome, **seen.more}


def main():
    asked = json.load(sys.stdin)
    json.dump([run(asked["urls"], case) for case in asked["cases"]], sys.stdout, default=str)


main()
