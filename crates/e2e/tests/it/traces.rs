//! What leaves for a collector and for Prometheus: one trace through every process, under the names of the GenAI
//! conventions, and nothing that is secret.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use e2e::{House, PATIENCE, Plan, Shape};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value},
    resource::v1::Resource,
};
use parking_lot::Mutex;
use provider_sim::{Match, Script};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

use crate::{KEY, published, recorded};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// The client's own span.
const CLIENT: &str = "00f067aa0ba902b7";
/// A trace of its own for the change.
const CHANGE: &str = "0af7651916cd43dd8448eb211c80319c";
const PROMPT: &str = "canary prompt that no collector may read";

/// One span, as far as these tests look at it.
#[derive(Debug, Clone)]
struct Span {
    process: String,
    name: String,
    trace: String,
    id: String,
    parent: String,
    attributes: BTreeMap<String, Value>,
}

/// A collector of traces: it keeps what it gets.
struct Collector {
    address: SocketAddr,
    kept: Arc<Kept>,
    _serving: JoinSet<()>,
}

#[derive(Default)]
struct Kept {
    spans: Mutex<Vec<Span>>,
    /// Every export, as it can be printed.
    texts: Mutex<Vec<String>>,
    grown: watch::Sender<()>,
}

impl Collector {
    async fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn on(listener: TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let kept = Arc::new(Kept::default());
        let service = TraceServiceServer::new(Shared(Arc::clone(&kept)));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let server = tonic::transport::Server::builder().add_service(service);
            server.serve_with_incoming(TcpIncoming::from(listener)).await.unwrap();
        });
        Self { address, kept, _serving: serving }
    }

    /// The lines that send a process's traces here.
    fn config(&self) -> String {
        format!("[telemetry.otlp]\nendpoint = \"http://{}\"", self.address)
    }

    /// Waits until a trace has a span of each of these processes and names; the trace's spans.
    async fn trace(&self, trace: &str, wanted: &[(&str, &str)]) -> Vec<Span> {
        let mut grown = self.kept.grown.subscribe();
        let of_trace = || -> Vec<Span> {
            self.kept.spans.lock().iter().filter(|span| span.trace == trace).cloned().collect()
        };
        let whole = async {
            loop {
                grown.mark_unchanged();
                let spans = of_trace();
                if wanted.iter().all(|(process, name)| find(&spans, process, name).is_some()) {
                    return spans;
                }
                grown.changed().await.unwrap();
            }
        };
        let came = tokio::time::timeout(PATIENCE, whole).await;
        came.unwrap_or_else(|_| panic!("of {wanted:?} only {:?}", of_trace()))
    }
}

fn find<'a>(spans: &'a [Span], process: &str, name: &str) -> Option<&'a Span> {
    spans.iter().find(|span| span.process == process && span.name == name)
}

struct Shared(Arc<Kept>);

#[tonic::async_trait]
impl TraceService for Shared {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let request = request.into_inner();
        self.0.texts.lock().push(format!("{request:?}"));
        for exported in request.resource_spans {
            let process = process(exported.resource.as_ref());
            for span in exported.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                self.0.spans.lock().push(Span {
                    process: process.clone(),
                    name: span.name,
                    trace: hex::encode(span.trace_id),
                    id: hex::encode(span.span_id),
                    parent: hex::encode(span.parent_span_id),
                    attributes: attributes(&span.attributes),
                });
            }
        }
        self.0.grown.send_replace(());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn process(resource: Option<&Resource>) -> String {
    let named = resource.map(|resource| attributes(&resource.attributes)).unwrap_or_default();
    named.get("service.name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, Value> {
    let value = |pair: &KeyValue| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => json!(text),
        Some(any_value::Value::IntValue(number)) => json!(number),
        other => json!(format!("{other:?}")),
    };
    pairs.iter().map(|pair| (pair.key.clone(), value(pair))).collect()
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

/// A streamed call of a client that traces.
async fn call(house: &House) {
    let url = format!("{}/v1beta/models/gemini-v1:streamGenerateContent?alt=sse", house.gemini_url());
    let body = json!({ "contents": [{ "role": "user", "parts": [{ "text": PROMPT }] }] });
    let request = http().post(url).header("traceparent", format!("00-{TRACE}-{CLIENT}-01"));
    let answer = request.header("x-goog-api-key", "the client's own").json(&body).send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap().as_ref(), recorded());
}

