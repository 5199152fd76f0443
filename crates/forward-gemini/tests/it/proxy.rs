//! Through the operator's proxy, by CONNECT.

use std::{io, net::SocketAddr, sync::Arc};

use forward::{Forward as _, ForwardError};
use forward_http::{Config, egress::Resolve};
use provider_sim::{Protocol, Sim};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::house::{KEY, ca_file, forwarder, loopback, target, unary, whole};

/// Nobody may look a name up here: behind a proxy, the proxy does.
struct Never;

#[async_trait::async_trait]
impl Resolve for Never {
    async fn resolve(&self, _name: &str, _port: u16) -> io::Result<Vec<SocketAddr>> {
        panic!("a name was looked up");
    }
}

/// A proxy for one connection, which answers with this status line and tunnels if there is somewhere to.
async fn proxy(status: &'static str, to: Option<SocketAddr>) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    #[expect(clippy::disallowed_methods, reason = "its end is awaited by the test")]
    let proxying = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        client.write_all(status.as_bytes()).await.unwrap();
        if let Some(to) = to {
            let mut server = TcpStream::connect(to).await.unwrap();
            // It ends as either side pleases.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
        String::from_utf8(head).unwrap()
    });
    (address, proxying)
}

fn through(address: SocketAddr, config: Config) -> Config {
    Config { proxy: Some(format!("http://me:secret@{address}").parse().unwrap()), ..config }
}

#[tokio::test]
async fn a_call_is_tunnelled() {
    let sim = Sim::start().await.unwrap();
    let port: u16 = sim.tls_url().rsplit(':').next().unwrap().parse().unwrap();
    let to = SocketAddr::from(([127, 0, 0, 1], port));
    let (address, proxying) = proxy("HTTP/1.1 200 Established\r\nVia: x\r\n\r\n", Some(to)).await;
    let ca = ca_file(&sim);
    let config = Config { ca_file: Some(ca.path().to_owned()), ..loopback() };
    let (forwarder, known) = forwarder(through(address, config), Arc::new(Never));
    known.put(target(1, &format!("https://{to}"), KEY));
    whole(forwarder.forward(unary(forward::full("{}"))).await.unwrap().body).await;
    let received = sim.wait_for_request(1).await.unwrap();
    assert_eq!((received.protocol, received.header("proxy-authorization")), (Protocol::Http2, None));
    drop((forwarder, known, sim));
    let head = proxying.await.unwrap();
    let expected = "CONNECT {} HTTP/1.1\r\nhost: {}\r\nproxy-authorization: Basic bWU6c2VjcmV0\r\n\r\n";
    assert_eq!(head, expected.replace("{}", &to.to_string()));
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_as_such() {
    let (address, proxying) = proxy("HTTP/1.1 407 No\r\n\r\n", None).await;
    let (forwarder, known) = forwarder(through(address, Config::default()), Arc::new(Never));
    known.put(target(1, "https://provider.example", KEY));
    let error = forwarder.forward(unary(forward::full("{}"))).await.unwrap_err();
    assert_eq!(error, ForwardError::Unreachable("the egress proxy refused"));
    assert!(proxying.await.unwrap().starts_with("CONNECT provider.example:443 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn addresses_follow_the_rules_behind_a_proxy_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (forwarder, known) = forwarder(through(address, Config::default()), Arc::new(Never));
    for base in ["https://10.0.0.1", "https://169.254.169.254", "https://[::1]"] {
        known.put(target(1, base, KEY));
        let error = forwarder.forward(unary(forward::full("{}"))).await.unwrap_err();
        assert_eq!(error, ForwardError::DestinationBlocked, "{base}");
    }
}

/// A whole test of this binary is run again where these variables name a proxy at which nobody listens.
#[test]
fn the_environment_names_no_proxy() {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "passing::a_streamed_answer_passes_byte_for_byte"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, "http://127.0.0.1:1").env(name.to_lowercase(), "http://127.0.0.1:1");
    }
    let output = command.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
