//! What holds for Gemini's streams holds for every dialect's: one table, the same promises.

use bytes::Bytes;
use dialect::{Framing, Operation};
use tokio::time::timeout;

use crate::{
    client::{BOUND, Client, post, recording_of},
    rig::{End, Reply, Rig},
};

/// A call that streams, and the recorded answer to it.
struct Spoken {
    path: &'static str,
    request: &'static str,
    operation: Operation,
    provider: &'static str,
    recording: &'static str,
    /// What an event holds that ends the stream.
    mark: &'static str,
    /// How an error frame of the gateway's begins.
    error: &'static str,
}

const SPOKEN: [Spoken; 4] = [
    Spoken {
        path: "/gateway/openai/v1/chat/completions",
        request: r#"{"model":"gpt","stream":true}"#,
        operation: Operation::ChatCompletions,
        provider: "openai",
        recording: "stream_tool_call_gpt-4o-mini.sse",
        mark: r#""finish_reason":"tool_calls""#,
        error: r#"data: {"error":{"#,
    },
    Spoken {
        path: "/gateway/openai/v1/responses",
        request: r#"{"stream" : true , "model" : "gpt"}"#,
        operation: Operation::Responses,
        provider: "openai",
        recording: "responses_stream.sse",
        mark: "response.completed",
        error: r#"data: {"error":{"#,
    },
    Spoken {
        path: "/gateway/anthropic/v1/messages",
        request: r#"{"model":"claude","max_tokens":1,"stream":true}"#,
        operation: Operation::Messages,
        provider: "anthropic",
        recording: "stream_tool_use.sse",
        mark: r#""message_stop""#,
        error: "event: error\ndata: {\"type\":\"error\",\"error\":{",
    },
    Spoken {
        path: "/gateway/claude/anthropic/v1/messages",
        request: r#"{"model":"anything","stream":true}"#,
        operation: Operation::Messages,
        provider: "anthropic",
        recording: "stream_redacted_thinking.sse",
        mark: r#""message_stop""#,
        error: "event: error\ndata: {\"type\":\"error\",\"error\":{",
    },
];

impl Spoken {
    /// The recording; whoever took it may have trimmed its last line end.
    fn whole(&self) -> Bytes {
        let mut whole = recording_of(self.provider, self.recording);
        while !whole.ends_with(b"\n\n") {
            whole.push(b'\n');
        }
        whole.into()
    }

    fn call(&self) -> Vec<u8> {
        post(self.path, "", self.request.as_bytes())
    }

    /// Whether an answer that ends there is complete, and whether an event has just ended: by its text alone.
    fn at(&self, whole: &[u8], end: usize) -> (bool, bool) {
        let text = std::str::from_utf8(&whole[..end]).unwrap_or_default();
        let boundary = text.is_empty() || text.ends_with("\n\n");
        let marked = text.rsplit_once("\n\n").is_some_and(|(events, _)| {
            events
                .split("\n\n")
                .any(|event| event.lines().any(|line| line.starts_with("data:") && line.contains(self.mark)))
        });
        (boundary && marked, boundary)
    }
}

#[tokio::test]
async fn streams_pass_byte_for_byte_at_every_cut() {
    for spoken in SPOKEN {
        let (rig, whole) = (Rig::new().await, spoken.whole());
        let mut client = Client::connect(rig.address).await;
        for cut in 0..=whole.len() {
            let frames = [whole.slice(..cut), whole.slice(cut..)];
            rig.replies(Reply::frames("text/event-stream", frames, End::Clean));
            let reply = client.ask(&spoken.call()).await;
            assert!(reply.complete && reply.body == whole, "{} cut at {cut}", spoken.recording);
        }
        let head = rig.seen().pop().unwrap().head;
        assert_eq!((head.operation, head.framing), (spoken.operation, Framing::Sse));
        assert_eq!(head.limits.total, None);
    }
}

