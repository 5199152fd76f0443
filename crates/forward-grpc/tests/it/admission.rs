//! Calls of which an edge states that it let them in, and others.

use std::sync::Arc;

use forward::{Answer, Call, Forward, ForwardError};
use forward_grpc::{Admitted, Remote, channel, serve_admitted};
use http::{HeaderMap, StatusCode};
use names::Provider;
use trust::{ADMISSION_AGE_MAX, Admission, AdmissionKeys};

use crate::{homes::listening, wire::call};

/// Answers every call.
struct Answers;

#[async_trait::async_trait]
impl Forward for Answers {
    async fn forward(&self, _: Call) -> Result<Answer, ForwardError> {
        Ok(Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: forward::full("x") })
    }
}

fn at(keys: &AdmissionKeys, provider: &str, now_ms: fn() -> i64) -> Admitted {
    let keys = keys.of(&Provider::parse(provider).unwrap());
    Admitted { admission: Arc::new(Admission::new(&keys)), now_ms }
}

#[tokio::test]
async fn a_call_that_no_edge_let_in_reaches_nothing() {
    let keys = AdmissionKeys::generate().unwrap();
    let forwarder = at(&keys, "gemini", || 1_000_000);
    let routes = serve_admitted(Arc::new(Answers), None, Some(forwarder)).await;
    let (endpoint, _serving) = listening(routes).await;
    let remote = Remote::new(channel(endpoint), None);
    let late = || 1_000_001 + i64::try_from(ADMISSION_AGE_MAX.as_millis()).unwrap();
    for (stated, taken) in [
        (Some(at(&keys, "gemini", || 1_000_500)), true),
        (None, false),
        (Some(at(&keys, "openai", || 1_000_500)), false),
        (Some(at(&AdmissionKeys::generate().unwrap(), "gemini", || 1_000_500)), false),
        (Some(at(&keys, "gemini", late)), false),
    ] {
        let answer = remote.clone().stating(stated).forward(call(forward::full("x"))).await;
        match answer {
            Ok(answer) => assert!(taken && answer.status == StatusCode::OK),
            Err(error) => assert!(!taken && error == ForwardError::ForwarderUnavailable, "{error:?}"),
        }
    }
}
