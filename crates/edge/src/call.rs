//! The path of one call. [`answer`] is the whole of it; each verb is a room of its own below.

use std::sync::Arc;

use bytes::Bytes;
use dialect::{Call, Named};
use fault::Fault;
use forward::Answer;
use http::{Request, Response, request::Parts};
use http_body::Body;
use names::RequestId;
use store::PublishedEndpoint;

use crate::{Edge, Outgoing, Problem, accept::wire::Wire, inbound::Inbound, problem::Face};

pub(crate) mod admit;
mod attempt;
mod hints;
mod plan;
mod record;
mod relay;
mod replay;
mod watch;

pub(crate) use relay::Relay;

use admit::Admission;
use plan::Plan;
use record::Record;

/// A call as it arrived: what it asks, and what came with it.
pub(crate) struct Arrival<B> {
    pub(crate) call: Call,
    pub(crate) request: Request<B>,
    pub(crate) request_id: RequestId,
    /// The connection; none in tests that have no socket.
    pub(crate) wire: Option<Arc<Wire>>,
}

/// One call, from request to answer.
pub(crate) async fn answer<B>(edge: &Arc<Edge>, arrival: Arrival<B>) -> Response<Outgoing>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    let mut record = Record::begin(edge, &arrival);
    let (call, id) = (arrival.call.clone(), arrival.request_id.clone());
    match forwarded(edge, arrival, &mut record).await {
        Ok(answer) => relay::relay(answer, record),
        Err(problem) => {
            record.failed(&problem);
            problem.render(Face::Dialect(call.dialect, call.framing), &id).map(Outgoing::full)
        }
    }
}

/// The provider's answer, or why there is none.
async fn forwarded<B>(edge: &Edge, arrival: Arrival<B>, record: &mut Record) -> Result<Answer, Problem>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    let (mut parts, body) = arrival.request.into_parts();
    let admission = admit::admit(edge, &mut parts)?;
    record.admitted(&admission);
    let endpoint = locate(edge, &arrival.call)?;
    admission.may_call(&endpoint)?;
    let plan = plan::plan(edge, &endpoint, arrival.call.dialect)?;
    let body = take_in(edge, &parts, body)?;
    record.located(&endpoint);
    attempt::first_that_answers(edge, Attempts { call: arrival.call, parts, admission, plan }, body, record)
        .await
}

/// Everything that attempts need but the body.
struct Attempts {
    call: Call,
    parts: Parts,
    admission: Admission,
    plan: Plan,
}

/// The endpoint that the call names: one look-up in memory.
fn locate(edge: &Edge, call: &Call) -> Result<Arc<PublishedEndpoint>, Problem> {
    match &call.named {
        Named::Path(name) => edge
            .catalog
            .get(name.as_str())
            .ok_or_else(|| if edge.has_started() { Problem::no_endpoint(name) } else { Problem::loading() }),
        Named::Body => Err(Problem::new(
            Fault::Unsupported,
            "named_in_body",
            "endpoints named in the body are not served here yet",
        )),
    }
}

/// The body with its limits; one that says that it is too large is refused before a byte is read (B36, B38).
fn take_in<B>(edge: &Edge, parts: &Parts, body: B) -> Result<Inbound<B>, Problem>
where
    B: Body<Data = Bytes>,
{
    let max = edge.config.requests.gemini_body_max;
    if content_length(parts).or(body.size_hint().exact()).is_some_and(|length| length > max) {
        let said = format!("the request's body is larger than {max} bytes");
        return Err(Problem::new(Fault::TooLarge, "body_too_large", said).closing());
    }
    let coding = parts.headers.get(http::header::CONTENT_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let said = "a request's body may not have a `content-encoding`";
        return Err(Problem::new(Fault::UnsupportedMedia, "content_encoding", said).closing());
    }
    Ok(Inbound::new(body, max, &edge.config.requests))
}

fn content_length(parts: &Parts) -> Option<u64> {
    parts.headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
