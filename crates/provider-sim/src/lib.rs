//! Scripted providers for tests, demo and load.
//!
//! A [`Sim`] listens for cleartext HTTP/1.1, cleartext HTTP/2 and TLS, answers with recorded answers of real providers
//! as far as nobody says otherwise, does whatever a [`Script`] says, and records exactly what it received.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use provider_sim::{Cut, Match, Script, Sim};
//!
//! let sim = Sim::start().await?;
//! sim.script(Match::target(":streamGenerateContent"), Script::recording("stream_web_fetch_2.5_flash").cut(700, Cut::Reset));
//! // … a client calls `sim.http1_url()` …
//! let received = sim.wait_for_request(1).await?;
//! assert_eq!(received.header("x-goog-api-key"), Some("the key"));
//! # Ok(())
//! # }
//! ```
//!
//! A client alone can ask for a fault by a model's name, `sim-cut700-rst`: see [`Script::from_words`].

mod answer;
mod book;
mod control;
mod gate;
mod http1;
mod http2;
pub mod load;
mod log;
mod provider;
mod recordings;
mod script;
mod shared;
mod sim;
mod tls;
mod wire;
mod words;

pub use book::Match;
pub use gate::Gate;
pub use log::{BodyFraming, Connection, Ended, Ending, NotSeen, PATIENCE, Protocol, Received};
pub use recordings::{recording, recordings};
pub use script::{Act, Body, Cut, End, Framing, Pause, Script, Split};
pub use sim::{Builder, Sim};
pub use words::PREFIX;
