//! Bytes pass untouched, both ways, however they are cut.

use bytes::Bytes;

use crate::{
    client::{ARRAY, Client, SSE, UNARY, as_array, post, recording},
    rig::{End, Reply, Rig},
};

/// Every cut of `whole` into two frames arrives as `whole`, over one connection.
async fn every_cut_arrives(path: &str, content_type: &str, whole: &[u8]) {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    let whole = Bytes::copy_from_slice(whole);
    for cut in 0..=whole.len() {
        rig.replies(Reply::frames(content_type, [whole.slice(..cut), whole.slice(cut..)], End::Clean));
        let reply = client.ask(&post(path, "", b"{}")).await;
        assert!(reply.complete && reply.body == whole, "{path} cut at {cut}");
    }
}

#[tokio::test]
async fn recorded_events_cut_at_every_byte() {
    for name in ["stream_usage_cumulative_2.5_flash.sse", "stream_after_function_response_3_pro.sse"] {
        every_cut_arrives(SSE, "text/event-stream", &recording(name)).await;
    }
}

#[tokio::test]
async fn a_recorded_array_cut_at_every_byte() {
    let array = as_array(&recording("stream_usage_cumulative_2.5_flash.sse"));
    every_cut_arrives(ARRAY, "application/json; charset=UTF-8", &array).await;
}

#[tokio::test]
async fn recorded_unary_answers_cut_at_every_byte() {
    for name in ["unary_parallel_function_calls_3_flash.json", "unary_safety_empty_content_1.5_flash.json"] {
        every_cut_arrives(UNARY, "application/json; charset=UTF-8", &recording(name)).await;
    }
}

#[tokio::test]
async fn long_recordings_byte_by_byte() {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    for name in [
        "stream_thought_summaries_2.5_pro.sse",
        "stream_code_execution_3_flash.sse",
        "stream_function_call_thought_signature_3_pro.sse",
    ] {
        let whole = recording(name);
        let bytes = whole.iter().map(|byte| Bytes::copy_from_slice(&[*byte]));
        rig.replies(Reply::frames("text/event-stream", bytes, End::Clean));
        let reply = client.ask(&post(SSE, "", b"{}")).await;
        assert!(reply.complete && reply.body == whole, "{name}");
    }
}

#[tokio::test]
async fn request_bodies_arrive_as_they_were_sent() {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    let bodies: [&[u8]; 9] = [
        br#"{"contents":[],"unknownField":{"x":[1,2,{"y":null}]},"generationConfig":{"seed":9223372036854775807}}"#,
        br#"{"a":1,"a":2,"contents":[],"contents":[{}]}"#,
        "{\"text\":\"a\u{2028}b\u{2029}c\",\"z\":1,\"a\":2}".as_bytes(),
        b"{ \"n\" : 1.0e+2 , \"m\":-0,\"big\":123456789012345678901234567890 }\r\n",
        br#"{"lone":"\ud800","esc":"\u006dodel\/"}"#,
        b"\xef\xbb\xbf{}",
        b"not json at all \xff\xfe",
        b"",
        b"[\"array\"]",
    ];
    for body in bodies {
        assert_eq!(client.ask(&post(UNARY, "", body)).await.status, 200);
        assert_eq!(rig.seen().pop().unwrap().body.as_deref(), Ok(body));
        for size in [1, 7] {
            let mut request =
                format!("POST {UNARY} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n")
                    .into_bytes();
            for chunk in body.chunks(size) {
                request.extend(
                    format!("{:x}\r\n", chunk.len()).bytes().chain(chunk.iter().copied()).chain(*b"\r\n"),
                );
            }
            request.extend(b"0\r\n\r\n");
            assert_eq!(client.ask(&request).await.status, 200);
            assert_eq!(rig.seen().pop().unwrap().body.as_deref(), Ok(body), "in chunks of {size}");
        }
    }
}
