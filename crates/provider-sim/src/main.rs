//! `provider-sim`: the simulator as a process of its own.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use provider_sim::load::{self, Load};
use provider_sim::{Match, Script, Sim};
use tokio::net::TcpListener;

/// Scripted providers: they replay recorded answers, fail as told, and record what they receive.
#[derive(Debug, Parser)]
#[command(version)]
struct Command {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Answers as providers do, or as scripts say.
    Serve(Serve),
    /// Answers with generated bodies, as cheaply as can be, for benchmarks.
    Load(Generate),
}

#[derive(Debug, Args)]
struct Serve {
    /// The address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// The port for HTTP/1.1; 0 is the system's choice.
    #[arg(long, default_value_t = 0)]
    http1: u16,
    /// The port for HTTP/2 with prior knowledge.
    #[arg(long, default_value_t = 0)]
    http2: u16,
    /// The port for TLS.
    #[arg(long, default_value_t = 0)]
    tls: u16,
    /// The port of the control API.
    #[arg(long, default_value_t = 0)]
    control: u16,
    /// Writes the certificate authority of the TLS port into this file.
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// A script for every request, in the words of model names: `sim-429`, `sim-cut700-rst`.
    #[arg(long)]
    script: Option<String>,
}

#[derive(Debug, Args)]
struct Generate {
    /// The address to listen on; port 0 is the system's choice.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Bytes of a unary answer.
    #[arg(long, default_value_t = Load::default().unary)]
    unary: usize,
    /// Events of a stream.
    #[arg(long, default_value_t = Load::default().chunks)]
    chunks: u32,
    /// Bytes of each event.
    #[arg(long, default_value_t = Load::default().size)]
    size: usize,
    /// Milliseconds between two events.
    #[arg(long, default_value_t = 100)]
    pace: u64,
}

fn main() -> anyhow::Result<()> {
    // One thread: a benchmark pins it to one processor, and a test has no use for more.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match Command::parse().role {
            Role::Serve(serve) => serve.run().await,
            Role::Load(generate) => generate.run().await,
        }
    })
}

impl Serve {
    async fn run(self) -> anyhow::Result<()> {
        let ports = [self.http1, self.http2, self.tls, self.control];
        let sim = Sim::builder().address(self.address).ports(ports).start().await?;
        if let Some(words) = &self.script {
            let script = Script::from_words(words).context("the script has a word that is not known")?;
            sim.script(Match::any(), script);
        }
        if let Some(file) = &self.ca_file {
            tokio::fs::write(file, sim.ca_pem()).await.context("writing the certificate authority")?;
        }
        say(&format!(
            "http1 on {}\nhttp2 on {}\ntls on {}\ncontrol on {}\nready\n",
            sim.http1_url(),
            sim.http2_url(),
            sim.tls_url(),
            sim.control_url()
        ))?;
        tokio::signal::ctrl_c().await.context("waiting for the signal to stop")
    }
}

impl Generate {
    async fn run(self) -> anyhow::Result<()> {
        let listener = TcpListener::bind(self.listen).await.context("listening")?;
        say(&format!("listening on http://{}\n", listener.local_addr()?))?;
        let Self { unary, chunks, size, pace, .. } = self;
        let load = Load { unary, chunks, size, pace: Duration::from_millis(pace) };
        tokio::select! {
            () = load::serve(listener, load) => Ok(()),
            stopped = tokio::signal::ctrl_c() => stopped.context("waiting for the signal to stop"),
        }
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush().context("writing to standard output")
}
