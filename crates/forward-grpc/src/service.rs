//! The server's side: any forwarder behind gRPC, with health and reflection.

mod answer;
mod request;

use std::sync::Arc;

use forward::{Call, Forward, ForwardError};
use proto::forward::v1::{
    ForwardRequest, forward_request::Part, forward_server::Forward as ForwardService,
    forward_server::ForwardServer,
};
use tonic::{Request, Response, Status, Streaming, service::Routes};
use trust::Seldom;

use self::{answer::Messages, request::RequestBody};
use crate::{
    Admitted, MESSAGE_MAX,
    convert::{Malformed, head_from_wire},
    failure::of_call,
    trace::{Extract, Traced},
};

/// The services of a forwarder, to be added to [`crate::server`]. Each call runs in the span that `extract` makes of its
/// headers; the span lives as long as the answer's body.
pub async fn serve(forwarder: Arc<dyn Forward>, extract: Option<Extract>) -> Routes {
    serve_admitted(forwarder, extract, None).await
}

/// The same, for calls only of which an edge states that it let them in, where that is asked for.
pub async fn serve_admitted(
    forwarder: Arc<dyn Forward>,
    extract: Option<Extract>,
    admitted: Option<Admitted>,
) -> Routes {
    let service = ForwardServer::new(Service { forwarder, admitted, refused: Seldom::default() })
        .max_decoding_message_size(MESSAGE_MAX)
        .max_encoding_message_size(MESSAGE_MAX);
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<ForwardServer<Service>>().await;
    let routes = Routes::new(Traced { inner: service, extract }).add_service(health);
    match reflection() {
        Ok(reflection) => routes.add_service(reflection),
        Err(cause) => {
            // Only a build whose descriptors are broken comes here, and a forwarder without reflection still serves.
            tracing::error!(%cause, "no gRPC reflection");
            routes
        }
    }
    .prepare()
}

fn reflection() -> Result<
    tonic_reflection::server::v1::ServerReflectionServer<impl tonic_reflection::server::v1::ServerReflection>,
    tonic_reflection::server::Error,
> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name("keyward.forward.v1.Forward")
        .with_service_name("grpc.health.v1.Health")
        .build_v1()
}

/// `keyward.forward.v1.Forward` over a [`Forward`].
struct Service {
    forwarder: Arc<dyn Forward>,
    /// None: every call is taken.
    admitted: Option<Admitted>,
    /// Calls that no edge let in, and calls to targets that are not this forwarder's.
    refused: Seldom,
}

#[tonic::async_trait]
impl ForwardService for Service {
    type ForwardStream = Messages;

    async fn forward(
        &self,
        request: Request<Streaming<ForwardRequest>>,
    ) -> Result<Response<Messages>, Status> {
        let call = self.read(request.into_inner()).await?;
        let mapping = call.head.mapping.clone();
        let answer = self.forwarder.forward(call).await.map_err(|error| {
            if error == ForwardError::UnknownTarget
                && let Some(so_far) = self.refused.count()
            {
                // Deleted a moment ago, or another provider's: an edge that names those has lost its way, or is not one.
                tracing::warn!(%mapping, so_far, "a call was refused: its target is not held here");
            }
            of_call(&error)
        })?;
        Ok(Response::new(Messages::new(answer)))
    }
}

impl Service {
    /// The call, as soon as its head is there.
    async fn read(&self, mut messages: Streaming<ForwardRequest>) -> Result<Call, Status> {
        let first = messages.message().await?.and_then(|message| message.part);
        if let (Some(admitted), Some(Part::Head(head))) = (&self.admitted, &first) {
            admitted.check(head, &self.refused)?;
        }
        let head = match first {
            Some(Part::Head(head)) => head_from_wire(head),
            Some(_) | None => Err(Malformed("head")),
        };
        let head = head.map_err(|Malformed(field)| {
            tracing::error!(field, "a call's head cannot be read: the edge is of another version");
            of_call(&ForwardError::Internal)
        })?;
        let body = RequestBody::new(messages, head.content_length);
        Ok(Call { head, body: body.boxed() })
    }
}
