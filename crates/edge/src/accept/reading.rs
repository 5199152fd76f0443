//! What was read of a connection and where it stands: in a head that is held back, or in a body that passes.

use tokio::io::ReadBuf;

use super::{
    scan::{self, Place, Violation},
    wire::Refused,
};

/// The method of the request that stands in for a refused one.
pub(crate) const REFUSED: &str = "KEYWARD-REFUSED";
const STAND_IN: &[u8] = b"KEYWARD-REFUSED / HTTP/1.0\r\nconnection: close\r\n\r\n";
/// Longest target that is kept of a refused request.
const TARGET_MAX: usize = 2048;

/// What was read and where it stands.
#[derive(Debug)]
pub(super) struct Reading {
    /// None: not HTTP/1, everything passes.
    place: Option<Place>,
    inbox: Vec<u8>,
    /// Of `inbox`, how much was handed on already.
    handed: usize,
    /// Of `inbox`, up to where it may be handed on.
    cleared: usize,
    /// Of the head that is being read, how much was looked at.
    seen: usize,
    /// The stand-in was put in the place of a request; nothing more is read.
    pub(super) refused: bool,
    /// The body broke its framing: after what was cleared comes nothing but an error.
    pub(super) broken: bool,
}

impl Reading {
    /// Begins at `place` with `inbox`.
    pub(super) fn new(place: Option<Place>, inbox: Vec<u8>) -> Self {
        Self { place, inbox, handed: 0, cleared: 0, seen: 0, refused: false, broken: false }
    }

    /// More bytes came.
    pub(super) fn take_in(&mut self, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
    }

    /// Whether something waits to be handed on.
    pub(super) fn has_cleared(&self) -> bool {
        self.cleared > self.handed
    }

    /// Whether the next byte belongs to a head.
    pub(super) fn at_head(&self) -> bool {
        matches!(self.place, Some(Place::Head))
    }

    /// Clears as much of the inbox as may be handed on.
    pub(super) fn advance(&mut self) -> Result<(), Violation> {
        if self.refused || self.broken {
            return Ok(());
        }
        let waiting = self.inbox.get(self.cleared..).unwrap_or_default();
        match &mut self.place {
            _ if waiting.is_empty() => {}
            None => self.cleared = self.inbox.len(),
            Some(Place::Head) => {
                // RFC 9112, section 2.2: an empty line before a request is not one.
                let blank = waiting.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                if blank > 0 && self.seen == 0 {
                    self.inbox.drain(self.cleared..self.cleared + blank);
                }
                let waiting = self.inbox.get(self.cleared..).unwrap_or_default();
                if let Some(head) = scan::head(waiting, &mut self.seen)? {
                    self.cleared += head.len;
                    self.seen = 0;
                    self.place = Some(head.framing.into());
                    // What came of the body goes on together with its head.
                    if !matches!(self.place, Some(Place::Head)) {
                        self.advance()?;
                    }
                }
            }
            Some(Place::Sized(left)) => {
                let here = (*left).min(waiting.len() as u64);
                *left -= here;
                let done = *left == 0;
                self.cleared += usize::try_from(here).unwrap_or(waiting.len());
                self.end_body(done);
            }
            Some(Place::Chunked(chunks)) => {
                let here = chunks.follow(waiting)?;
                let done = chunks.ended();
                self.cleared += here;
                self.end_body(done);
            }
        }
        Ok(())
    }

    fn end_body(&mut self, done: bool) {
        if done {
            self.place = Some(Place::Head);
        }
    }

    /// Whether bytes of a head came, but not all.
    pub(super) fn in_head(&self) -> bool {
        matches!(self.place, Some(Place::Head)) && !self.refused && self.cleared < self.inbox.len()
    }

    /// Hands on what is cleared; whether there was anything.
    pub(super) fn hand_on(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let cleared = self.inbox.get(self.handed..self.cleared).unwrap_or_default();
        let some = cleared.get(..buffer.remaining().min(cleared.len())).unwrap_or_default();
        let any = !some.is_empty();
        buffer.put_slice(some);
        self.handed += some.len();
        if self.handed == self.inbox.len() {
            // Given back whole: an idle connection and a stream that runs hold nothing.
            *self = Self { inbox: Vec::new(), handed: 0, cleared: 0, place: self.place.take(), ..*self };
        }
        any
    }

    /// Of a body whose length is known, how much may be read past the inbox; nothing of a head or a chunked body.
    pub(super) fn direct(&self) -> Option<u64> {
        match self.place {
            None => Some(u64::MAX),
            Some(Place::Sized(left)) => Some(left),
            Some(Place::Head | Place::Chunked(_)) => None,
        }
    }

    /// This many bytes of the body were read past the inbox.
    pub(super) fn passed(&mut self, count: u64) {
        if let Some(Place::Sized(left)) = &mut self.place {
            *left = left.saturating_sub(count);
            let done = *left == 0;
            self.end_body(done);
        }
    }

    /// Puts the stand-in where the refused request was.
    pub(super) fn refuse(&mut self, violation: Violation) -> Refused {
        let head = self.inbox.get(self.cleared..).unwrap_or_default();
        let line = head.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let target = line.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        let target = target.get(..target.len().min(TARGET_MAX)).unwrap_or_default();
        let target = String::from_utf8_lossy(target).into_owned();
        self.inbox.truncate(self.cleared);
        self.inbox.extend_from_slice(STAND_IN);
        self.cleared = self.inbox.len();
        self.refused = true;
        Refused { violation, target }
    }

    /// Whether the client may still be sending what nobody will read.
    pub(super) fn leaves_something(&self) -> bool {
        self.refused || !matches!(self.place, Some(Place::Head) | None) || !self.inbox.is_empty()
    }
}
