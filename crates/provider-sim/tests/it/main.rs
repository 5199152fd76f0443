//! The simulator, watched from the wire.
#![expect(clippy::unwrap_used, reason = "in a test, and in what only tests call, a panic is the report")]

mod defaults;
mod faults;
mod http2;
mod seen;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A raw exchange: sends `request`, and reads until the peer closes. The error is the kind of the read that failed.
async fn exchange(url: &str, request: &str) -> (Vec<u8>, Result<(), std::io::ErrorKind>) {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer).await;
    (answer, read.map(drop).map_err(|error| error.kind()))
}

/// A Gemini call that asks for the connection to be closed after it.
fn call(method: &str, model: &str) -> String {
    format!(
        "POST /v1beta/models/{model}:{method} HTTP/1.1\r\nHost: sim\r\nX-Goog-Api-Key: k\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}"
    )
}

fn body(answer: &[u8]) -> Bytes {
    let at = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    Bytes::copy_from_slice(&answer[at + 4..])
}

/// Takes the framing off a chunked body: the chunks, and whether the final one came.
fn chunks(mut body: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let mut chunks = Vec::new();
    while let Some(line) = body.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&body[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return (chunks, body == b"0\r\n\r\n");
        }
        chunks.push(body[line + 2..line + 2 + size].to_vec());
        body = &body[line + 2 + size + 2..];
    }
    (chunks, false)
}
