//! A provider that says in its refusal's body alone when to come again (Google's `RetryInfo`) says it in a header here,
//! where every SDK looks. The body passes as it came.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use forward::{Answer, Body, BodyError};
use futures_util::{StreamExt as _, stream};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_ENCODING, RETRY_AFTER},
};
use http_body::Frame;
use http_body_util::{BodyExt as _, BodyStream, StreamBody};

use crate::{Wire, mask};

/// A refusal is read up to this length, in bytes; providers' have a few hundred. A longer one passes unread.
const READ_MAX: usize = 64 << 10;

/// The refusal, with a `retry-after` if its body has one: whole seconds, rounded up.
pub(crate) async fn say_when(mut answer: Answer, wire: &impl Wire) -> Answer {
    if answer.status != StatusCode::TOO_MANY_REQUESTS || answer.headers.contains_key(RETRY_AFTER) {
        return answer;
    }
    let (read, body) = look_into(answer.body).await;
    answer.body = body;
    let encoding = answer.headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase());
    let plain = match encoding.as_deref() {
        None | Some(b"identity" | b"") => Some(read.to_vec()),
        Some(encoding) => mask::unpack(encoding, &read),
    };
    if let Some(after) = plain.and_then(|plain| wire.retry_after(&plain)) {
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        answer.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// What a body holds, as far as it is short, and the same body.
async fn look_into(mut body: Body) -> (Bytes, Body) {
    let (mut read, mut frames) = (BytesMut::new(), VecDeque::<Result<Frame<Bytes>, BodyError>>::new());
    while read.len() <= READ_MAX {
        let Some(frame) = body.frame().await else {
            return (read.freeze(), Body::new(StreamBody::new(stream::iter(frames))));
        };
        if let Ok(Some(data)) = frame.as_ref().map(Frame::data_ref) {
            read.extend_from_slice(data);
        }
        let broken = frame.is_err();
        frames.push_back(frame);
        if broken {
            return (Bytes::new(), Body::new(StreamBody::new(stream::iter(frames))));
        }
    }
    (Bytes::new(), Body::new(StreamBody::new(stream::iter(frames).chain(BodyStream::new(body)))))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use forward::{ForwardError, Head, Target};
    use http::HeaderMap;

    use super::*;
    use crate::{CheckedBase, Route};

    /// Reads a number of milliseconds.
    struct Milliseconds;

    impl Wire for Milliseconds {
        fn provider(&self) -> &'static str {
            "test"
        }
        fn default_base(&self) -> &'static str {
            "https://test.example"
        }
        fn default_hosts(&self) -> &'static [&'static str] {
            &[]
        }
        fn route(&self, _: &Target, _: &CheckedBase) -> Result<Route, ForwardError> {
            Err(ForwardError::Internal)
        }
        fn path(&self, _: &Head, _: &Target, _: &Route) -> Result<String, ForwardError> {
            Err(ForwardError::Internal)
        }
        fn retry_after(&self, refusal: &[u8]) -> Option<Duration> {
            std::str::from_utf8(refusal).ok()?.trim().parse().ok().map(Duration::from_millis)
        }
    }

    async fn said(status: u16, headers: HeaderMap, body: Body) -> (Option<String>, Result<Bytes, BodyError>) {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = say_when(Answer { status, headers, body }, &Milliseconds).await;
        let after = answer.headers.get(RETRY_AFTER).map(|value| value.to_str().unwrap().to_owned());
        (after, answer.body.collect().await.map(http_body_util::Collected::to_bytes))
    }

    #[tokio::test]
    async fn seconds_are_whole_and_rounded_up() {
        for (body, expected) in
            [("34400", Some("35")), ("34000", Some("34")), ("1", Some("1")), ("soon", None)]
        {
            let (after, came) = said(429, HeaderMap::new(), forward::full(body)).await;
            assert_eq!((after.as_deref(), came.unwrap()), (expected, Bytes::from(body)));
        }
    }

    #[tokio::test]
    async fn what_is_said_already_and_other_answers_are_left_alone() {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("7"))]);
        assert_eq!(said(429, headers, forward::full("1000")).await.0.as_deref(), Some("7"));
        assert_eq!(said(503, HeaderMap::new(), forward::full("1000")).await.0, None);
    }

    #[tokio::test]
    async fn encoded_and_long_and_broken_bodies_pass_as_they_came() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, b"1500").unwrap();
        let packed = Bytes::from(encoder.finish().unwrap());
        let headers = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static("gzip"))]);
        let (after, came) = said(429, headers, forward::full(packed.clone())).await;
        assert_eq!((after.as_deref(), came.unwrap()), (Some("2"), packed));

        let frames = (0..100).map(|_| Ok(Frame::data(Bytes::from(vec![b'1'; 1024]))));
        let (after, came) =
            said(429, HeaderMap::new(), Body::new(StreamBody::new(stream::iter(frames)))).await;
        assert_eq!((after, came.unwrap().len()), (None, 100 * 1024));

        let broken = [Ok(Frame::data(Bytes::from("1000"))), Err(BodyError::Broken("test"))];
        let (after, came) =
            said(429, HeaderMap::new(), Body::new(StreamBody::new(stream::iter(broken)))).await;
        assert_eq!((after, came), (None, Err(BodyError::Broken("test"))));
    }
}
