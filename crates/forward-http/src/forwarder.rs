//! One call to a provider, from target to answer.

use std::sync::Arc;

use bytes::Bytes;
use dialect::Framing;
use forward::{Answer, Call, Forward, ForwardError, Head, Limit, Limits, Target, Targets};
use http::{HeaderValue, Request, Response, StatusCode, Uri, uri::PathAndQuery};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::{
    Outbound, Wire,
    answer::{self, AnswerBody, Timer},
    headers,
    kept::{KEPT_MAX, keep},
    mask, patience,
    prepared::{Prepared, PreparedTargets},
    ready::Ready,
    reframe::reframed,
    splice::spliced,
    tokens::{Had, Keeper},
    upload::{Attempt, CancelOnDrop, Due, Outgoing, Progress},
};

/// Takes calls to one provider: the only implementation there is, for every [`Wire`].
pub struct HttpForwarder<W> {
    wire: W,
    targets: Arc<dyn Targets>,
    outbound: Arc<Outbound>,
    prepared: PreparedTargets,
}

impl<W: Wire> HttpForwarder<W> {
    /// A forwarder that speaks `wire`, knows `targets`, and leaves by `outbound`.
    pub fn new(wire: W, targets: Arc<dyn Targets>, outbound: Arc<Outbound>) -> Self {
        Self { wire, targets, outbound, prepared: PreparedTargets::default() }
    }

    /// Lets go of targets that are no longer known, with their keys and their idle connections. This also happens
    /// whenever a new target is used; call it when the pushed state has changed.
    pub fn forget_gone(&self) {
        self.prepared.forget_gone(&*self.targets);
    }

    /// The target of a call; waits for the pushed state to catch up with the edge where it is not known.
    async fn target(&self, head: &Head) -> Result<Arc<Target>, ForwardError> {
        if let Some(target) = self.targets.target(&head.mapping) {
            return Ok(target);
        }
        self.targets.reached(head.revision).await;
        self.targets.target(&head.mapping).ok_or(ForwardError::UnknownTarget)
    }

    fn prepare(&self, target: Arc<Target>) -> Result<Arc<Prepared>, ForwardError> {
        self.prepared.of(target, &self.wire, &self.outbound, &*self.targets)
    }

    /// One attempt with whatever the target's credential is; one more where a token was refused that had been kept, if
    /// the body can be sent again. Where it cannot, the next call has a new token.
    async fn attempt(&self, call: Ready, prepared: &Prepared) -> Result<Answer, ForwardError> {
        let Some(keeper) = &prepared.keeper else { return self.send(call, prepared, None).await };
        let begun = Instant::now();
        let token = token(keeper, &call.head.limits).await?;
        let (head, digest) = (call.head.clone(), call.digest);
        let max = if call.held.is_some() { usize::MAX } else { KEPT_MAX };
        let (body, kept) = keep(call.body, head.content_length, max);
        let first = Ready { head: after(call.head, begun)?, body, digest, held: call.held.clone() };
        let answer = self.send(first, prepared, Some(&token.token.header)).await?;
        if answer.status != StatusCode::UNAUTHORIZED || !token.before {
            return Ok(answer);
        }
        keeper.forget(&token.token);
        let Some(body) = kept.again() else { return Ok(answer) };
        drop(answer);
        let token = self::token(keeper, &head.limits).await?;
        let again = Ready { head: after(head, begun)?, body, digest, held: call.held };
        self.send(again, prepared, Some(&token.token.header)).await
    }

    /// Sends it, and waits for the answer's head.
    async fn send(
        &self,
        call: Ready,
        prepared: &Prepared,
        token: Option<&HeaderValue>,
    ) -> Result<Answer, ForwardError> {
        let limits = call.head.limits;
        let framing = call.head.framing;
        let (request_id, mapping) = (call.head.request_id.clone(), call.head.mapping.clone());
        let progress = Progress::begin(Some(Attempt { request_id, mapping }));
        let request = self.request(call, prepared, &progress, token)?;
        let cancel = CancelOnDrop(Arc::clone(&progress));
        let mut timer = timer(&progress, &limits)?;
        let mut response = prepared.pool.request(request);
        let response = answer::head(&mut response, &mut timer, &progress, &limits).await?;
        let body = |incoming| AnswerBody::new(incoming, timer, &limits, cancel);
        self.answer(response, prepared, framing, token, body).await
    }

