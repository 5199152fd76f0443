//! What a dialect wants to know of the JSON that passes: keys by their path, and what their values mean.

use super::Usage;

/// Everything that one operation's answers are read for.
#[derive(Debug)]
pub(crate) struct Table {
    /// The keys of one element: of a whole answer, of one event's data, of one element of an array at the top.
    pub(crate) rows: &'static [Row],
    /// The bare word in brackets that ends a stream: `DONE` in OpenAI's.
    pub(crate) done: Option<&'static str>,
}

/// One key, and what to do with its value. Keys are compared as they are written: providers do not escape theirs.
#[derive(Debug)]
pub(crate) struct Row(pub(crate) &'static str, pub(crate) Then);

/// What a value is for.
#[derive(Debug)]
pub(crate) enum Then {
    /// An object with these keys.
    Object(&'static [Row]),
    /// An array of objects with these keys.
    Each(&'static [Row]),
    /// Any text but the empty one is this mark; `null` is not.
    Text(Mark),
    /// These texts are these marks.
    OneOf(&'static [(&'static str, Mark)]),
    /// Any value but `null` is this mark.
    Present(Mark),
    /// A count, as a number or, as protobuf's JSON writes an int64, as a text of digits.
    Count(Count),
}

/// What an answer says of itself.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mark {
    /// It is complete.
    Ended,
    /// The provider failed.
    Failed,
}

/// Which count.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Count {
    Input,
    Output,
    Cached,
    Thoughts,
    ToolUse,
}

/// What was found so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    pub(super) ended: bool,
    pub(super) failed: bool,
    pub(super) usage: Usage,
}

impl Found {
    pub(super) fn mark(&mut self, mark: Mark) {
        match mark {
            Mark::Ended => self.ended = true,
            Mark::Failed => self.failed = true,
        }
    }

    pub(super) fn count(&mut self, count: Count, value: u64) {
        let usage = &mut self.usage;
        let field = match count {
            Count::Input => &mut usage.input,
            Count::Output => &mut usage.output,
            Count::Cached => &mut usage.cached,
            Count::Thoughts => &mut usage.thoughts,
            Count::ToolUse => &mut usage.tool_use,
        };
        *field = Some(value);
    }

    /// Adds what a later element says. Counts are cumulative, so the last of each is taken, never the sum; one that a later
    /// element leaves out stays (Vertex's usage is at times only a traffic type).
    pub(super) fn then(&mut self, later: Self) {
        self.ended |= later.ended;
        self.failed |= later.failed;
        let (usage, later) = (&mut self.usage, later.usage);
        usage.input = later.input.or(usage.input);
        usage.output = later.output.or(usage.output);
        usage.cached = later.cached.or(usage.cached);
        usage.thoughts = later.thoughts.or(usage.thoughts);
        usage.tool_use = later.tool_use.or(usage.tool_use);
    }
}
