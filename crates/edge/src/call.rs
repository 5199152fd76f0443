//! The path of one call. [`answer`] is the whole of it; each verb is a room of its own below.

use std::sync::Arc;

use bytes::Bytes;
use dialect::{Call, Dialect, Framing, Naming};
use fault::Fault;
use forward::{Answer, Splice};
use http::{HeaderMap, Request, Response, request::Parts};
use http_body::Body;
use names::RequestId;

use crate::{
    Edge, Outgoing, Problem,
    accept::wire::Wire,
    inbound::{Fate, Inbound},
    problem::Face,
};

pub(crate) mod admit;
mod attempt;
mod hints;
mod locate;
mod plan;
mod record;
mod relay;
mod replay;
mod watch;

pub(crate) use relay::Relay;

use admit::Admission;
use locate::Located;
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
    let Arrival { mut call, request, request_id, .. } = arrival;
    match forwarded(edge, &mut call, request, &mut record).await {
        Ok(answer) => relay::relay(answer, record),
        Err(problem) => {
            record.failed(&problem);
            problem.render(Face::Dialect(call.dialect, call.framing), &request_id).map(Outgoing::full)
        }
    }
}

/// The provider's answer, or why there is none.
async fn forwarded<B>(
    edge: &Edge,
    call: &mut Call,
    request: Request<B>,
    record: &mut Record,
) -> Result<Answer, Problem>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    let (mut parts, body) = request.into_parts();
    record.takes(edge.overload.process()?);
    let admission = admit::admit(edge, &mut parts)?;
    record.admitted(&admission);
    if let Some(key) = admission.caller.key_id() {
        record.takes(edge.overload.key(key)?);
    }
    let body = take_in(edge, call, &parts, body)?;
    let fate = body.fate();
    let Located { endpoint, body, splices } = locate::locate(edge, call, &parts.headers, body).await?;
    record.settled(call);
    admission.may_call(&endpoint)?;
    record.takes(edge.overload.endpoint(&endpoint.id)?);
    let plan = plan::plan(edge, &endpoint, call)?;
    record.located(&endpoint);
    let attempts = Attempts { call, parts, admission, plan, splices, fate };
    attempt::first_that_answers(edge, attempts, body, record).await
}

/// Everything that attempts need but the body.
struct Attempts<'a> {
    call: &'a Call,
    parts: Parts,
    admission: Admission,
    plan: Plan,
    splices: Vec<Splice>,
    /// How the client's body goes.
    fate: Arc<Fate>,
}

/// The body with its limits; one that says that it is too large is refused before a byte is read (B36, B38).
fn take_in<B>(edge: &Edge, call: &Call, parts: &Parts, body: B) -> Result<Inbound<B>, Problem>
where
    B: Body<Data = Bytes>,
{
    let max = body_max(edge, call);
    if content_length(&parts.headers).or(body.size_hint().exact()).is_some_and(|length| length > max) {
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

/// Bodies that pass as they come may be files; the others are read whole or hold what a model can take.
fn body_max(edge: &Edge, call: &Call) -> u64 {
    let requests = &edge.config.requests;
    match (call.framing, call.operation.naming(), call.dialect) {
        (Framing::Open, Naming::Nowhere, _) => requests.resource_body_max,
        (_, _, Dialect::Gemini) => requests.gemini_body_max,
        (_, _, Dialect::OpenAi) => requests.openai_body_max,
        (_, _, Dialect::Anthropic) => requests.anthropic_body_max,
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
