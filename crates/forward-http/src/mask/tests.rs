//! Refusals that quote the key, whole, in part, and cut anywhere.

use std::{collections::BTreeMap, io::Write as _};

use http::StatusCode;
use http_body_util::BodyExt as _;
use names::{EndpointName, MappingId, ModelName, Provider, SecretId};

use super::*;

const KEY: &str = "sk-proj-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789";

fn target() -> Arc<Target> {
    Arc::new(Target {
        mapping: MappingId::from_random(1),
        endpoint: EndpointName::parse("e").unwrap(),
        provider: Provider::parse("p").unwrap(),
        model: ModelName::parse("m").unwrap(),
        secret: (SecretId::from_random(1), 1),
        settings: BTreeMap::new(),
        credential: forward::Credential {
            fields: BTreeMap::from([("api_key".to_owned(), KEY.into())]),
            allowed_hosts: Vec::new(),
        },
    })
}

fn needles() -> Needles {
    Needles::of(&target().credential, None)
}

async fn streamed(pieces: Vec<&[u8]>) -> Vec<u8> {
    let frames: Vec<Result<Frame<Bytes>, BodyError>> =
        pieces.into_iter().map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
    let body = Masked::new(StreamBody::new(stream::iter(frames)), needles());
    body.collect().await.unwrap().to_bytes().to_vec()
}

#[test]
fn a_granted_token_is_hidden_and_of_a_json_field_only_what_is_secret() {
    let account = r#"{"type": "service_account", "project_id": "my-project-1", "private_key": "-----BEGIN\nMIIEvQIBADANBgkq",
        "token_uri": "https://oauth2.googleapis.com/token", "client_email": "me@my-project-1.example"}"#;
    let fields = BTreeMap::from([("vertex_credentials".to_owned(), account.into())]);
    let credential = forward::Credential { fields, allowed_hosts: Vec::new() };
    let token = HeaderValue::from_static("Bearer ya29.Canary-token");
    let needles = Needles::of(&credential, Some(&token));
    let honest =
        "projects/my-project-1: type.googleapis.com/google.rpc.RetryInfo for me@my-project-1.example; Bearer";
    assert_eq!(needles.mask(honest.as_bytes()), None);
    for secret in ["ya29.Canary-token", "29.Canary", "MIIEvQIBADANBgkq"] {
        assert_eq!(needles.mask(secret.as_bytes()), Some(vec![b'*'; secret.len()]), "{secret}");
    }
}

#[test]
fn keys_and_their_fragments_become_stars() {
    for (quoted, shown) in [
        (KEY, "*".repeat(KEY.len())),
        ("sk-proj-", "********".to_owned()),
        ("AbCdEfGhIj", "**********".to_owned()),
        ("456789", "456789".to_owned()),
        ("sk-proj-A***6789", "*".repeat(16)),
        ("sk-**********789", "*".repeat(16)),
        ("sk-...789", "***...***".to_owned()),
        ("sk-\u{2026}789", "***\u{2026}***".to_owned()),
        ("nothing at all...", "nothing at all...".to_owned()),
        (
            "API key not valid. Please pass a valid API key.",
            "API key not valid. Please pass a valid API key.".to_owned(),
        ),
    ] {
        let text = format!("{{\"error\":{{\"message\":\"Incorrect key: {quoted}.\"}}}}");
        let expected = format!("{{\"error\":{{\"message\":\"Incorrect key: {shown}.\"}}}}");
        let masked = needles().mask(text.as_bytes()).unwrap_or(text.clone().into_bytes());
        assert_eq!(String::from_utf8(masked).unwrap(), expected);
    }
}

#[tokio::test]
async fn a_stream_is_masked_alike_wherever_it_is_cut() {
    let long = "x".repeat(200);
    let text = format!("{long} key {KEY} {long} part sk-proj-A****6789 {long}");
    let whole = needles().mask(text.as_bytes()).unwrap();
    assert!(!String::from_utf8_lossy(&whole).contains("AbCdEfGh"));
    for cut in 0..=text.len() {
        let (front, back) = text.as_bytes().split_at(cut);
        assert_eq!(streamed(vec![front, back]).await, whole, "cut at {cut}");
    }
    for size in [1, 3, 7, 50, 64] {
        assert_eq!(streamed(text.as_bytes().chunks(size).collect()).await, whole, "pieces of {size}");
    }
    assert_eq!(streamed(vec![b"nothing here"]).await, b"nothing here");
}

#[tokio::test]
async fn a_refusal_that_breaks_gives_what_it_has_and_breaks() {
    let frames = [Ok(Frame::data(Bytes::from_static(b"abc"))), Err(BodyError::Broken("x"))];
    let mut body = Masked::new(StreamBody::new(stream::iter(frames)), needles());
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "abc");
    assert_eq!(body.frame().await.unwrap().unwrap_err(), BodyError::Broken("x"));
    assert!(body.frame().await.is_none());
}

async fn refused(encoding: &str, body: Vec<u8>) -> (HeaderMap, Bytes) {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
    headers.insert("x-request-id", format!("for {KEY}").parse().unwrap());
    headers.insert("retry-after", "3".parse().unwrap());
    let answer = Answer { status: StatusCode::UNAUTHORIZED, headers, body: forward::empty() };
    let answer = refusal(answer, forward::full(body), &target(), None).await;
    assert!(!answer.headers.contains_key("x-request-id") && answer.headers.contains_key("retry-after"));
    (answer.headers, answer.body.collect().await.unwrap().to_bytes())
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn encoded_refusals_are_looked_into() {
    let innocent = gzip("API key not valid");
    let (headers, body) = refused("gzip", innocent.clone()).await;
    assert_eq!((headers[CONTENT_ENCODING].as_bytes(), &body[..]), (&b"gzip"[..], &innocent[..]));

    let (headers, body) = refused("GZIP", gzip(&format!("key {KEY}"))).await;
    assert!(!headers.contains_key(CONTENT_ENCODING));
    assert_eq!(body, format!("key {}", "*".repeat(KEY.len())));

    let bomb = gzip(&"0".repeat(2 * 1024 * 1024));
    assert!(bomb.len() < ENCODED_MAX);
    for (encoding, unreadable) in [
        ("br", b"x".to_vec()),
        ("gzip", b"not gzip".to_vec()),
        ("gzip", bomb),
        ("gzip", vec![0; ENCODED_MAX + 1]),
    ] {
        let (headers, body) = refused(encoding, unreadable).await;
        assert!(!headers.contains_key(CONTENT_ENCODING) && body.is_empty());
    }
}
