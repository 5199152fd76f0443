//! The client's side: a forwarder behind a channel.

mod answer;
mod upload;

use std::sync::Arc;

use forward::{Answer, Call, Forward, ForwardError};
use http::HeaderMap;
use proto::forward::v1::{ForwardResponse, forward_client::ForwardClient, forward_response::Part};
use tonic::{Request, Status, Streaming, transport::Channel};

use self::{
    answer::{AnswerBody, within},
    upload::{CancelOnDrop, Outgoing, Progress},
};
use crate::{
    Admitted, MESSAGE_MAX,
    convert::{Malformed, answer_from_wire},
    failure::to_call,
};

/// Writes trace context (`traceparent`, `tracestate`) into the headers of a call that is about to be made.
pub type Inject = Arc<dyn Fn(&mut HeaderMap) + Send + Sync>;

/// A forwarder on the far side of a channel. Cheap to clone: all clones share its connection.
#[derive(Clone)]
pub struct Remote {
    client: ForwardClient<Channel>,
    inject: Option<Inject>,
    admitted: Option<Admitted>,
}

impl Remote {
    /// The forwarder behind this channel, best one of [`crate::channel`]. `inject` is called in the task of every call
    /// that is made.
    pub fn new(channel: Channel, inject: Option<Inject>) -> Self {
        let client = ForwardClient::new(channel)
            .max_decoding_message_size(MESSAGE_MAX)
            .max_encoding_message_size(MESSAGE_MAX);
        Self { client, inject, admitted: None }
    }

    /// The same, which states of each call that it was let in.
    pub fn stating(self, admitted: Option<Admitted>) -> Self {
        Self { admitted, ..self }
    }

    fn request(&self, call: Call, progress: &Arc<Progress>) -> Request<Outgoing> {
        let mut request = Request::new(Outgoing::new(call, self.admitted.as_ref(), Arc::clone(progress)));
        if let Some(inject) = &self.inject {
            inject(request.metadata_mut().as_mut());
        }
        request
    }
}

#[async_trait::async_trait]
impl Forward for Remote {
    async fn forward(&self, call: Call) -> Result<Answer, ForwardError> {
        let limits = call.head.limits;
        let progress = Progress::begin();
        let cancel = CancelOnDrop(Arc::clone(&progress));
        let request = self.request(call, &progress);
        let answered = within(&limits, &progress, first_message(self.client.clone(), request)).await?;
        // Where the request's body failed, that is why, whatever came of it on the far side.
        let (messages, part) =
            answered.map_err(|status| progress.failure().unwrap_or_else(|| to_call(&status)))?;
        let Some(Part::Head(head)) = part else { return Err(unreadable(Malformed("head"))) };
        let (status, headers, length) = answer_from_wire(head).map_err(unreadable)?;
        let body = AnswerBody::new(messages, length, &limits, cancel);
        Ok(Answer { status, headers, body: forward::Body::new(body) })
    }
}

async fn first_message(
    mut client: ForwardClient<Channel>,
    request: Request<Outgoing>,
) -> Result<(Streaming<ForwardResponse>, Option<Part>), Status> {
    let mut messages = client.forward(request).await?.into_inner();
    let part = messages.message().await?.and_then(|message| message.part);
    Ok((messages, part))
}

fn unreadable(Malformed(field): Malformed) -> ForwardError {
    tracing::error!(field, "an answer's head cannot be read: the forwarder is of another version");
    ForwardError::Internal
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Remote").finish_non_exhaustive()
    }
}