    /// The provider's request: its own URL, allowed headers, the one credential, the body as it comes.
    fn request(
        &self,
        call: Ready,
        prepared: &Prepared,
        progress: &Arc<Progress>,
        token: Option<&HeaderValue>,
    ) -> Result<Request<Outgoing>, ForwardError> {
        let Ready { mut head, body, digest, held: _ } = call;
        let path = self.wire.path(&head, &prepared.target, &prepared.route)?;
        let streams = matches!(head.framing, Framing::Sse | Framing::JsonArray);
        let client = std::mem::take(&mut head.headers);
        let mut outgoing = headers::to_provider(client, self.wire.request_families(), streams);
        self.wire.complete(&head, &prepared.target, &mut outgoing);
        prepared.route.credential.put(&mut outgoing, token);
        let uri = uri(prepared, path)?;
        if let Some(key) = prepared.route.credential.signing_key() {
            let digest = digest.ok_or(ForwardError::Internal)?;
            let line = (&head.method, uri.path(), uri.query());
            let now = self.outbound.clock.since_epoch();
            key.sign(line, prepared.authority.as_str(), &mut outgoing, &digest, now)?;
        }
        let model = self.wire.model(&prepared.target);
        let (body, length) = spliced(body, head.content_length, &head.splices, model)?;
        let mut request = Request::new(Outgoing::new(body, length, Arc::clone(progress)));
        *request.method_mut() = head.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = outgoing;
        Ok(request)
    }

    async fn answer(
        &self,
        response: Response<Incoming>,
        prepared: &Prepared,
        framing: Framing,
        token: Option<&HeaderValue>,
        body: impl FnOnce(Incoming) -> AnswerBody,
    ) -> Result<Answer, ForwardError> {
        let (mut parts, incoming) = response.into_parts();
        if parts.status.is_informational() {
            return Err(ForwardError::Garbled("it switches protocols"));
        }
        if parts.status.is_redirection() {
            return Err(ForwardError::Garbled("it redirects"));
        }
        headers::from_provider(&mut parts.headers, self.wire.answer_families());
        let reframe = self.wire.reframe(framing, parts.status, &mut parts.headers)?;
        let answer = Answer { status: parts.status, headers: parts.headers, body: forward::empty() };
        let body = body(incoming);
        if answer.status.is_client_error() || answer.status.is_server_error() {
            let refusal = mask::refusal(answer, body, &prepared.target, token).await;
            return Ok(patience::say_when(refusal, &self.wire).await);
        }
        let body = match reframe {
            Some(reframe) => reframed(body, reframe),
            None => body.boxed_unsync(),
        };
        Ok(Answer { body, ..answer })
    }
}

fn uri(prepared: &Prepared, path: String) -> Result<Uri, ForwardError> {
    let path = PathAndQuery::from_maybe_shared(Bytes::from(path)).map_err(|_| ForwardError::Internal)?;
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(prepared.scheme.clone());
    parts.authority = Some(prepared.authority.clone());
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).map_err(|_| ForwardError::Internal)
}

/// A token that is good; waits for it no longer than the call itself has.
async fn token(keeper: &Arc<Keeper>, limits: &Limits) -> Result<Had, ForwardError> {
    match limits.total {
        None => keeper.token().await,
        Some(after) => tokio::time::timeout(after, keeper.token())
            .await
            .unwrap_or(Err(ForwardError::TimedOut { limit: Limit::Total, after })),
    }
}

/// The head of a call that has less time than it had: some went by since `begun`.
fn after(mut head: Head, begun: Instant) -> Result<Head, ForwardError> {
    if let Some(total) = head.limits.total {
        let left = total.checked_sub(begun.elapsed()).filter(|left| !left.is_zero());
        let out = ForwardError::TimedOut { limit: Limit::Total, after: total };
        head.limits.total = Some(left.ok_or(out)?);
    }
    Ok(head)
}

#[async_trait::async_trait]
impl<W: Wire> Forward for HttpForwarder<W> {
    async fn forward(&self, call: Call) -> Result<Answer, ForwardError> {
        let target = self.target(&call.head).await?;
        let prepared = self.prepare(target)?;
        let call = Ready::of(call, &prepared, &self.wire, &self.outbound.memory).await?;
        self.attempt(call, &prepared).await
    }
}

/// The call's timer, set to the first moment at which a limit can run out.
fn timer(progress: &Progress, limits: &forward::Limits) -> Result<Timer, ForwardError> {
    match progress.due(limits, Instant::now()) {
        Due::At(at) => Ok(Box::pin(tokio::time::sleep_until(at))),
        Due::Out(limit, after) => Err(ForwardError::TimedOut { limit, after }),
    }
}
