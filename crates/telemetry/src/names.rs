//! Names of spans, attributes and metrics, each once.
//!
//! Sources: OpenTelemetry semantic conventions, `gen-ai` (spans and metrics) and `http`. Prometheus forms replace dots by
//! underscores; the exposition adds unit and `_total`.

/// The target of every span that may leave over OTLP. Log layers leave it out, so that without an OTLP endpoint no
/// layer wants these spans and they are disabled where they are made.
pub const SPANS: &str = "keyward::span";
/// The target of the one log line that each call leaves.
pub const CALLS: &str = "keyward::call";

/// Attribute: whose API answered (`gemini`, `openai`, …).
pub const PROVIDER_NAME: &str = "gen_ai.provider.name";
/// Attribute: what was asked (`generate_content`, `chat`, …).
pub const OPERATION_NAME: &str = "gen_ai.operation.name";
/// Attribute: the provider's own name of the model that was called.
pub const REQUEST_MODEL: &str = "gen_ai.request.model";
/// Attribute: tokens of the prompt.
pub const USAGE_INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// Attribute: tokens of the answer.
pub const USAGE_OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
/// Attribute: `input` or `output`.
pub const TOKEN_TYPE: &str = "gen_ai.token.type";
/// Attribute: the name that the application called.
pub const ENDPOINT_NAME: &str = "endpoint.name";

/// Metric: tokens used, a histogram by type.
pub const TOKEN_USAGE: &str = "gen_ai_client_token_usage";
/// Metric: from the request's arrival to the answer's last byte, in seconds.
pub const REQUEST_DURATION: &str = "gen_ai_server_request_duration";
/// Metric: from the request's arrival to the first byte of a streamed body, in seconds.
pub const TIME_TO_FIRST_TOKEN: &str = "gen_ai_server_time_to_first_token";
/// Metric: calls by outcome.
pub const CALLS_TOTAL: &str = "keyward_calls";
/// Metric: tokens by kind, finer than the conventions' two types.
pub const TOKENS_TOTAL: &str = "keyward_tokens";
/// Metric: what the gateway added before the call left it, in seconds.
pub const OVERHEAD: &str = "keyward_overhead";
/// Metric: attempts that were followed by another one, by why.
pub const FALLBACKS_TOTAL: &str = "keyward_fallbacks";
/// Metric: what the gateway itself refused, by reason.
pub const REFUSALS_TOTAL: &str = "keyward_refusals";
/// Metric: answers whose completeness could not be read.
pub const UNREADABLE_TOTAL: &str = "keyward_unreadable_answers";
/// Metric: streams that are open now.
pub const OPEN_STREAMS: &str = "keyward_open_streams";
/// Metric: calls that are under way now, streams included.
pub const CALLS_IN_FLIGHT: &str = "keyward_calls_in_flight";
/// Metric: connections of clients that are open now.
pub const CONNECTIONS: &str = "keyward_connections";
/// Metric: connections of clients accepted so far.
pub const CONNECTIONS_ACCEPTED: &str = "keyward_connections_accepted";
/// Metric: connections closed by a limit, by which.
pub const CONNECTIONS_CLOSED: &str = "keyward_connections_closed";
/// Metric: the catalog's revision that is served.
pub const CATALOG_REVISION: &str = "keyward_catalog_revision";
/// Metric: how long ago the served revision was reached, in seconds.
pub const CATALOG_AGE: &str = "keyward_catalog_age";
/// Metric: endpoints that are served.
pub const CATALOG_ENDPOINTS: &str = "keyward_catalog_endpoints";
/// Metric: second attempts that an endpoint's retry budget did not allow.
pub const RETRIES_WITHHELD: &str = "keyward_retries_withheld";
/// Metric: targets that rest now.
pub const RESTING_TARGETS: &str = "keyward_resting_targets";
/// Metric: what the process takes of memory, in bytes.
pub const MEMORY: &str = "keyward_memory";
/// Metric: what the process may take of memory, in bytes; 0 where nothing tells it.
pub const MEMORY_MAX: &str = "keyward_memory_max";
/// Metric: what bodies that are kept take of memory, in bytes.
pub const BODY_MEMORY: &str = "keyward_body_memory";
/// Metric: what bodies that are kept may take of memory, in bytes.
pub const BODY_MEMORY_MAX: &str = "keyward_body_memory_max";
