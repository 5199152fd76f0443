//! What stands before the bodies, both ways.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dialect::{Framing, Operation, Version};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::{
    Home, ask, call, exactly,
    fakes::{Says, answer},
    given, head, whole,
};
use crate::{Answer, Call, Head, Limits, Splice, SpliceForm};

/// Whatever the edge says of a call, its forwarder hears.
pub async fn the_whole_head_arrives(home: &dyn Home) {
    let mut headers = HeaderMap::new();
    headers.append("x-goog-api-client", HeaderValue::from_static("one"));
    headers.append("x-goog-api-client", HeaderValue::from_static("two"));
    headers.insert("user-agent", HeaderValue::from_bytes(b"caf\xc3\xa9 \xff\t!").unwrap());
    headers.insert("x-empty", HeaderValue::from_static(""));
    let second = Duration::from_secs(1);
    let rare = Head {
        attempt: u32::MAX,
        revision: u64::MAX,
        operation: Operation::GenerateContent,
        version: Version::V1Alpha,
        framing: Framing::Unary,
        method: Method::PUT,
        query: Some("a=%20b&&c=\"\u{20}".replace(' ', "+")),
        headers,
        path: Some("/files/a%20b:c".to_owned()),
        content_length: Some(0),
        splices: vec![
            Splice { at: 0, length: u64::MAX, form: SpliceForm::Json },
            Splice { at: u64::MAX, length: 0, form: SpliceForm::Member { last: true } },
        ],
        limits: Limits { connect: second, first_byte: 2 * second, idle: 3 * second, total: Some(4 * second) },
        ..head()
    };
    let plain = Head { query: None, framing: Framing::JsonArray, ..head() };
    for sent in [rare, plain, Head { query: Some(String::new()), ..head() }] {
        let says = Says::this(Ok(answer(crate::empty())));
        let forward = home.house(says.clone()).await;
        ask(&*forward, Call { head: sent.clone(), body: crate::empty() }).await.unwrap();
        let (mut sent, mut came) = (sent, says.asked());
        assert_eq!(std::mem::take(&mut came.headers), std::mem::take(&mut sent.headers));
        assert_eq!(format!("{came:?}"), format!("{sent:?}"));
    }
}

/// The caller knows status and headers while the body has yet to begin.
pub async fn status_and_headers_come_before_the_body(home: &dyn Home) {
    let (mut sender, body) = given();
    let mut headers = HeaderMap::new();
    headers.append("vary", HeaderValue::from_static("origin"));
    headers.append("vary", HeaderValue::from_static("referer"));
    headers.insert("content-type", HeaderValue::from_static("text/event-stream"));
    headers.insert("content-length", HeaderValue::from_static("5"));
    let says = Says::this(Ok(Answer { status: StatusCode::CREATED, headers: headers.clone(), body }));
    let forward = home.house(says).await;
    let mut came = ask(&*forward, call(crate::empty())).await.unwrap();
    assert_eq!((came.status, &came.headers), (StatusCode::CREATED, &headers));
    let sending = sender.send_data(Bytes::from_static(b"later"));
    let (sent, later) = tokio::join!(sending, exactly(&mut came.body, 5));
    sent.unwrap();
    assert_eq!(later, "later");
    drop(sender);
    assert!(whole(&mut came.body).await.is_empty());
}

/// A provider's refusal is an answer like any other, with its body.
pub async fn every_status_is_an_answer(home: &dyn Home) {
    for status in [200, 204, 299, 400, 401, 403, 404, 429, 499, 500, 503, 529, 599] {
        let status = StatusCode::from_u16(status).unwrap();
        let said = Answer { status, ..answer(crate::full(status.as_str().to_owned())) };
        let forward = home.house(Says::this(Ok(said))).await;
        let mut came = ask(&*forward, call(crate::empty())).await.unwrap();
        assert_eq!(came.status, status);
        assert_eq!(whole(&mut came.body).await, status.as_str());
    }
}

/// As many headers as HTTP servers usually take, 60 KiB together, both ways.
pub async fn large_headers_arrive(home: &dyn Home) {
    let mut headers = HeaderMap::new();
    for number in 0..110 {
        let name: HeaderName = format!("x-goog-number-{number}").parse().unwrap();
        headers.insert(name, "v".repeat(400).parse().unwrap());
    }
    headers.insert("x-goog-long", "l".repeat(16 * 1024).parse().unwrap());
    let says = Says::this(Ok(Answer { headers: headers.clone(), ..answer(crate::empty()) }));
    let forward = home.house(Arc::clone(&says) as _).await;
    let sent = Call { head: Head { headers: headers.clone(), ..head() }, body: crate::empty() };
    let came = ask(&*forward, sent).await.unwrap();
    assert_eq!(came.headers, headers);
    assert_eq!(says.asked().headers, headers);
}
