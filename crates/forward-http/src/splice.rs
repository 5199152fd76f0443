//! Puts a target's model into a request's body as it passes: bytes are shared, never copied, and nothing is parsed.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use forward::{Body, BodyError, ForwardError, Splice, SpliceForm};
use http_body::{Frame, SizeHint};

/// `body` with `model` put in at every one of `splices`, and its length, where `length` was known.
///
/// # Errors
/// [`ForwardError::Internal`] where the splices are not in order, touch, or go beyond the length.
pub fn spliced(
    body: Body,
    length: Option<u64>,
    splices: &[Splice],
    model: &str,
) -> Result<(Body, Option<u64>), ForwardError> {
    if splices.is_empty() {
        return Ok((body, length));
    }
    let mut pieces = VecDeque::with_capacity(splices.len());
    let (mut end, mut added, mut removed) = (0, 0, 0);
    for splice in splices {
        let after = splice.at.checked_add(splice.length).filter(|_| splice.at >= end);
        end = after.ok_or(ForwardError::Internal)?;
        let put = written(splice.form, model)?;
        added += put.len() as u64;
        removed += splice.length;
        pieces.push_back(Piece { at: splice.at, end, put: Some(put) });
    }
    if length.is_some_and(|length| length < end) {
        return Err(ForwardError::Internal);
    }
    let length = length.map(|length| length - removed + added);
    let spliced = Spliced { inner: body, read: Bytes::new(), at: 0, pieces, length, ended: false };
    Ok((Body::new(spliced), length))
}

fn written(form: SpliceForm, model: &str) -> Result<Bytes, ForwardError> {
    let quoted = || serde_json::to_string(model).map_err(|_| ForwardError::Internal);
    Ok(match form {
        SpliceForm::Json => {
            let quoted = Bytes::from(quoted()?);
            quoted.slice(1..quoted.len() - 1)
        }
        SpliceForm::Text => Bytes::copy_from_slice(model.as_bytes()),
        SpliceForm::Member { last } => {
            Bytes::from(["\"model\":", &quoted()?, if last { "" } else { "," }].concat())
        }
    })
}

/// From `at` on, the bytes up to `end` are replaced by `put`.
struct Piece {
    at: u64,
    end: u64,
    /// None once it was given.
    put: Option<Bytes>,
}

struct Spliced {
    inner: Body,
    /// Read and not given yet.
    read: Bytes,
    /// Where `read` begins in the original.
    at: u64,
    /// What is still to be done.
    pieces: VecDeque<Piece>,
    /// Bytes still to be given, where that is known.
    length: Option<u64>,
    ended: bool,
}

impl Spliced {
    /// What can be given of what was read; none where more must be read.
    fn next(&mut self) -> Option<Bytes> {
        loop {
            let Some(piece) = self.pieces.front_mut() else {
                self.at += self.read.len() as u64;
                return Some(std::mem::take(&mut self.read)).filter(|bytes| !bytes.is_empty());
            };
            if self.at < piece.at {
                if self.read.is_empty() {
                    return None;
                }
                let before = take(&mut self.read, piece.at - self.at);
                self.at += before.len() as u64;
                return Some(before);
            }
            if let Some(put) = piece.put.take().filter(|put| !put.is_empty()) {
                return Some(put);
            }
            let replaced = take(&mut self.read, piece.end - self.at);
            self.at += replaced.len() as u64;
            if self.at < piece.end {
                return None;
            }
            self.pieces.pop_front();
        }
    }
}

/// Splits off the first bytes, `wanted` of them or as many as there are.
fn take(bytes: &mut Bytes, wanted: u64) -> Bytes {
    let there = bytes.len();
    bytes.split_to(usize::try_from(wanted).map_or(there, |wanted| wanted.min(there)))
}

