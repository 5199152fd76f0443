//! Reads server-sent events as they pass (WHATWG HTML, section 9.2.6): their data goes to the scanner, the rest is only
//! followed to know where an event ends.
//!
//! One form beyond the standard: Google reports a failure inside a stream as a bare JSON object between events, which
//! the standard would have every reader ignore. It is read to its end.

use super::{
    scan::Scanner,
    table::{Found, Table},
};

/// The state between two bytes.
#[derive(Debug)]
pub(super) struct Events {
    line: Line,
    event: Event,
    /// Whether the last byte is a CR, to which an LF may belong.
    after_cr: bool,
    /// Whether the stream's lines end in CR LF, as far as it has shown.
    crlf: bool,
    scanner: Scanner,
}

/// Where among events the next line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// Nothing but blank lines came yet.
    None,
    /// In an event that has a line which is not a comment.
    Open,
    /// Behind an event or a comment.
    Ended,
}

/// Where in a line the next byte is.
#[derive(Debug, Clone, Copy)]
enum Line {
    /// At its first byte.
    Start,
    /// Behind so many bytes of `data:`.
    Name(usize),
    /// In an event's data.
    Data,
    /// In a line of a bare JSON value.
    Bare,
    /// In a comment, another field, or anything else.
    Other,
}

const DATA: &[u8] = b"data:";

impl Events {
    pub(super) fn new(table: &'static Table) -> Self {
        Self {
            line: Line::Start,
            event: Event::None,
            after_cr: false,
            crlf: false,
            scanner: Scanner::new(table),
        }
    }

    pub(super) fn observe(&mut self, mut bytes: &[u8]) {
        while let Some(&byte) = bytes.first() {
            if std::mem::take(&mut self.after_cr) && byte == b'\n' {
                self.crlf = true;
                bytes = &bytes[1..];
                continue;
            }
            if matches!(self.line, Line::Start) {
                self.begin(byte);
            }
            let end = memchr::memchr2(b'\n', b'\r', bytes);
            let (line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            self.part(line);
            if let Some((byte, rest)) = rest.split_first() {
                self.after_cr = *byte == b'\r';
                self.line_ended();
                bytes = rest;
            } else {
                bytes = &[];
            }
        }
    }

    /// Whether the last byte ended an event, so that another may follow. A lone CR is waited out where lines end in CR LF.
    pub(super) fn at_boundary(&self) -> bool {
        matches!(self.line, Line::Start) && self.event != Event::Open && !(self.after_cr && self.crlf)
    }

    /// Whether anything but blank lines came.
    pub(super) fn started(&self) -> bool {
        self.event != Event::None
    }

    pub(super) fn found(&self) -> Found {
        self.scanner.found()
    }

    /// Decides by its first byte what a line is. A blank one stays at its start.
    fn begin(&mut self, byte: u8) {
        self.line = match byte {
            b'\n' | b'\r' => return,
            b'd' => Line::Name(0),
            b'{' | b'[' => Line::Bare,
            _ => Line::Other,
        };
        if self.event != Event::Open {
            self.event = if byte == b':' { Event::Ended } else { Event::Open };
        }
        if matches!(self.line, Line::Bare) {
            self.scanner.reset();
        }
    }

    /// Takes a part of a line, without its end.
    fn part(&mut self, mut part: &[u8]) {
        while let (Line::Name(matched), Some((byte, rest))) = (self.line, part.split_first()) {
            self.line = match DATA[matched] == *byte {
                false => Line::Other,
                true if matched + 1 == DATA.len() => self.data_begins(),
                true => Line::Name(matched + 1),
            };
            part = rest;
        }
        if matches!(self.line, Line::Data | Line::Bare) {
            self.scanner.feed(part);
        }
    }

    fn data_begins(&mut self) -> Line {
        if self.scanner.closed() {
            self.scanner.reset();
        }
        Line::Data
    }

    fn line_ended(&mut self) {
        self.line = match self.line {
            Line::Start => {
                if self.event == Event::Open {
                    self.event = Event::Ended;
                }
                self.scanner.reset();
                Line::Start
            }
            // Data of several lines is one text, joined by line feeds.
            Line::Data => {
                self.scanner.feed(b"\n");
                Line::Start
            }
            Line::Bare if !self.scanner.closed() => {
                self.scanner.feed(b"\n");
                Line::Bare
            }
            Line::Bare | Line::Name(_) | Line::Other => Line::Start,
        };
    }
}
