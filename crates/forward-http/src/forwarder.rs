//! One call to a provider, from target to answer.

use std::sync::Arc;

use bytes::Bytes;
use dialect::Framing;
use forward::{Answer, Call, Forward, ForwardError, Head, Target, Targets};
use http::{Request, Response, Uri, uri::PathAndQuery};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::{
    Outbound, Wire,
    answer::{self, AnswerBody, Timer},
    headers, mask, patience,
    prepared::{Prepared, PreparedTargets},
    splice::spliced,
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
        let Outbound { way, pools, .. } = &*self.outbound;
        self.prepared.of(target, &self.wire, &way.policy, pools, &*self.targets)
    }

    /// The provider's request: its own URL, allowed headers, the one credential, the body as it comes.
    fn request(
        &self,
        call: Call,
        prepared: &Prepared,
        progress: &Arc<Progress>,
    ) -> Result<Request<Outgoing>, ForwardError> {
        let Call { mut head, body } = call;
        let path = self.wire.path(&head, &prepared.target, &prepared.route)?;
        let streams = matches!(head.framing, Framing::Sse | Framing::JsonArray);
        let client = std::mem::take(&mut head.headers);
        let mut outgoing = headers::to_provider(client, self.wire.request_families(), streams);
        self.wire.complete(&head, &prepared.target, &mut outgoing);
        prepared.route.credential.put(&mut outgoing);

        let model = self.wire.model(&prepared.target);
        let (body, length) = spliced(body, head.content_length, &head.splices, model)?;
        let mut request = Request::new(Outgoing::new(body, length, Arc::clone(progress)));
        *request.method_mut() = head.method;
        *request.uri_mut() = uri(prepared, path)?;
        *request.headers_mut() = outgoing;
        Ok(request)
    }

    async fn answer(
        &self,
        response: Response<Incoming>,
        prepared: &Prepared,
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
        let answer = Answer { status: parts.status, headers: parts.headers, body: forward::empty() };
        let body = body(incoming);
        if answer.status.is_client_error() || answer.status.is_server_error() {
            let refusal = mask::refusal(answer, body, &prepared.target).await;
            Ok(patience::say_when(refusal, &self.wire).await)
        } else {
            Ok(Answer { body: body.boxed_unsync(), ..answer })
        }
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

#[async_trait::async_trait]
impl<W: Wire> Forward for HttpForwarder<W> {
    async fn forward(&self, call: Call) -> Result<Answer, ForwardError> {
        let limits = call.head.limits;
        let target = self.target(&call.head).await?;
        let prepared = self.prepare(target)?;
        let (request_id, mapping) = (call.head.request_id.clone(), call.head.mapping.clone());
        let progress = Progress::begin(Some(Attempt { request_id, mapping }));
        let request = self.request(call, &prepared, &progress)?;
        let cancel = CancelOnDrop(Arc::clone(&progress));
        let mut timer = timer(&progress, &limits)?;
        let mut response = prepared.pool.request(request);
        let response = answer::head(&mut response, &mut timer, &progress, &limits).await?;
        self.answer(response, &prepared, |incoming| AnswerBody::new(incoming, timer, &limits, cancel)).await
    }
}

/// The call's timer, set to the first moment at which a limit can run out.
fn timer(progress: &Progress, limits: &forward::Limits) -> Result<Timer, ForwardError> {
    match progress.due(limits, Instant::now()) {
        Due::At(at) => Ok(Box::pin(tokio::time::sleep_until(at))),
        Due::Out(limit, after) => Err(ForwardError::TimedOut { limit, after }),
    }
}