impl http_body::Body for Spliced {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        loop {
            if let Some(bytes) = this.next() {
                this.length = this.length.map(|length| length.saturating_sub(bytes.len() as u64));
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if this.ended {
                return Poll::Ready(None);
            }
            match std::task::ready!(Pin::new(&mut this.inner).poll_frame(context)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        this.read = data;
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    this.ended = true;
                    if !this.pieces.is_empty() {
                        this.pieces.clear();
                        let error = BodyError::Broken("the body ended before the place of its model");
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.length == Some(0) && self.pieces.is_empty() && self.read.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map(SizeHint::with_exact).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, StreamBody};
    use proptest::prelude::*;

    use super::*;

    const MODEL: &str = "provider/\"model\"-é";

    fn in_pieces(bytes: &[u8], cuts: &[usize]) -> Body {
        let mut rest = bytes;
        let mut frames = Vec::new();
        for cut in cuts {
            let (head, tail) = rest.split_at((*cut).min(rest.len()));
            frames.push(Ok(Frame::data(Bytes::copy_from_slice(head))));
            rest = tail;
        }
        frames.push(Ok(Frame::data(Bytes::copy_from_slice(rest))));
        Body::new(StreamBody::new(futures_util::stream::iter(frames)))
    }

    fn at_once(bytes: &[u8], splices: &[Splice]) -> Vec<u8> {
        let (mut whole, mut from) = (Vec::new(), 0);
        for splice in splices {
            let at = usize::try_from(splice.at).unwrap();
            whole.extend_from_slice(&bytes[from..at]);
            whole.extend_from_slice(&written(splice.form, MODEL).unwrap());
            from = at + usize::try_from(splice.length).unwrap();
        }
        whole.extend_from_slice(&bytes[from..]);
        whole
    }

    fn collected(body: Body) -> Result<Bytes, BodyError> {
        futures_util::FutureExt::now_or_never(body.collect())
            .unwrap()
            .map(http_body_util::Collected::to_bytes)
    }

    fn form() -> impl Strategy<Value = SpliceForm> {
        let member = any::<bool>().prop_map(|last| SpliceForm::Member { last });
        prop_oneof![Just(SpliceForm::Json), Just(SpliceForm::Text), member]
    }

    proptest! {
        /// However the body is cut and wherever the model goes, the bytes are those of the whole, and as many as was said.
        #[test]
        fn any_cut_gives_what_the_whole_gives(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            cuts in proptest::collection::vec(0..40_usize, 0..20),
            places in proptest::collection::vec((0..40_u64, 0..12_u64, form()), 0..6),
            is_known in any::<bool>(),
        ) {
            let (mut splices, mut end) = (Vec::new(), 0);
            for (gap, length, form) in places {
                let at = end + gap;
                if at + length > bytes.len() as u64 {
                    break;
                }
                splices.push(Splice { at, length, form });
                end = at + length;
            }
            let expected = at_once(&bytes, &splices);
            let known = is_known.then_some(bytes.len() as u64);
            let (body, length) = spliced(in_pieces(&bytes, &cuts), known, &splices, MODEL).unwrap();
            prop_assert_eq!(length, is_known.then_some(expected.len() as u64));
            if length.is_some() && !splices.is_empty() {
                prop_assert_eq!(http_body::Body::size_hint(&body).exact(), length);
            }
            prop_assert_eq!(collected(body).unwrap(), expected);
        }
    }

    #[test]
    fn forms() {
        let put = |form| written(form, "a\"/\u{1}é").unwrap();
        assert_eq!(put(SpliceForm::Json), "a\\\"/\\u0001é");
        assert_eq!(put(SpliceForm::Text), "a\"/\u{1}é");
        assert_eq!(put(SpliceForm::Member { last: false }), "\"model\":\"a\\\"/\\u0001é\",");
        assert_eq!(put(SpliceForm::Member { last: true }), "\"model\":\"a\\\"/\\u0001é\"");
    }

    #[test]
    fn a_large_body_is_not_copied() {
        let large = Bytes::from(vec![b'x'; 1 << 20]);
        let splice = Splice { at: 1 << 19, length: 4, form: SpliceForm::Json };
        let (mut body, _) = spliced(forward::full(large.clone()), Some(1 << 20), &[splice], MODEL).unwrap();
        let first = futures_util::FutureExt::now_or_never(body.frame()).unwrap().unwrap().unwrap();
        assert_eq!(first.data_ref().unwrap().as_ptr(), large.as_ptr());
    }

    #[test]
    fn splices_that_cannot_be_made() {
        let json = |at, length| Splice { at, length, form: SpliceForm::Json };
        for wrong in [
            vec![json(2, 3), json(4, 1)],
            vec![json(5, 1), json(0, 1)],
            vec![json(9, 2)],
            vec![json(u64::MAX, 1)],
        ] {
            let refused = spliced(forward::full("0123456789"), Some(10), &wrong, MODEL).map(drop);
            assert_eq!(refused, Err(ForwardError::Internal), "{wrong:?}");
        }
        let (body, _) = spliced(forward::full("01"), None, &[json(3, 0)], MODEL).unwrap();
        assert!(matches!(collected(body), Err(BodyError::Broken(_))));
    }
}
