//! Scans JSON as it passes, in any pieces, for the keys of a [`Table`]: one look at each byte, no allocation, no tree.
//!
//! Only containers that the table names are followed key by key. Everything else is skipped by counting brackets, and
//! texts, which are nearly all the bytes of an answer, by searching for their closing quote. Not a validator: malformed
//! JSON is never refused, it only fails to close, and what is not closed does not count.

use super::table::{Found, Mark, Row, Table, Then};

/// The state between two bytes. Its size is fixed, whatever passes.
#[derive(Debug)]
pub(super) struct Scanner {
    table: &'static Table,
    state: State,
    /// The containers that are open and named by the table, from the outermost.
    stack: [Frame; DEPTH_MAX],
    depth: usize,
    /// How many containers are open that the table does not name.
    skipped: u64,
    scratch: Scratch,
    /// Found in the element that is not closed yet.
    pending: Found,
    /// Found in closed elements.
    found: Found,
    /// Whether the last thing at the top or in the array there is a whole element, not a comma.
    element_last: bool,
}

/// Containers followed at once: the array at the top, an element, and three levels in it (`response.usage.details`).
const DEPTH_MAX: usize = 5;

#[derive(Debug, Clone, Copy)]
enum Frame {
    Object(&'static [Row]),
    Each(&'static [Row]),
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Before the first bracket.
    Top,
    /// In a container of the stack, outside of key and value.
    Between,
    /// In a key.
    Key { escaped: bool },
    /// Behind a key.
    Value(Option<&'static Then>),
    /// In a text, wanted or not.
    Text { then: Option<&'static Then>, escaped: bool },
    /// In a wanted number or word.
    Word(&'static Then),
    /// In a container that nobody wants.
    Skip,
    /// Behind the last bracket.
    Closed,
}

impl Scanner {
    pub(super) fn new(table: &'static Table) -> Self {
        Self {
            table,
            state: State::Top,
            stack: [Frame::Object(&[]); DEPTH_MAX],
            depth: 0,
            skipped: 0,
            scratch: Scratch::default(),
            pending: Found::default(),
            found: Found::default(),
            element_last: false,
        }
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            bytes = match self.state {
                State::Closed => return,
                State::Key { escaped } | State::Text { escaped, .. } => self.text(bytes, escaped),
                State::Skip => self.skip(bytes),
                State::Top => {
                    self.top(byte);
                    rest
                }
                State::Between => {
                    self.between(byte);
                    rest
                }
                State::Value(then) => {
                    if self.value(byte, then) {
                        rest
                    } else {
                        bytes
                    }
                }
                State::Word(then) => {
                    if self.word(byte, then) {
                        rest
                    } else {
                        bytes
                    }
                }
            };
        }
    }

    /// Forgets what is not closed and expects a new value.
    pub(super) fn reset(&mut self) {
        self.state = State::Top;
        self.depth = 0;
        self.skipped = 0;
        self.pending = Found::default();
        self.element_last = false;
    }

    /// What closed elements said.
    pub(super) fn found(&self) -> Found {
        self.found
    }

    /// Whether anything but white space came.
    pub(super) fn started(&self) -> bool {
        !matches!(self.state, State::Top)
    }

    /// Whether nothing more is read until the next [`Scanner::reset`].
    pub(super) fn closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Whether the value at the top is closed and was an object or an array.
    pub(super) fn whole(&self) -> bool {
        self.closed() && self.element_last
    }

    /// Whether the value at the top is an array.
    pub(super) fn in_array(&self) -> bool {
        self.started() && matches!(self.stack[0], Frame::Each(_))
    }

    /// Whether the last thing, but for white space, was a whole element of the array at the top.
    pub(super) fn after_element(&self) -> bool {
        self.in_array() && self.at_top_array() && self.element_last
    }

    fn at_top_array(&self) -> bool {
        self.depth == 1 && matches!((self.state, self.stack[0]), (State::Between, Frame::Each(_)))
    }

    fn top(&mut self, byte: u8) {
        match byte {
            b'{' => self.open(Frame::Object(self.table.rows)),
            b'[' => self.open(Frame::Each(self.table.rows)),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            // Not an answer of any dialect. Nothing in it counts.
            _ => {
                self.stack[0] = Frame::Object(&[]);
                self.state = State::Closed;
            }
        }
    }

    fn between(&mut self, byte: u8) {
        match (byte, self.stack[self.depth - 1]) {
            (b'}' | b']', _) => self.close(),
            (b'"', Frame::Object(_)) => {
                self.scratch.clear();
                self.state = State::Key { escaped: false };
            }
            (b'"', Frame::Each(_)) => self.state = State::Text { then: None, escaped: false },
            (b'{', Frame::Each(rows)) => self.open(Frame::Object(rows)),
            (b'{' | b'[', _) => self.open_unwanted(),
            (b',', _) if self.depth == 1 => self.element_last = false,
            (b' ' | b'\t' | b'\r' | b'\n' | b',', _) => {}
            // A number or word that nobody wants; but the word in OpenAI's `[DONE]` is wanted.
            _ if self.depth == 1 => self.scratch.push(&[byte]),
            _ => {}
        }
    }

    /// Takes the first byte of a value; false if it is to be looked at again in the new state.
    fn value(&mut self, byte: u8, then: Option<&'static Then>) -> bool {
        match byte {
            b':' | b' ' | b'\t' | b'\r' | b'\n' => true,
            b'"' => {
                self.scratch.clear();
                self.state = State::Text { then, escaped: false };
                true
            }
            b'{' | b'[' => {
                match (byte, then) {
                    (b'{', Some(Then::Object(rows))) => self.open(Frame::Object(rows)),
                    (b'[', Some(Then::Each(rows))) => self.open(Frame::Each(rows)),
                    (_, Some(Then::Present(mark))) => {
                        self.pending.mark(*mark);
                        self.open_unwanted();
                    }
                    _ => self.open_unwanted(),
                }
                true
            }
            b',' | b'}' | b']' => {
                self.state = State::Between;
                false
            }
            _ => {
                self.scratch.clear();
                self.state = then.map_or(State::Between, State::Word);
                false
            }
        }
    }

    /// Takes a byte of a number or word; false if it is what follows it.
    fn word(&mut self, byte: u8, then: &'static Then) -> bool {
        if !matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n') {
            self.scratch.push(&[byte]);
            return true;
        }
        let word = self.scratch.get();
        match then {
            Then::Present(mark) if word != Some("null") => self.pending.mark(*mark),
            Then::Count(count) => {
                if let Some(value) = word.and_then(digits) {
                    self.pending.count(*count, value);
                }
            }
            _ => {}
        }
        self.state = State::Between;
        false
    }

    /// Takes bytes of a key or text up to its closing quote or an escape; returns what follows.
    fn text<'b>(&mut self, bytes: &'b [u8], was_escaped: bool) -> &'b [u8] {
        if was_escaped {
            self.set_escaped(false);
            return &bytes[1..];
        }
        let end = memchr::memchr2(b'"', b'\\', bytes);
        if !matches!(self.state, State::Text { then: None, .. }) {
            self.scratch.push(&bytes[..end.unwrap_or(bytes.len())]);
        }
        let Some(end) = end else { return &[] };
        if bytes[end] == b'"' {
            self.text_ended();
        } else {
            // The words that a table knows have no escapes.
            self.scratch.spoil();
            self.set_escaped(true);
        }
        &bytes[end + 1..]
    }

    fn set_escaped(&mut self, now: bool) {
        if let State::Key { escaped } | State::Text { escaped, .. } = &mut self.state {
            *escaped = now;
        }
    }

    fn text_ended(&mut self) {
        if let (State::Key { .. }, Frame::Object(rows)) = (self.state, self.stack[self.depth - 1]) {
            let key = self.scratch.get();
            let row = rows.iter().find(|Row(name, _)| Some(*name) == key);
            self.state = State::Value(row.map(|Row(_, then)| then));
            return;
        }
        if let State::Text { then: Some(then), .. } = self.state {
            self.text_means(then);
        }
        self.state = if self.skipped > 0 { State::Skip } else { State::Between };
    }

    fn text_means(&mut self, then: &'static Then) {
        let text = self.scratch.get();
        match then {
            Then::Text(mark) if text != Some("") => self.pending.mark(*mark),
            Then::Present(mark) => self.pending.mark(*mark),
            Then::OneOf(texts) => {
                if let Some((_, mark)) = texts.iter().find(|(wanted, _)| Some(*wanted) == text) {
                    self.pending.mark(*mark);
                }
            }
            Then::Count(count) => {
                if let Some(value) = text.and_then(digits) {
                    self.pending.count(*count, value);
                }
            }
            _ => {}
        }
    }

    /// Takes bytes of a container that nobody wants; returns what follows it or its next text.
    fn skip<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'"' => {
                    self.state = State::Text { then: None, escaped: false };
                    return &bytes[at + 1..];
                }
                b'{' | b'[' => self.skipped += 1,
                b'}' | b']' => {
                    self.skipped -= 1;
                    if self.skipped == 0 {
                        self.state = State::Between;
                        return &bytes[at + 1..];
                    }
                }
                _ => {}
            }
        }
        &[]
    }

    fn open(&mut self, frame: Frame) {
        let Some(slot) = self.stack.get_mut(self.depth) else { return self.open_unwanted() };
        *slot = frame;
        self.depth += 1;
        self.scratch.clear();
        self.state = State::Between;
    }

    fn open_unwanted(&mut self) {
        self.skipped = 1;
        self.state = State::Skip;
    }

    fn close(&mut self) {
        if self.depth == 1 && self.in_array() && self.is_done() {
            self.pending.mark(Mark::Ended);
        }
        self.depth -= 1;
        if self.depth == 0 {
            self.state = State::Closed;
        }
        // An element counts once it is whole.
        if self.depth == 0 || self.at_top_array() {
            self.element_last = true;
            self.found.then(std::mem::take(&mut self.pending));
            self.scratch.clear();
        }
    }

    fn is_done(&self) -> bool {
        self.table.done.is_some_and(|done| self.scratch.get() == Some(done))
    }
}

/// A count in its plain form. Anything else (a sign, a fraction, more than 64 bits) is not known rather than wrong.
fn digits(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Room for a key, a word or a short text, which may come in pieces.
#[derive(Debug, Default)]
struct Scratch {
    bytes: [u8; Self::MAX],
    /// Above `MAX` if the text did not fit or is of no use.
    length: usize,
}

impl Scratch {
    /// Longer than every word of every table.
    const MAX: usize = 32;

    fn clear(&mut self) {
        self.length = 0;
    }

    fn spoil(&mut self) {
        self.length = Self::MAX + 1;
    }

    fn push(&mut self, piece: &[u8]) {
        let end = self.length.saturating_add(piece.len());
        match self.bytes.get_mut(self.length..end) {
            Some(room) => {
                room.copy_from_slice(piece);
                self.length = end;
            }
            None => self.spoil(),
        }
    }

    fn get(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes.get(..self.length)?).ok()
    }
}