/// A change by an admin that traces, with the key in it.
async fn change(house: &House) {
    let url = format!("{}/api/3.0/mlflow/gateway/secrets/create", house.url);
    let body = json!({ "secret_name": "traced", "secret_value": { "api_key": KEY }, "provider": "gemini" });
    let request = http().post(url).header("traceparent", format!("00-{CHANGE}-{CLIENT}-01"));
    let answer = request.json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", house.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_goes_through_every_process() {
    let collector = Collector::start().await;
    let Some(house) = published(Plan::new(Shape::Apart).config(&collector.config())).await else { return };
    call(&house).await;
    change(&house).await;

    let wanted = [("keyward-edge", "call"), ("keyward-edge", "forward"), ("keyward-forwarder", "forward")];
    let spans = collector.trace(TRACE, &wanted).await;
    let parents = |spans: &[Span], chain: &[(&str, &str)]| {
        let mut parent = CLIENT.to_owned();
        for (process, name) in chain {
            let span = find(spans, process, name).unwrap();
            assert_eq!(span.parent, parent, "{process} {name}: {spans:?}");
            parent.clone_from(&span.id);
        }
    };
    parents(&spans, &wanted);
    let call = &find(&spans, "keyward-edge", "call").unwrap().attributes;
    for (name, value) in [
        ("gen_ai.provider.name", json!("gemini")),
        ("gen_ai.request.model", json!("gemini-2.5-flash")),
        ("gen_ai.operation.name", json!("generate_content")),
        ("gen_ai.usage.input_tokens", json!(usage("promptTokenCount"))),
        ("gen_ai.usage.output_tokens", json!(usage("candidatesTokenCount"))),
        ("endpoint.name", json!("gemini-v1")),
        ("http.response.status_code", json!(200)),
    ] {
        assert_eq!(call.get(name), Some(&value), "{name} of {call:?}");
    }

    let wanted = [("keyward-edge", "manage"), ("keyward-store", "store")];
    let spans = collector.trace(CHANGE, &wanted).await;
    parents(&spans, &wanted);

    let exported = collector.kept.texts.lock().concat();
    assert!(exported.contains("gemini-v1"), "the search would find it");
    for secret in [KEY, PROMPT, "the client's own"] {
        assert!(!exported.contains(secret), "{secret}");
    }
}

/// How many tokens of a kind the recorded answer reports in the end.
fn usage(kind: &str) -> u64 {
    let text = std::str::from_utf8(recorded()).unwrap();
    let last = text.split_terminator("\r\n\r\n").last().unwrap().strip_prefix("data: ").unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    last["usageMetadata"][kind].as_u64().unwrap_or(0)
}

/// Where no collector is configured nothing looks for one, not even where OpenTelemetry's own default is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_collector_nothing_leaves() {
    // Where somebody's own collector listens there is nothing to be told.
    let Ok(listener) = TcpListener::bind("127.0.0.1:4317").await else { return };
    let collector = Collector::on(listener);
    let Some(mut house) = published(Plan::new(Shape::Serve)).await else { return };
    call(&house).await;
    change(&house).await;
    // What was held back would leave with the process's end.
    let process = house.front().unwrap();
    process.terminate().unwrap();
    assert_eq!(process.ended().await.unwrap(), Some(0));
    assert!(collector.kept.spans.lock().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_reads_what_happens() {
    let Some(house) = published(Plan::new(Shape::Serve)).await else { return };
    call(&house).await;
    house.sim.script(Match::any(), Script::default().pause(100, "middle"));
    let url = format!("{}/v1beta/models/gemini-v1:streamGenerateContent?alt=sse", house.gemini_url());
    let open = http().post(url).json(&json!({})).send().await.unwrap();
    house.sim.gate("middle").reached(1).await.unwrap();

    let exposed = http().get(format!("{}/metrics", house.url)).send().await.unwrap().text().await.unwrap();
    let labels = r#"endpoint="gemini-v1",gen_ai_provider_name="gemini",gen_ai_request_model="gemini-2.5-flash",gen_ai_operation_name="generate_content""#;
    let (prompt, output) = (usage("promptTokenCount"), usage("candidatesTokenCount"));
    for line in [
        format!("keyward_calls_total{{{labels},outcome=\"complete\"}} 1"),
        format!("keyward_tokens_total{{{labels},kind=\"input\"}} {prompt}"),
        format!("keyward_tokens_total{{{labels},kind=\"output\"}} {output}"),
        format!("keyward_tokens_total{{{labels},kind=\"thoughts\"}} {}", usage("thoughtsTokenCount")),
        format!("gen_ai_client_token_usage_sum{{{labels},gen_ai_token_type=\"input\"}} {prompt}"),
        format!("gen_ai_client_token_usage_sum{{{labels},gen_ai_token_type=\"output\"}} {output}"),
        format!("gen_ai_server_request_duration_seconds_count{{{labels}}} 1"),
        format!("gen_ai_server_time_to_first_token_seconds_count{{{labels}}} 1"),
        "keyward_overhead_seconds_count 2".to_owned(),
        "keyward_open_streams 1".to_owned(),
    ] {
        assert!(exposed.lines().any(|exposed| exposed.starts_with(&line)), "{line} is missing in\n{exposed}");
    }
    let revision = exposed.lines().find_map(|line| line.strip_prefix("keyward_catalog_revision "));
    assert!(revision.unwrap().parse::<f64>().unwrap() >= 3.0, "a secret, a model, an endpoint");
    house.sim.gate("middle").open();
    drop(open);
}
