//! Heads of calls and answers, to and from their messages; nothing lost on the way.

use std::time::Duration;

use bytes::Bytes;
use dialect::{Framing, Operation, Version};
use forward::{Head, Limits, Splice, SpliceForm};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use names::{EndpointName, MappingId, RequestId};
use proto::forward::v1;

/// A message that does not mean anything: the field. Never its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Writes the head of a call.
pub(crate) fn head_to_wire(head: Head) -> v1::CallHead {
    v1::CallHead {
        request_id: head.request_id.into(),
        endpoint: head.endpoint.into(),
        mapping: head.mapping.into(),
        revision: head.revision,
        attempt: head.attempt,
        operation: head.operation.as_str().to_owned(),
        version: head.version.as_str().to_owned(),
        framing: framing_to_wire(head.framing).into(),
        method: head.method.as_str().to_owned(),
        query: head.query,
        headers: headers_to_wire(&head.headers),
        content_length: head.content_length,
        limits: Some(limits_to_wire(head.limits)),
        admission: Bytes::new(),
        path: head.path,
        splices: head.splices.into_iter().map(splice_to_wire).collect(),
    }
}

/// Reads the head of a call.
pub(crate) fn head_from_wire(message: v1::CallHead) -> Result<Head, Malformed> {
    Ok(Head {
        request_id: RequestId::parse(&message.request_id).map_err(|_| Malformed("request_id"))?,
        endpoint: EndpointName::parse(&message.endpoint).map_err(|_| Malformed("endpoint"))?,
        mapping: MappingId::parse(&message.mapping).map_err(|_| Malformed("mapping"))?,
        revision: message.revision,
        attempt: message.attempt,
        operation: Operation::parse(&message.operation).ok_or(Malformed("operation"))?,
        version: Version::parse(&message.version).ok_or(Malformed("version"))?,
        path: message.path,
        framing: framing_from_wire(message.framing).ok_or(Malformed("framing"))?,
        method: Method::from_bytes(message.method.as_bytes()).map_err(|_| Malformed("method"))?,
        query: message.query,
        headers: headers_from_wire(message.headers)?,
        content_length: message.content_length,
        splices: message.splices.into_iter().map(splice_from_wire).collect::<Result<_, _>>()?,
        limits: limits_from_wire(message.limits.ok_or(Malformed("limits"))?),
    })
}

/// Writes the head of an answer.
pub(crate) fn answer_to_wire(
    status: StatusCode,
    headers: &HeaderMap,
    content_length: Option<u64>,
) -> v1::AnswerHead {
    v1::AnswerHead { status: status.as_u16().into(), headers: headers_to_wire(headers), content_length }
}

/// Reads the head of an answer.
pub(crate) fn answer_from_wire(
    message: v1::AnswerHead,
) -> Result<(StatusCode, HeaderMap, Option<u64>), Malformed> {
    let status = u16::try_from(message.status).map_err(|_| Malformed("status"))?;
    let status = StatusCode::from_u16(status).map_err(|_| Malformed("status"))?;
    Ok((status, headers_from_wire(message.headers)?, message.content_length))
}

fn headers_to_wire(headers: &HeaderMap) -> Vec<v1::Header> {
    headers
        .iter()
        .map(|(name, value)| v1::Header {
            name: name.as_str().to_owned(),
            value: Bytes::copy_from_slice(value.as_bytes()),
        })
        .collect()
}

