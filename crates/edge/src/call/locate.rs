//! Which endpoint a call names, and where in its body the target's model goes.
//!
//! Where the path names it, and no body of the operation repeats the name, nothing of the body is read. Else the body is
//! read whole, scanned once, and kept: what was read is what every attempt sends.

use std::sync::Arc;

use bytes::Bytes;
use dialect::{
    Call, Dialect, Framing, Named, Naming, Operation, Untold, Written,
    body::{Mention, Told},
};
use fault::Fault;
use forward::{Splice, SpliceForm};
use http::{HeaderMap, HeaderName, header};
use http_body::Body;
use names::EndpointName;
use store::PublishedEndpoint;

use super::replay::Replay;
use crate::{Edge, Problem, inbound::Inbound};

/// Names the endpoint where path and body have no place for it.
pub(super) const ENDPOINT: HeaderName = HeaderName::from_static("keyward-endpoint");

/// A call whose endpoint is known.
pub(super) struct Located<B> {
    pub(super) endpoint: Arc<PublishedEndpoint>,
    pub(super) body: Replay<B>,
    /// Where the target's model goes.
    pub(super) splices: Vec<Splice>,
}

/// Finds the endpoint, and settles what only the body says: framing and, on unified routes, the operation.
pub(super) async fn locate<B>(
    edge: &Edge,
    call: &mut Call,
    headers: &HeaderMap,
    body: Inbound<B>,
) -> Result<Located<B>, Problem>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    let named = named(call, headers)?.map(|name| find(edge, &name)).transpose()?;
    if matches!(call.operation.naming(), Naming::Nowhere) {
        let endpoint = named.ok_or_else(|| nowhere(call))?;
        return Ok(Located { endpoint, body: Replay::passing(body), splices: Vec::new() });
    }
    if let Some(endpoint) = &named {
        edge.overload.has_place(&endpoint.id)?;
    }
    let fate = body.fate();
    let whole = Replay::whole(edge, body).await;
    let whole = whole.map_err(|problem| fate.problem().unwrap_or(problem))?;
    let told = dialect::told(call.operation, content_type(headers), whole.kept())?;
    let Some((written, told)) = told else { return Err(nowhere(call)) };
    settle(call, &told)?;
    let endpoint = match named {
        Some(endpoint) => endpoint,
        None => find(edge, &by_body(call, &told)?)?,
    };
    let splices = splices(call, &endpoint, written, &told);
    Ok(Located { endpoint, body: whole, splices })
}

/// The name in the path or, if the path has none before the dialect, in the header.
fn named(call: &Call, headers: &HeaderMap) -> Result<Option<EndpointName>, Problem> {
    match &call.named {
        Named::Path(name) | Named::Prefix(name) => Ok(Some(name.clone())),
        Named::Body | Named::Header => {
            let mut values = headers.get_all(&ENDPOINT).iter();
            let (first, second) = (values.next(), values.next());
            if second.is_some() {
                return Err(Problem::new(
                    Fault::BadRequest,
                    "endpoint",
                    "`keyward-endpoint` stands twice: which endpoint is meant?",
                ));
            }
            let name = first.map(|value| value.to_str().ok().and_then(|name| EndpointName::parse(name).ok()));
            name.map(|name| name.ok_or_else(no_such_name)).transpose()
        }
    }
}

/// One look-up in memory.
fn find(edge: &Edge, name: &EndpointName) -> Result<Arc<PublishedEndpoint>, Problem> {
    edge.catalog
        .get(name.as_str())
        .ok_or_else(|| if edge.has_started() { Problem::no_endpoint(name) } else { Problem::loading() })
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// What the body says beyond the endpoint.
fn settle(call: &mut Call, told: &Told<'_>) -> Result<(), Problem> {
    if call.operation == Operation::Invocations {
        settle_invocation(call, told)?;
    }
    if call.framing == Framing::InBody {
        call.framing = if told.stream == Some(true) { Framing::Sse } else { Framing::Unary };
    }
    Ok(())
}

/// MLflow's `invocations`: the path names the endpoint, so the body may not; it is a chat or embeddings by what it holds.
fn settle_invocation(call: &mut Call, told: &Told<'_>) -> Result<(), Problem> {
    let refused = |said| Err(Problem::new(Fault::BadRequest, "invocation", said));
    if !told.models.is_empty() {
        return refused("`model` is not permitted here: the path names the endpoint");
    }
    (call.operation, call.framing) = match (told.messages, told.input) {
        (true, _) => (Operation::ChatCompletions, Framing::InBody),
        (false, true) => (Operation::Embeddings, Framing::Unary),
        (false, false) => return refused("the body must have `messages` (a chat) or `input` (embeddings)"),
    };
    call.path = Some(format!("/{}", call.operation.as_str()));
    Ok(())
}

/// The one name that all mentions agree on.
fn by_body(call: &Call, told: &Told<'_>) -> Result<EndpointName, Problem> {
    let mut mentions = told.models.iter().map(|mention| &mention.name);
    let first = mentions.next().filter(|name| !name.is_empty()).ok_or_else(|| nowhere(call))?;
    if mentions.any(|other| other != first) {
        let said = "the body names several endpoints as its `model`; all of them must be the same";
        return Err(Problem::new(Fault::BadRequest, "endpoint", said));
    }
    EndpointName::parse(first).map_err(|_| no_such_name())
}

fn no_such_name() -> Problem {
    Problem::new(Fault::NotFound, "endpoint", "there is no endpoint of that name: no endpoint can have it")
}

/// Which of the three ways would tell the endpoint.
fn nowhere(call: &Call) -> Problem {
    let dialect = call.dialect.as_str();
    let in_body = if call.named == Named::Body { "its name in the body's `model`, " } else { "" };
    let said = format!(
        "this call does not say which endpoint it is for; give {in_body}its name in the header `keyward-endpoint`, or the path \
         `/gateway/{{endpoint}}/{dialect}/…`"
    );
    Problem::new(Fault::BadRequest, "endpoint_untold", said)
}

/// Every place that names the endpoint. Where the path had the model, a body that names another one is the provider's to
/// judge; where the endpoint was told in front or by header, whatever the body names gives way to it.
fn splices(call: &Call, endpoint: &PublishedEndpoint, written: Written, told: &Told<'_>) -> Vec<Splice> {
    let form = match written {
        Written::Json => SpliceForm::Json,
        Written::Form => SpliceForm::Text,
    };
    let is_alias = |mention: &&Mention<'_>| {
        !matches!(call.named, Named::Path(_)) || mention.name == endpoint.name.as_str()
    };
    let place = |at: usize, length: usize, form| Splice { at: at as u64, length: length as u64, form };
    if told.models.is_empty() && written == Written::Json && needs_model(call) {
        let (at, others) = told.first_member;
        return vec![place(at, 0, SpliceForm::Member { last: !others })];
    }
    let mentions = told.models.iter().filter(is_alias);
    mentions.map(|mention| place(mention.at.start, mention.at.len(), form)).collect()
}

/// Whether the provider wants a model in the body although the client left it out: it named the endpoint otherwise.
fn needs_model(call: &Call) -> bool {
    call.dialect != Dialect::Gemini && call.operation != Operation::MessagesBatches
}

impl From<Untold> for Problem {
    fn from(untold: Untold) -> Self {
        Self::new(untold.fault(), "body", untold.to_string())
    }
}
