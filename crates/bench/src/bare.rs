//! The bare proxy that Keyward is compared with: axum in, reqwest out, nothing between.

use anyhow::Context as _;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use http::StatusCode;

#[derive(Clone)]
struct Bare {
    client: reqwest::Client,
    upstream: String,
}

/// Serves on a port that the system picks, and prints it.
pub(crate) async fn serve(upstream: String) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().build().context("set up reqwest")?;
    let app = Router::new().fallback(forward).with_state(Bare { client, upstream });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.context("bind")?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await.context("serve")
}

async fn forward(State(bare): State<Bare>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(http::header::HOST);
    let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let sent = bare
        .client
        .request(parts.method, format!("{}{target}", bare.upstream))
        .headers(parts.headers)
        .body(reqwest::Body::wrap_stream(body.into_data_stream()))
        .send()
        .await;
    match sent {
        Ok(answer) => {
            let mut response = Response::new(());
            *response.status_mut() = answer.status();
            *response.headers_mut() = answer.headers().clone();
            response.map(|()| Body::from_stream(answer.bytes_stream()))
        }
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}
