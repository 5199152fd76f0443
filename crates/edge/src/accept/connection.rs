//! One connection, from its first byte to its last.

use std::{io, pin::pin, sync::Arc, time::Duration};

use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite},
    net::TcpStream,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::task::TaskTracker;

use super::{
    Shared,
    gate::{Gate, Limits},
    scan,
    wire::Wire,
};
use crate::service::Service;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Room for a head and the beginning of its body; what does not fit stays with the socket.
const BUFFER_MAX: usize = scan::HEAD_MAX + 8 * 1024;
/// How long answers that were told to end have to say so.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Serves one accepted connection to its end.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    // Small writes matter more than full packets: an event is a write.
    let _ = stream.set_nodelay(true);
    let limits = &shared.edge.config.connections;
    match &shared.tls {
        None => sniff(&shared, stream).await,
        Some(tls) => match timeout(limits.tls_handshake, tls.accept(stream)).await {
            Ok(Ok(stream)) => sniff(&shared, stream).await,
            Ok(Err(_)) => shared.edge.metrics.closed("tls"),
            Err(_) => shared.edge.metrics.closed("tls_handshake"),
        },
    }
}

/// What a reset at the end needs of a stream.
trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Makes the close that follows a reset.
    fn reset_on_close(&self);
}

impl Socket for TcpStream {
    fn reset_on_close(&self) {
        let _ = self.set_zero_linger();
    }
}

impl Socket for tokio_rustls::server::TlsStream<TcpStream> {
    fn reset_on_close(&self) {
        let _ = self.get_ref().0.set_zero_linger();
    }
}

/// Finds out which HTTP is spoken. hyper-util's own sniff waits for the first byte for ever.
async fn sniff<IO: Socket>(shared: &Arc<Shared>, mut io: IO) {
    let limits = &shared.edge.config.connections;
    let mut first = Vec::new();
    let stopped = shared.stopping.cancelled();
    let read = async {
        while PREFACE.starts_with(&first) && first.len() < PREFACE.len() {
            if io.read_buf(&mut first).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok::<_, io::Error>(())
    };
    let read = tokio::select! {
        read = timeout(limits.first_byte, read) => read,
        () = stopped => return,
    };
    match read {
        Err(_) => shared.edge.metrics.closed("first_byte"),
        Ok(Err(_)) => {}
        Ok(Ok(())) => {
            let wire = Wire::new(shared.ending.child_token());
            let gate_limits = Limits { head: limits.head, write_stall: limits.write_stall };
            let service = Service::new(Arc::clone(&shared.edge), Arc::clone(&shared.site), Arc::clone(&wire));
            if first.starts_with(PREFACE) {
                let gate = Gate::http2(io, first, Arc::clone(&wire), gate_limits);
                http2(shared, gate, wire, service).await;
            } else {
                let gate = Gate::http1(io, first, Arc::clone(&wire), gate_limits, IO::reset_on_close);
                http1(shared, gate, wire, service).await;
            }
        }
    }
}

async fn http1<IO: Socket>(shared: &Shared, gate: Gate<IO>, wire: Arc<Wire>, service: Service) {
    let connection = hyper::server::conn::http1::Builder::new()
        // The gate limits the head and the supervisor the time between requests; hyper has one timer for both.
        .header_read_timeout(None)
        .max_buf_size(BUFFER_MAX)
        .max_headers(scan::FIELDS_MAX)
        .serve_connection(TokioIo::new(gate), service);
    let mut connection = pin!(connection);
    supervise(shared, &wire, &mut connection, |connection| connection.as_mut().graceful_shutdown()).await;
}

async fn http2<IO: Socket>(shared: &Shared, gate: Gate<IO>, wire: Arc<Wire>, service: Service) {
    let limits = &shared.edge.config.http2;
    let bytes = |size: u64| u32::try_from(size).unwrap_or(u32::MAX);
    let connection = hyper::server::conn::http2::Builder::new(Streams(shared.tasks.clone()))
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(bytes(limits.head_max))
        .initial_stream_window_size(bytes(limits.stream_window))
        .initial_connection_window_size(bytes(limits.connection_window))
        .max_send_buf_size(usize::try_from(limits.stream_window).unwrap_or(usize::MAX))
        .keep_alive_interval(limits.ping_every)
        .keep_alive_timeout(limits.ping_patience)
        .max_pending_accept_reset_streams(limits.pending_resets_max)
        .max_local_error_reset_streams(limits.mistakes_max)
        .header_table_size(bytes(limits.header_table))
        .serve_connection(TokioIo::new(gate), service);
    let mut connection = pin!(connection);
    supervise(shared, &wire, &mut connection, |connection| connection.as_mut().graceful_shutdown()).await;
}

/// Drives a connection, and ends it gracefully when it is idle too long, too old, or the process stops; in the end by
/// dropping it.
async fn supervise<C: Future>(
    shared: &Shared,
    wire: &Wire,
    connection: &mut std::pin::Pin<&mut C>,
    mut end_gracefully: impl FnMut(&mut std::pin::Pin<&mut C>),
) {
    let idle = shared.edge.config.connections.idle;
    let ends_at = Instant::now() + shared.edge.jittered(shared.edge.config.connections.age_max);
    // A token of its own: every step of a connection locks the token that it looks at, and one that all connections share
    // would have them wait for each other.
    let stopping = shared.stopping.child_token();
    let mut ending_gracefully = false;
    let mut give_up_at = None;
    loop {
        let idle_at = wire.quiet_since().unwrap_or_else(Instant::now) + idle;
        let wake_at = give_up_at.unwrap_or(idle_at.min(ends_at));
        let reason = tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = wire.ending.cancelled(), if give_up_at.is_none() => {
                give_up_at = Some(Instant::now() + LAST_WORDS);
                "ending"
            }
            () = stopping.cancelled(), if !ending_gracefully => "stopping",
            () = sleep_until(wake_at), if give_up_at.is_some() || !ending_gracefully => {
                match wire.quiet_since() {
                    _ if give_up_at.is_some() => return shared.edge.metrics.closed("ending"),
                    _ if Instant::now() >= ends_at => "age",
                    Some(since) if since.elapsed() >= idle => "idle",
                    _ => continue,
                }
            }
        };
        shared.edge.metrics.closed(reason);
        ending_gracefully = true;
        end_gracefully(connection);
    }
}

/// Runs HTTP/2 streams as tasks that the listener waits for.
#[derive(Debug, Clone)]
struct Streams(TaskTracker);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Streams {
    fn execute(&self, stream: F) {
        self.0.spawn(stream);
    }
}
