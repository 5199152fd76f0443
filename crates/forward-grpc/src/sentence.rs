//! The forwarder's fixed sentences, fixed on this side too.
//!
//! Reasons in errors are `&'static str`, so that no library's text can get into one. A forwarder has a few dozen of
//! them; each that arrives is kept once, for good, up to a bound.

use std::{collections::HashSet, sync::LazyLock};

use parking_lot::Mutex;

/// How many different sentences are kept; a forwarder that has more does not send fixed ones.
const KEPT_MAX: usize = 256;
/// The longest sentence, in bytes.
const LENGTH_MAX: usize = 256;
/// What stands for a sentence that is not kept.
const OTHER: &str = "its forwarder gave another reason";

static KEPT: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);

/// The sentence, as a constant.
pub(crate) fn fixed(said: &str) -> &'static str {
    keep(&mut KEPT.lock(), said)
}

fn keep(kept: &mut HashSet<&'static str>, said: &str) -> &'static str {
    if let Some(known) = kept.get(said) {
        return known;
    }
    if said.is_empty() || said.len() > LENGTH_MAX || said.contains(char::is_control) || kept.len() >= KEPT_MAX
    {
        return OTHER;
    }
    let said: &'static str = Box::leak(said.into());
    kept.insert(said);
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_kept_once_and_their_number_is_bounded() {
        let mut kept = HashSet::new();
        let first = keep(&mut kept, "it redirects");
        assert!(std::ptr::eq(first, keep(&mut kept, &String::from("it redirects"))));
        for number in 0..2 * KEPT_MAX {
            keep(&mut kept, &number.to_string());
        }
        assert_eq!(kept.len(), KEPT_MAX);
        assert_eq!(keep(&mut kept, "one more"), OTHER);
        assert_eq!(keep(&mut kept, "it redirects"), "it redirects");
    }

    #[test]
    fn what_is_no_sentence_is_not_kept() {
        let mut kept = HashSet::new();
        for said in ["", "two\nlines", &"x".repeat(LENGTH_MAX + 1)] {
            assert_eq!(keep(&mut kept, said), OTHER);
        }
        assert!(kept.is_empty());
    }
}
