//! What went wrong on the way out, as the seam's errors; the library's own words go to the log only.

use std::{error::Error, io};

use forward::ForwardError;

use crate::egress::Blocked;

/// Why no connection could be made. The source is for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error(transparent)]
    Blocked(#[from] Blocked),
    #[error("the destination is not one")]
    NoDestination,
    #[error("no connection could be made")]
    Refused(#[source] io::Error),
    #[error("the TLS handshake failed")]
    Tls(#[source] io::Error),
    #[error("the egress proxy could not be reached")]
    ProxyUnreachable(#[source] io::Error),
    #[error("the egress proxy refused: status {0}")]
    ProxyRefused(u16),
    #[error("the egress proxy's answer makes no sense")]
    ProxyGarbled,
    #[error("no connection within the forwarder's own limit")]
    TooSlow,
}

impl ConnectError {
    fn forward_error(&self) -> ForwardError {
        match self {
            Self::Blocked(Blocked::Address) | Self::NoDestination => ForwardError::DestinationBlocked,
            Self::Blocked(Blocked::Unresolved(_)) => {
                ForwardError::Unreachable("its host's name could not be resolved")
            }
            Self::Refused(_) => ForwardError::Unreachable("no connection could be made"),
            Self::Tls(_) => ForwardError::Unreachable("the TLS handshake failed"),
            Self::ProxyUnreachable(_) => ForwardError::Unreachable("the egress proxy could not be reached"),
            Self::ProxyRefused(_) => ForwardError::Unreachable("the egress proxy refused"),
            Self::ProxyGarbled => ForwardError::Unreachable("the egress proxy's answer makes no sense"),
            Self::TooSlow => ForwardError::Unreachable("connecting took too long"),
        }
    }
}

/// The seam's error for a failed request: whether the provider can have acted is what matters most.
pub(crate) fn from_client(error: &hyper_util::client::legacy::Error) -> ForwardError {
    if let Some(connect) = find::<ConnectError>(error) {
        return connect.forward_error();
    }
    if let Some(h2) = find::<h2::Error>(error) {
        return from_h2(h2);
    }
    match find::<hyper::Error>(error) {
        // hyper gives a request back unsent when its connection died first (RFC 9110 section 9.2.2 lets us say so).
        Some(hyper) if hyper.is_canceled() => {
            ForwardError::Unreachable("the connection closed before the request was sent")
        }
        Some(hyper) if hyper.is_parse() || hyper.is_parse_status() => {
            ForwardError::Garbled("its head is malformed")
        }
        _ if error.is_connect() => ForwardError::Unreachable("no connection could be made"),
        _ => ForwardError::Disconnected,
    }
}

/// RFC 9113: a refused stream (8.7) and a stream above a graceful GOAWAY's last identifier (6.8) were not processed.
fn from_h2(error: &h2::Error) -> ForwardError {
    let reason = error.reason();
    if reason == Some(h2::Reason::REFUSED_STREAM) && error.is_remote() {
        return ForwardError::Unreachable("it refused the stream");
    }
    if error.is_go_away() && error.is_remote() && reason == Some(h2::Reason::NO_ERROR) {
        return ForwardError::Unreachable("it was closing the connection");
    }
    if error.is_library() {
        ForwardError::Garbled("its HTTP/2 framing is malformed")
    } else {
        ForwardError::Disconnected
    }
}

/// The first error of a type in a chain of sources.
pub(crate) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    sources(error).find_map(|error| {
        // An `io::Error` made of another error hides it from `source`.
        error.downcast_ref::<E>().or_else(|| {
            error.downcast_ref::<io::Error>()?.get_ref().and_then(|inner| inner.downcast_ref::<E>())
        })
    })
}

fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}
