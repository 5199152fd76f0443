//! Which headers cross, each way: families that are allowed, never a copy of what came.
//!
//! Sources: the providers' API references and what their SDKs were recorded to send and read; RFC 9110 section 7.6.1
//! for headers of the connection.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT_ENCODING, CONNECTION},
};

/// Some headers by their names, in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// This one.
    Exact(&'static str),
    /// All that begin so.
    Prefix(&'static str),
    /// All that hold this anywhere.
    Containing(&'static str),
}

use Family::{Containing, Exact, Prefix};

impl Family {
    fn has(self, name: &str) -> bool {
        match self {
            Exact(exact) => name == exact,
            Prefix(prefix) => name.starts_with(prefix),
            Containing(part) => name.contains(part),
        }
    }
}

fn any(families: &[Family], name: &str) -> bool {
    families.iter().any(|family| family.has(name))
}

/// What goes to every provider. `content-length` is set anew from the body; `host` from the target.
const REQUEST: [Family; 14] = [
    Exact("content-type"),
    Exact("content-encoding"),
    Exact("user-agent"),
    Exact("accept"),
    Exact("accept-encoding"),
    Exact("accept-language"),
    Exact("x-server-timeout"),
    Exact("x-client-request-id"),
    Exact("idempotency-key"),
    Exact("api-revision"),
    Exact("openai-beta"),
    Prefix("x-goog-"),
    Prefix("anthropic-"),
    Prefix("x-stainless-"),
];

/// What goes to no provider though its family does: credentials, and whose bill or project it is, which is the
/// endpoint's to say.
const REQUEST_NEVER: [Family; 8] = [
    Exact("x-goog-api-key"),
    Prefix("x-goog-iam-"),
    Prefix("x-goog-authenticated-user-"),
    Exact("x-goog-user-project"),
    Exact("anthropic-dangerous-direct-browser-access"),
    Exact("anthropic-workspace-id"),
    Exact("anthropic-api-key"),
    Containing("token"),
];

/// What comes back from every provider.
const ANSWER: [Family; 27] = [
    Exact("content-type"),
    Exact("content-length"),
    Exact("content-encoding"),
    Exact("content-disposition"),
    Exact("content-language"),
    Exact("cache-control"),
    Exact("etag"),
    Exact("last-modified"),
    Exact("vary"),
    Exact("retry-after"),
    Exact("retry-after-ms"),
    Exact("x-should-retry"),
    Exact("request-id"),
    Exact("x-request-id"),
    Exact("apim-request-id"),
    Exact("x-amzn-requestid"),
    Exact("mistral-correlation-id"),
    Exact("x-generation-id"),
    Exact("server-timing"),
    Exact("x-content-type-options"),
    Exact("warning"),
    Exact("deprecation"),
    Exact("sunset"),
    Containing("ratelimit"),
    Prefix("x-gemini-"),
    Prefix("x-goog-"),
    Prefix("openai-"),
];

/// What does not come back though its family does: the account behind the secret, and upload URLs as long as nobody
/// rewrites them to this gateway.
const ANSWER_NEVER: [Family; 6] = [
    Exact("openai-organization"),
    Exact("openai-project"),
    Exact("x-goog-upload-url"),
    Exact("x-goog-upload-control-url"),
    Exact("x-goog-api-key"),
    Exact("x-goog-user-project"),
];

/// The client's headers that go to the provider; room is left for the credential.
pub(crate) fn to_provider(client: HeaderMap, more: &[Family], streams: bool) -> HeaderMap {
    let named = named_by_connection(&client);
    let mut outgoing = HeaderMap::with_capacity(client.len() + 1);
    let mut last = None;
    for (name, value) in client {
        if name.is_some() {
            last = name;
        }
        let Some(name) = &last else { continue };
        let allowed =
            any(&REQUEST, name.as_str()) && !any(&REQUEST_NEVER, name.as_str()) || any(more, name.as_str());
        if allowed && !named.contains(name) {
            outgoing.append(name, value);
        }
    }
    if streams {
        outgoing.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    outgoing
}

/// The provider's headers that come back, filtered where they stand.
pub(crate) fn from_provider(answer: &mut HeaderMap, more: &[Family]) {
    let named = named_by_connection(answer);
    let unwanted: Vec<HeaderName> = answer
        .keys()
        .filter(|name| {
            let allowed =
                any(&ANSWER, name.as_str()) && !any(&ANSWER_NEVER, name.as_str()) || any(more, name.as_str());
            !allowed || named.contains(name)
        })
        .cloned()
        .collect();
    for name in unwanted {
        answer.remove(name);
    }
}

/// Headers that `connection` declares to be the hop's own. What only frames the body cannot be declared away.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(CONNECTION).into_iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse::<HeaderName>().ok())
        .filter(|name| !matches!(name.as_str(), "content-type" | "content-length" | "content-encoding"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").unwrap();
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn what_a_client_sends_and_what_goes_on() {
        let kept = map("content-type: application/json
             user-agent: google-genai-sdk/3.4.0 gl-python/3.11.7
             accept: */*
             accept-encoding: gzip, deflate
             accept-language: de
             x-goog-api-client: google-genai-sdk/3.4.0
             x-goog-request-params: a
             x-goog-request-params: b
             x-server-timeout: 60
             idempotency-key: k
             anthropic-version: 2023-06-01
             anthropic-beta: a,b
             openai-beta: x
             x-stainless-lang: python
             x-client-request-id: r");
        let mut all = map("connection: keep-alive, X-Goog-Hop, content-type
             x-goog-hop: 1
             keep-alive: timeout=5
             proxy-connection: keep-alive
             proxy-authorization: Basic x
             te: trailers
             trailer: x
             transfer-encoding: chunked
             upgrade: h2c
             http2-settings: x
             expect: 100-continue
             host: gateway
             content-length: 3
             authorization: Bearer client
             cookie: a=b
             x-api-key: client
             x-goog-api-key: client
             api-key: client
             x-goog-iam-authorization-token: client
             x-goog-iam-authority-selector: client
             x-goog-authenticated-user-email: me
             x-goog-user-project: theirs
             x-serverless-authorization: client
             x-amz-security-token: client
             x-amz-date: now
             x-mlflow-authorization: Basic x
             keyward-anything: x
             forwarded: for=1.2.3.4
             x-forwarded-for: 1.2.3.4
             x-forwarded-host: evil
             x-real-ip: 1.2.3.4
             x-client-ip: 1.2.3.4
             true-client-ip: 1.2.3.4
             cf-connecting-ip: 1.2.3.4
             fly-client-ip: 1.2.3.4
             x-envoy-external-address: 1.2.3.4
             via: 1.1 x
             origin: https://a.example
             referer: https://a.example
             sec-fetch-mode: cors
             access-control-request-method: POST
             dnt: 1
             priority: u=1
             anthropic-dangerous-direct-browser-access: true
             openai-organization: o
             openai-project: p
             anthropic-workspace-id: w
             traceparent: 00-1
             tracestate: a=b
             baggage: a=b
             metadata-flavor: Google
             x-aws-ec2-metadata-token: t
             x-base-url: http://evil
             x-portkey-custom-host: http://evil
             x-original-url: /admin
             x-http-method-override: DELETE");
        all.extend(kept.clone());
        assert_eq!(to_provider(all.clone(), &[], false), kept);
        let mut identity = kept;
        identity.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        assert_eq!(to_provider(all.clone(), &[], true), identity);
        identity.insert("baggage", HeaderValue::from_static("a=b"));
        assert_eq!(
            to_provider(all, &[Exact("baggage")], true),
            identity,
            "an endpoint may extend the families"
        );
    }

    #[test]
    fn what_a_provider_answers_and_what_comes_back() {
        let kept = map("content-type: application/json; charset=UTF-8
             content-length: 3
             content-encoding: gzip
             content-disposition: attachment
             vary: Origin
             vary: X-Origin
             server-timing: gfet4t7; dur=859
             retry-after: 3
             x-request-id: r
             anthropic-ratelimit-requests-limit: 5
             x-ratelimit-remaining-tokens: 5
             x-gemini-service-tier: t
             x-goog-upload-status: active
             openai-processing-ms: 3");
        let mut all = map("connection: close, x-goog-hop
             x-goog-hop: 1
             keep-alive: timeout=5
             transfer-encoding: chunked
             upgrade: h2c
             trailer: x
             set-cookie: a=b
             alt-svc: h3=\":443\"
             strict-transport-security: max-age=1
             nel: {}
             report-to: {}
             content-security-policy: x
             x-frame-options: DENY
             x-xss-protection: 0
             access-control-allow-origin: *
             server: x
             via: 1.1 google
             cf-ray: x
             location: https://evil
             anthropic-organization-id: o
             openai-organization: o
             openai-project: p
             x-goog-upload-url: https://a
             www-authenticate: Bearer
             date: now");
        all.extend(kept.clone());
        from_provider(&mut all, &[]);
        assert_eq!(all, kept);
    }
}