#[tokio::test]
async fn what_ends_early_never_ends_cleanly_and_says_so_where_it_can() {
    for spoken in SPOKEN {
        let (rig, whole) = (Rig::new().await, spoken.whole());
        for end in 0..=whole.len() {
            rig.replies(Reply::frames("text/event-stream", [whole.slice(..end)], End::Clean));
            let mut client = Client::connect(rig.address).await;
            let reply = client.ask(&spoken.call()).await;
            let (complete, boundary) = spoken.at(&whole, end);
            assert_eq!(reply.complete, complete, "{} ended at {end}", spoken.recording);
            let said = reply.body.strip_prefix(&whole[..end]).unwrap();
            assert_eq!(said.starts_with(spoken.error.as_bytes()), boundary && !complete, "{end}");
            assert_eq!(said.is_empty(), complete || !boundary, "{end}");
        }
    }
}

#[tokio::test]
async fn unary_answers_pass_byte_for_byte_and_break_without_a_word() {
    for (path, request, provider, name) in [
        ("/gateway/openai/v1/chat/completions", r#"{"model":"gpt"}"#, "openai", "unary_tool_call.json"),
        (
            "/gateway/anthropic/v1/messages",
            r#"{"model":"claude"}"#,
            "anthropic",
            "unary_parallel_tool_use.json",
        ),
    ] {
        let (rig, whole) = (Rig::new().await, Bytes::from(recording_of(provider, name)));
        let mut client = Client::connect(rig.address).await;
        let call = post(path, "", request.as_bytes());
        for cut in 0..=whole.len() {
            let frames = [whole.slice(..cut), whole.slice(cut..)];
            rig.replies(Reply::frames("application/json", frames, End::Clean));
            let reply = client.ask(&call).await;
            assert!(reply.complete && reply.body == whole, "{name} cut at {cut}");
        }
        let head = rig.seen().pop().unwrap().head;
        assert_eq!(head.framing, Framing::Unary);
        assert!(head.limits.total.is_some());
        for end in (0..whole.len()).step_by(17) {
            let broken = End::With(forward::BodyError::Broken("test"));
            rig.replies(Reply::frames("application/json", [whole.slice(..end)], broken));
            let mut client = Client::connect(rig.address).await;
            let reply = client.ask(&call).await;
            assert!(!reply.complete && reply.body == whole.slice(..end), "{end}");
        }
    }
}

#[tokio::test]
async fn when_the_client_goes_the_call_goes() {
    for spoken in SPOKEN {
        let rig = Rig::new().await;
        let dropped = || async {
            let permit = timeout(BOUND, rig.forwarder.dropped.acquire()).await;
            permit.expect("the call is dropped").unwrap().forget();
        };
        rig.replies(Reply::Hangs);
        let mut client = Client::connect(rig.address).await;
        client.send(&spoken.call()).await;
        timeout(BOUND, rig.forwarder.reached.acquire()).await.expect("the call arrives").unwrap().forget();
        drop(client);
        dropped().await;

        let first = spoken.whole().slice(..spoken.whole().len() / 3);
        let tail = String::from_utf8_lossy(&first[first.len() - 20..]).into_owned();
        rig.replies(Reply::frames("text/event-stream", [first], End::Open));
        let mut client = Client::connect(rig.address).await;
        client.send(&spoken.call()).await;
        client.until(&tail).await;
        drop(client);
        dropped().await;
    }
}

#[tokio::test]
async fn bodies_without_a_framing_of_their_own_pass_as_they_are() {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    let audio = Bytes::from((0..=255).collect::<Vec<u8>>());
    rig.replies(Reply::frames("audio/mpeg", [audio.slice(..100), audio.slice(100..)], End::Clean));
    for (path, fields) in [
        ("/gateway/openai/v1/audio/speech", ""),
        ("/gateway/openai/v1/files/file-1/content", "keyward-endpoint: gpt\r\n"),
        ("/gateway/proxy/gpt/v1/anything", ""),
    ] {
        let call = post(path, fields, br#"{"model":"gpt"}"#);
        let reply = client.ask(&call).await;
        assert!(reply.complete && reply.body == audio, "{path}: {}", reply.text());
        let head = rig.seen().pop().unwrap().head;
        assert_eq!((head.framing, head.limits.total), (Framing::Open, None), "{path}");
    }
    rig.replies(Reply::frames(
        "audio/mpeg",
        [audio.slice(..9)],
        End::With(forward::BodyError::Broken("test")),
    ));
    let reply = client.ask(&post("/gateway/proxy/gpt/x", "", b"")).await;
    assert!(!reply.complete && reply.body == audio.slice(..9));
}