fn headers_from_wire(fields: Vec<v1::Header>) -> Result<HeaderMap, Malformed> {
    let mut headers = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| Malformed("headers.name"))?;
        let value = HeaderValue::from_maybe_shared(field.value).map_err(|_| Malformed("headers.value"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn framing_to_wire(framing: Framing) -> v1::Framing {
    match framing {
        Framing::Unary => v1::Framing::Unary,
        Framing::Sse => v1::Framing::Sse,
        Framing::JsonArray => v1::Framing::JsonArray,
        Framing::Open => v1::Framing::Open,
        // The edge has read the body by now; a forwarder refuses it.
        Framing::InBody => v1::Framing::Unspecified,
    }
}

fn framing_from_wire(framing: i32) -> Option<Framing> {
    match v1::Framing::try_from(framing).ok()? {
        v1::Framing::Unspecified => None,
        v1::Framing::Unary => Some(Framing::Unary),
        v1::Framing::Sse => Some(Framing::Sse),
        v1::Framing::JsonArray => Some(Framing::JsonArray),
        v1::Framing::Open => Some(Framing::Open),
    }
}

fn splice_to_wire(splice: Splice) -> v1::Splice {
    let form = match splice.form {
        SpliceForm::Json => v1::SpliceForm::Json,
        SpliceForm::Text => v1::SpliceForm::Text,
        SpliceForm::Member { last: false } => v1::SpliceForm::Member,
        SpliceForm::Member { last: true } => v1::SpliceForm::LastMember,
    };
    v1::Splice { at: splice.at, length: splice.length, form: form.into() }
}

fn splice_from_wire(splice: v1::Splice) -> Result<Splice, Malformed> {
    let form = match v1::SpliceForm::try_from(splice.form) {
        Ok(v1::SpliceForm::Json) => SpliceForm::Json,
        Ok(v1::SpliceForm::Text) => SpliceForm::Text,
        Ok(v1::SpliceForm::Member) => SpliceForm::Member { last: false },
        Ok(v1::SpliceForm::LastMember) => SpliceForm::Member { last: true },
        Ok(v1::SpliceForm::Unspecified) | Err(_) => return Err(Malformed("splices.form")),
    };
    Ok(Splice { at: splice.at, length: splice.length, form })
}

fn limits_to_wire(limits: Limits) -> v1::Limits {
    let ms = |limit: Duration| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    v1::Limits {
        connect_ms: ms(limits.connect),
        first_byte_ms: ms(limits.first_byte),
        idle_ms: ms(limits.idle),
        total_ms: limits.total.map(ms),
    }
}

fn limits_from_wire(limits: v1::Limits) -> Limits {
    Limits {
        connect: Duration::from_millis(limits.connect_ms),
        first_byte: Duration::from_millis(limits.first_byte_ms),
        idle: Duration::from_millis(limits.idle_ms),
        total: limits.total_ms.map(Duration::from_millis),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full_head() -> Head {
        let mut headers = HeaderMap::new();
        headers.append("x-goog-api-client", HeaderValue::from_static("genai/1"));
        headers.append("accept", HeaderValue::from_static("a"));
        headers.append("accept", HeaderValue::from_static("b"));
        headers.append("x-odd", HeaderValue::from_bytes(&[0xe4, b' ', 0xff]).unwrap());
        Head {
            request_id: RequestId::from_random(7),
            endpoint: EndpointName::parse("chat").unwrap(),
            mapping: MappingId::from_random(9),
            revision: u64::MAX,
            attempt: 3,
            operation: Operation::StreamGenerateContent,
            version: Version::V1Alpha,
            path: Some("/files/a%20b".to_owned()),
            framing: Framing::JsonArray,
            method: Method::POST,
            query: Some("a=%20&b".to_owned()),
            headers,
            content_length: Some(0),
            splices: vec![
                Splice { at: 1, length: 2, form: SpliceForm::Json },
                Splice { at: u64::MAX, length: u64::MAX, form: SpliceForm::Text },
                Splice { at: 0, length: 0, form: SpliceForm::Member { last: true } },
                Splice { at: 0, length: 0, form: SpliceForm::Member { last: false } },
            ],
            limits: Limits {
                connect: Duration::from_millis(1),
                first_byte: Duration::from_millis(2),
                idle: Duration::from_millis(3),
                total: Some(Duration::from_millis(4)),
            },
        }
    }

    /// `Head` has no equality of its own; its `Debug` shows every field.
    fn shown(head: &Head) -> String {
        format!("{head:?}")
    }

    #[test]
    fn every_field_of_a_head_comes_back() {
        let full = full_head();
        assert_eq!(shown(&head_from_wire(head_to_wire(full.clone())).unwrap()), shown(&full));
        let mut bare = Head {
            query: None,
            path: None,
            splices: Vec::new(),
            content_length: None,
            headers: HeaderMap::new(),
            ..full
        };
        bare.limits.total = None;
        for framing in Framing::SETTLED {
            bare.framing = framing;
            for operation in Operation::ALL {
                bare.operation = operation;
                assert_eq!(shown(&head_from_wire(head_to_wire(bare.clone())).unwrap()), shown(&bare));
            }
        }
    }

    #[test]
    fn values_of_one_header_keep_their_order() {
        let full = full_head();
        let back = head_from_wire(head_to_wire(full.clone())).unwrap();
        assert_eq!(back.headers, full.headers);
        let accept: Vec<_> = back.headers.get_all("accept").iter().collect();
        assert_eq!(accept, ["a", "b"]);
    }

    #[test]
    fn every_field_of_an_answers_head_comes_back() {
        let headers = full_head().headers;
        for (status, length) in [(StatusCode::OK, None), (StatusCode::IM_A_TEAPOT, Some(0))] {
            let back = answer_from_wire(answer_to_wire(status, &headers, length)).unwrap();
            assert_eq!(back, (status, headers.clone(), length));
        }
        for status in [0, 99, 1000, 70_000] {
            let message = v1::AnswerHead { status, ..v1::AnswerHead::default() };
            assert_eq!(answer_from_wire(message), Err(Malformed("status")), "{status}");
        }
    }

    #[test]
    fn a_head_that_means_nothing_is_refused_by_the_fields_name() {
        type Spoil = fn(&mut v1::CallHead);
        let cases: [(&str, Spoil); 11] = [
            ("request_id", |head| head.request_id.clear()),
            ("endpoint", |head| head.endpoint = "a/b\n".into()),
            ("mapping", |head| head.mapping = "m-1".into()),
            ("operation", |head| head.operation = "embed".into()),
            ("version", |head| head.version = "v9".into()),
            ("framing", |head| head.framing = 0),
            ("method", |head| head.method = "P T".into()),
            ("headers.name", |head| head.headers[0].name = "a b".into()),
            ("headers.value", |head| head.headers[0].value = "a\r\nb: c".into()),
            ("splices.form", |head| head.splices[0].form = 0),
            ("limits", |head| head.limits = None),
        ];
        for (field, spoil) in cases {
            let mut message = head_to_wire(full_head());
            spoil(&mut message);
            assert_eq!(head_from_wire(message).unwrap_err(), Malformed(field));
        }
    }
}
