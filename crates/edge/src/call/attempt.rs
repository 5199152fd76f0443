//! Hands a call to one target after another until one answers.

use std::sync::Arc;

use bytes::Bytes;
use fault::Fault;
use forward::{Answer, Call, ForwardError, Head, Limits};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body::Body;
use names::RequestId;
use store::PublishedTarget;
use tokio_util::sync::CancellationToken;

use super::{Attempts, content_length, hints, locate::ENDPOINT, plan::Plan, record::Record, replay::Replay};
use crate::{
    Edge, Problem,
    health::{News, Sign},
    inbound::Fate,
};

/// On answers: which of the endpoint's targets gave it, and at which attempt.
pub(super) const TARGET: HeaderName = HeaderName::from_static("keyward-target");
pub(super) const ATTEMPT: HeaderName = HeaderName::from_static("keyward-attempt");
/// On answers of endpoints with fallbacks, where the body was too large to be kept for a second attempt.
pub(super) const SINGLE: HeaderName = HeaderName::from_static("keyward-single-attempt");

/// Tries the plan's targets in order, each only while nothing was said to the client: the answer of the first that answers,
/// or of the last.
pub(super) async fn first_that_answers<B>(
    edge: &Edge,
    mut attempts: Attempts<'_>,
    body: Replay<B>,
    record: &mut Record,
) -> Result<Answer, Problem>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    let fate = Arc::clone(&attempts.fate);
    let prepared = body.prepare(edge, &attempts.plan).await;
    let body = prepared.map_err(|_| blame(&fate, record, ForwardError::RequestBroken))?;
    let mut heads = Heads::new(edge, &mut attempts, body.length(), record);
    let plan = &heads.attempts.plan;
    let single = plan.len() > 1 && !body.repeats();
    let mut replay = Some(body);
    let mut targets = plan.targets().peekable();
    let mut attempt = 0;
    while let (Some(target), Some(kept)) = (targets.next(), replay.take()) {
        attempt += 1;
        let (body, rest) = kept.take();
        let last = rest.is_none() || targets.peek().is_none();
        record.trying(&plan.endpoint, target, attempt);
        let call = Call { head: heads.next(target, attempt, last), body };
        let came = send(edge, target, call, record).await;
        note(edge, target, &came, record);
        let settled = last || !asks_for_another(&came, record) || !may_retry(edge, plan, &came);
        match came {
            Ok(mut answer) if settled => {
                say_which(&mut answer.headers, target, attempt, single);
                return Ok(answer);
            }
            Err(error) if settled => return Err(blame(&fate, record, error)),
            Ok(_) => edge.metrics.fell_back("refused"),
            Err(error) => edge.metrics.fell_back(error.kind()),
        }
        replay = rest;
    }
    Err(Problem::new(Fault::Internal, "internal", "internal error").because("a plan without a target"))
}

/// One attempt, given up when the process ends.
async fn send(
    edge: &Edge,
    target: &PublishedTarget,
    call: Call,
    record: &Record,
) -> Result<Answer, ForwardError> {
    let forwarder = edge.forwarders.get(&target.provider).ok_or(ForwardError::Internal)?;
    let answer = forwarder.forward.forward(call);
    match record.ending() {
        None => answer.await,
        Some(ending) => tokio::select! {
            biased;
            answer = answer => answer,
            () = ending.cancelled() => Err(ForwardError::ForwarderUnavailable),
        },
    }
}

/// What came of an attempt says how its target is; a provider that refuses our key is the operator's to mend.
fn note(edge: &Edge, target: &PublishedTarget, came: &Result<Answer, ForwardError>, record: &Record) {
    if is_ending(record) {
        return;
    }
    let sign = match Sign::of(came) {
        // A file of somebody else's is refused like a bad key.
        Sign::KeyRefused if record.operation().is_pinned() => Sign::Nothing,
        sign => sign,
    };
    if sign == Sign::KeyRefused {
        edge.metrics.refused("provider_key", "provider");
    }
    let said = match edge.health.note(target, sign, || edge.draw()) {
        News::None => return,
        News::KeyRefused => {
            "the provider refuses the secret of this target; it rests until the secret is changed"
        }
        News::Rests => "this target failed again and again; it rests",
    };
    tracing::warn!(
        request_id = record.request_id().as_str(),
        endpoint = record.endpoint().map(|endpoint| endpoint.name.as_str()),
        target = target.mapping.as_str(),
        provider = target.provider.as_str(),
        status = came.as_ref().ok().map(|answer| answer.status.as_u16()),
        "{said}"
    );
}

