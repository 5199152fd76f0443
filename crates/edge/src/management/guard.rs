//! What holds for every management route: who may send from a browser, and the headers of every answer.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Refuses a change that another origin's page asks for, and adds MLflow's headers to the answer.
///
/// There is no exception to configure: the API answers no CORS preflight, so that a page of another origin could not use
/// it anyway. What faces the network behind a proxy keeps its `Host`. A listener on loopback refuses foreign pages before
/// this, reading included (`hygiene`).
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let mut response = if changes && is_foreign(request.headers(), request.uri()) {
        (StatusCode::FORBIDDEN, "Cross-origin request blocked").into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    response
}

/// Whether a browser says that the request comes from a page of another origin. Clients that are no browsers send no
/// `Origin` (Fetch standard, "origin header"); `null`, and more than one, are nobody's origin.
fn is_foreign(headers: &HeaderMap, uri: &Uri) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return false };
    if origins.next().is_some() {
        return true;
    }
    let Ok(origin) = origin.to_str() else { return true };
    // HTTP/2 names the host in the target, HTTP/1.1 in a header.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let ours = uri.authority().map(axum::http::uri::Authority::as_str).or(host);
    let theirs = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => !ours.eq_ignore_ascii_case(theirs),
        _ => true,
    }
}
