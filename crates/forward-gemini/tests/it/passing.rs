//! What passes, and what does not, both ways.

use std::io::Read as _;

use bytes::Bytes;
use forward::ForwardError;
use futures_util::stream as streams;
use http::{HeaderName, HeaderValue};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use provider_sim::{Body, Match, Protocol, Script, recording};

use crate::house::{FACES, Face, House, KEY, stream, unary, whole};

const ODD: &str = "{\"b\": 1e400, \"a\":9007199254740993, \"b\":\"\u{2028}\", \"unknown\": [ ]}\r\n";

#[tokio::test]
async fn a_request_arrives_with_one_credential_and_nothing_of_the_clients() {
    for face in FACES {
        let house = House::open(face).await;
        let mut call = stream(forward::full(ODD));
        call.head.query = Some("%24alt=sse&x=%zz+y&&alt=sse".to_owned());
        call.head.content_length = Some(ODD.len() as u64);
        for (name, value) in [
            ("x-goog-api-key", "client"),
            ("authorization", "Bearer client"),
            ("x-api-key", "client"),
            ("cookie", "session=client"),
            ("x-forwarded-for", "client"),
            ("host", "client"),
            ("x-goog-api-client", "google-genai-sdk/1.0"),
            ("user-agent", "python"),
            ("content-type", "application/json"),
            ("accept-encoding", "gzip, deflate"),
        ] {
            call.head.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        whole(house.ask(call).await.unwrap().body).await;
        let received = house.sim.wait_for_request(1).await.unwrap();
        assert_eq!(
            received.target,
            "/v1beta/models/gemini-2.5-flash:streamGenerateContent?%24alt=sse&x=%zz+y&&alt=sse"
        );
        assert_eq!(received.body, ODD);
        assert_eq!(received.header("x-goog-api-key"), Some(KEY));
        assert_eq!(received.header("x-goog-api-client"), Some("google-genai-sdk/1.0"));
        assert_eq!(received.header("accept-encoding"), Some("identity"), "frames are read on the side");
        assert!(
            !received.headers.iter().any(|(_, value)| value.contains("client") && !value.contains("sdk"))
        );
        assert_eq!(received.header("content-length"), Some(ODD.len().to_string().as_str()));
        let expected = if face == Face::Http2 { Protocol::Http2 } else { Protocol::Http1 };
        assert_eq!((received.protocol, received.tls), (expected, face == Face::Http2));
    }
}

#[tokio::test]
async fn a_streamed_answer_passes_byte_for_byte() {
    for face in FACES {
        let house = House::open(face).await;
        let answer = house.ask(stream(forward::full("{}"))).await.unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "text/event-stream");
        assert_eq!(answer.headers.get_all("vary").iter().count(), 3);
        for private in ["alt-svc", "server", "transfer-encoding", "connection"] {
            assert!(!answer.headers.contains_key(private), "{private}");
        }
        assert_eq!(whole(answer.body).await, recording("stream_usage_cumulative_2.5_flash").unwrap());
    }
}