/// Whether another target may do better.
fn asks_for_another(came: &Result<Answer, ForwardError>, record: &Record) -> bool {
    match came {
        Ok(answer) => may_be_better_elsewhere(answer.status),
        Err(error) => !is_ending(record) && error.certainly_not_acted(),
    }
}

/// Whether the endpoint's budget allows one more attempt. Failures in which nothing left for a provider cost nothing.
fn may_retry(edge: &Edge, plan: &Plan, came: &Result<Answer, ForwardError>) -> bool {
    let stayed_here = matches!(
        came,
        Err(ForwardError::UnknownTarget | ForwardError::Misconfigured(_) | ForwardError::DestinationBlocked)
    );
    let may = stayed_here || edge.overload.may_retry(&plan.endpoint.id, &edge.config.retries);
    if !may {
        edge.metrics.retries_withheld.inc();
    }
    may
}

fn is_ending(record: &Record) -> bool {
    record.ending().is_some_and(CancellationToken::is_cancelled)
}

/// Whose fault it is that there is no answer: the client's body, the end of the process, or what the forwarder says.
fn blame(fate: &Fate, record: &Record, error: ForwardError) -> Problem {
    if let Some(problem) = fate.problem() {
        return problem;
    }
    if is_ending(record) {
        return Problem::new(Fault::Unavailable, "draining", "the gateway is shutting down; try again")
            .closing();
    }
    // What only an admin can mend is as wrong a moment later.
    let is_final = matches!(error, ForwardError::Misconfigured(_));
    let problem = Problem::from(error);
    if is_final { problem.finally() } else { problem }
}

/// What a provider says of itself or of our key, not of the request: another one may say something else. It did not do
/// what was asked, so asking elsewhere does it once.
fn may_be_better_elsewhere(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 401 | 402 | 403 | 408 | 429)
}

fn say_which(headers: &mut HeaderMap, target: &PublishedTarget, attempt: u32, single: bool) {
    if let Ok(target) = HeaderValue::from_str(target.mapping.as_str()) {
        headers.insert(TARGET, target);
    }
    headers.insert(ATTEMPT, HeaderValue::from(attempt));
    if single {
        headers.insert(SINGLE, HeaderValue::from_static("body-not-kept"));
    }
}

/// Makes the head of every attempt; headers and query are moved out by the last one.
struct Heads<'a> {
    attempts: &'a Attempts<'a>,
    headers: HeaderMap,
    query: Option<String>,
    limits: Limits,
    content_length: Option<u64>,
    request_id: RequestId,
}

impl<'a> Heads<'a> {
    /// `length` is the body's, where it was read whole.
    fn new(edge: &Edge, attempts: &'a mut Attempts<'_>, length: Option<u64>, record: &Record) -> Self {
        let mut headers = std::mem::take(&mut attempts.parts.headers);
        let limits = hints::limits(&edge.config.limits, attempts.call.framing, &headers);
        let content_length = length.or_else(|| content_length(&headers));
        headers.remove(header::HOST);
        headers.remove(ENDPOINT);
        record.inject(&mut headers);
        let query = attempts.admission.query.take();
        Self { attempts, headers, query, limits, content_length, request_id: record.request_id().clone() }
    }

    fn next(&mut self, target: &PublishedTarget, attempt: u32, last: bool) -> Head {
        let (headers, query) = if last {
            (std::mem::take(&mut self.headers), self.query.take())
        } else {
            (self.headers.clone(), self.query.clone())
        };
        let Attempts { call, parts, plan, splices, .. } = self.attempts;
        Head {
            request_id: self.request_id.clone(),
            endpoint: plan.endpoint.name.clone(),
            mapping: target.mapping.clone(),
            revision: plan.revision,
            attempt,
            operation: call.operation,
            version: call.version,
            path: call.path.clone(),
            framing: call.framing,
            method: parts.method.clone(),
            query,
            headers,
            content_length: self.content_length,
            splices: splices.clone(),
            limits: self.limits,
        }
    }
}
