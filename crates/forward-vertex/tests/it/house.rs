//! A provider that is an identity service too, and a forwarder with a service account for both.

use std::sync::LazyLock;

use aws_lc_rs::{encoding::AsDer as _, rsa};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use dialect::Operation;
use forward::{Call, Target};
use forward_http::suite::{House, call, target};
use forward_vertex::Vertex;
use provider_sim::{Body, Match, Received, Script, Sim};

/// What no refusal and no error may show.
pub(crate) const TOKEN: &str = "ya29.Canary-granted-token";

/// Made once for all tests of the run: it takes a while.
static PRIVATE_KEY: LazyLock<String> = LazyLock::new(|| {
    let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\\n{text}\\n-----END PRIVATE KEY-----\\n")
});

pub(crate) async fn vertex() -> (Sim, House<Vertex>) {
    let sim = Sim::start().await.unwrap();
    sim.script(
        Match::target(":generateContent"),
        Script { body: Body::Text("{}".to_owned()), ..Script::default() },
    );
    let house = House::open(Vertex, account(&sim.http1_url(), &format!("{}/token", sim.http1_url())));
    (sim, house)
}

/// A target at `base` whose service account's tokens are given at `token_uri`.
pub(crate) fn account(base: &str, token_uri: &str) -> Target {
    let mut target =
        target("vertex_ai", "gemini-2.5-flash", &[("api_base", base), ("vertex_project", "my-project")]);
    let credentials = format!(
        r#"{{"type": "service_account", "client_email": "me@example", "private_key_id": "k1",
            "private_key": "{}", "token_uri": "{token_uri}"}}"#,
        *PRIVATE_KEY
    );
    target.credential.fields = [("vertex_credentials".to_owned(), credentials.into())].into();
    target
}

/// An answer of the identity service.
pub(crate) fn granted(token: &str, expires_in: u32) -> Script {
    let body = format!(r#"{{"access_token":"{token}","expires_in":{expires_in},"token_type":"Bearer"}}"#);
    Script { body: Body::Text(body), ..Script::default() }.header("Content-Type", "application/json")
}

pub(crate) fn of_token() -> Match {
    Match::target("/token")
}

pub(crate) fn generate() -> Call {
    call(Operation::GenerateContent, None, r#"{"contents":[]}"#)
}

/// Those that were asked of the identity service, and those of the provider.
pub(crate) fn received(sim: &Sim) -> (Vec<Received>, Vec<Received>) {
    sim.requests().into_iter().partition(|request| request.target == "/token")
}