#[tokio::test]
async fn every_refusal_is_the_providers_own() {
    for face in FACES {
        let house = House::open(face).await;
        for status in [400, 401, 403, 404, 408, 409, 413, 429, 499, 500, 502, 503, 504, 529] {
            let said = format!("{{\"error\": {{\"code\": {status}, \"unknown\": 1.0e0}}}}\r\n");
            let script = Script { body: Body::Text(said.clone()), ..Script::status(status) };
            let script = script.header("Retry-After", "17").header("X-Request-Id", "theirs");
            house.sim.script_once(Match::any(), script);
            let answer = house.ask(unary(forward::full("{}"))).await.unwrap();
            assert_eq!(answer.status, status);
            assert_eq!(
                (&answer.headers["retry-after"], &answer.headers["x-request-id"]),
                (&HeaderValue::from_static("17"), &HeaderValue::from_static("theirs"))
            );
            assert_eq!(whole(answer.body).await, said);
        }
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for face in FACES {
        let house = House::open(face).await;
        for (number, status) in [301, 302, 303, 307, 308].into_iter().enumerate() {
            let script = Script::status(status).header("Location", &format!("{}/elsewhere", house.base));
            house.sim.script_once(Match::any(), script);
            let error = house.ask(unary(forward::full("{}"))).await.unwrap_err();
            assert_eq!(error, ForwardError::Garbled("it redirects"));
            assert_eq!(house.sim.requests().len(), number + 1);
        }
    }
}

#[tokio::test]
async fn the_status_is_known_before_the_first_byte_and_each_event_as_it_comes() {
    for face in FACES {
        let house = House::open(face).await;
        house.sim.script(Match::any(), Script::default().gate_pieces("event"));
        let mut answer = house.ask(stream(forward::full("{}"))).await.unwrap();
        assert_eq!(answer.status, 200);
        house.sim.gate("event").pass(1);
        let first = answer.body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(first.starts_with(b"data: ") && first.ends_with(b"\r\n\r\n"));
        assert!(house.sim.requests()[0].ended.is_none(), "the stream goes on");
    }
}

#[tokio::test]
async fn a_packed_answer_stays_packed() {
    for face in FACES {
        let house = House::open(face).await;
        house.sim.script(Match::any(), Script::default().gzip());
        let mut call = unary(forward::full("{}"));
        call.head.headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
        let answer = house.ask(call).await.unwrap();
        assert_eq!(answer.headers["content-encoding"], "gzip");
        let packed = whole(answer.body).await;
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, recording("unary_vertex_logprobs_2.5_flash").unwrap());
        assert_eq!(house.sim.requests()[0].header("accept-encoding"), Some("gzip"));
    }
}

#[tokio::test]
async fn a_key_quoted_in_a_refusal_is_masked() {
    let stars = "*".repeat(KEY.len());
    for gzip in [false, true] {
        let house = House::open(Face::Http1).await;
        let said = |key: &str| format!("{{\"error\": \"API key {key} is not valid: \u{fc}\"}}");
        let script = Script { body: Body::Text(said(KEY)), gzip, ..Script::status(400) };
        house.sim.script(Match::any(), script.split(provider_sim::Split::Every(3)));
        let answer = house.ask(unary(forward::full("{}"))).await.unwrap();
        assert!(!answer.headers.contains_key("content-encoding"));
        assert_eq!(whole(answer.body).await, said(&stars));
    }
}

#[tokio::test]
async fn twenty_megabytes_go_up_as_they_come() {
    let piece = Bytes::from(vec![b'x'; 64 * 1024]);
    for face in FACES {
        let house = House::open(face).await;
        let pieces: Vec<_> = (0..320).map(|_| Ok(Frame::data(piece.clone()))).collect();
        let mut call = unary(StreamBody::new(streams::iter(pieces)).boxed_unsync());
        call.head.content_length = Some(320 * 64 * 1024);
        let answer = house.ask(call).await.unwrap();
        assert_eq!(answer.status, 200);
        whole(answer.body).await;
        let received = house.sim.wait_for_request(1).await.unwrap();
        assert_eq!(received.body.len(), 320 * 64 * 1024);
        assert!(received.body.iter().all(|byte| *byte == b'x'));
    }
}

#[tokio::test]
async fn a_refusal_may_come_before_the_body_was_sent() {
    for face in FACES {
        let house = House::open(face).await;
        let body = Body::Text("too large".to_owned());
        let script = Script { act: provider_sim::Act::AnswerEarly, body, ..Script::status(413) };
        house.sim.script(Match::any(), script);
        let never = StreamBody::new(streams::pending()).boxed_unsync();
        let answer = house.ask(unary(never)).await.unwrap();
        assert_eq!(answer.status, 413);
        assert_eq!(whole(answer.body).await, "too large");
        assert!(house.sim.wait_for_end(1).await.is_ok(), "the upload nobody stands behind ends too");
    }
}
