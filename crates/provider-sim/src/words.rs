//! Scripts written in a model's name, so that a client alone can ask for a fault: `sim-429`, `sim-cut700-rst`,
//! `sim-everybyte-gzip`. Only characters that an endpoint's name may have are used.

use std::time::Duration;

use crate::script::{Act, Body, Cut, End, Framing, Script, Split};

/// The beginning of a model's name that is a script.
pub const PREFIX: &str = "sim-";

impl Script {
    /// Reads a model's name such as `sim-cut700-rst`. None if it is not such a name, or holds a word that is none of:
    ///
    /// | word | means |
    /// |---|---|
    /// | `429`, `503`, … | that status, with the provider's error body |
    /// | `cutN` | cut after N bytes of body, then `close` (default), `rst`, `hang` or `clean` |
    /// | `everybyte`, `whole`, `everyN` | how the body is split into writes |
    /// | `gzip`; `length`, `chunked`, `eof`; `longN`, `shortN` | encoding; framing; a wrong length |
    /// | `headN`, `paceN` | milliseconds before the head, before each further piece |
    /// | `genCxS` | C generated events of S bytes |
    /// | `play.NAME` | the recording of that name |
    /// | `never`, `closebefore`, `closeafter`, `rstafter`, `refuse`, `early` | as [`Act`] |
    pub fn from_words(model: &str) -> Option<Self> {
        let words = model.strip_prefix(PREFIX)?;
        let mut script = Self::default();
        for word in words.split('-') {
            script = script.word(word)?;
        }
        Some(script)
    }

    fn word(self, word: &str) -> Option<Self> {
        let plain = match word {
            "close" => return self.cut_how(Cut::Close),
            "rst" => return self.cut_how(Cut::Reset),
            "hang" => return self.cut_how(Cut::Silence),
            "clean" => return self.cut_how(Cut::Clean),
            "everybyte" => Self { split: Split::EveryByte, ..self },
            "whole" => Self { split: Split::Whole, ..self },
            "gzip" => Self { gzip: true, ..self },
            "length" => Self { framing: Framing::Length, ..self },
            "chunked" => Self { framing: Framing::Chunked, ..self },
            "eof" => Self { framing: Framing::Close, ..self },
            "never" => Self { act: Act::Never, ..self },
            "closebefore" => Self { act: Act::CloseBeforeBody, ..self },
            "closeafter" => Self { act: Act::CloseAfterBody, ..self },
            "rstafter" => Self { act: Act::ResetAfterBody, ..self },
            "refuse" => Self { act: Act::Refuse, ..self },
            "early" => Self { act: Act::AnswerEarly, ..self },
            _ => return self.number_word(word),
        };
        Some(plain)
    }

    fn cut_how(self, how: Cut) -> Option<Self> {
        match self.end {
            End::Cut { at, .. } => Some(self.cut(at, how)),
            End::Clean => None,
        }
    }

    fn number_word(self, word: &str) -> Option<Self> {
        if let Some(name) = word.strip_prefix("play.") {
            return Some(Self { body: Body::Recording(name.to_owned()), ..self });
        }
        if let Some((chunks, size)) = word.strip_prefix("gen").and_then(|rest| rest.split_once('x')) {
            let body = Body::Generated { chunks: chunks.parse().ok()?, size: size.parse().ok()? };
            return Some(Self { body, ..self });
        }
        let digits = word.find(|character: char| character.is_ascii_digit())?;
        let (name, number) = word.split_at(digits);
        let number: u32 = number.parse().ok()?;
        let at = number as usize;
        Some(match name {
            "" if (200..600).contains(&number) => self.with_status(u16::try_from(number).ok()?),
            "cut" => self.cut(at, Cut::Close),
            "every" if at > 0 => Self { split: Split::Every(at), ..self },
            "long" => Self { framing: Framing::Wrong(i64::from(number)), ..self },
            "short" => Self { framing: Framing::Wrong(-i64::from(number)), ..self },
            "head" => Self { head_delay: Duration::from_millis(number.into()), ..self },
            "pace" => Self { piece_delay: Duration::from_millis(number.into()), ..self },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_they_mean() {
        let script = Script::from_words("sim-503-cut70-rst-everybyte-gzip-short3-pace2").unwrap();
        assert_eq!(script.status, 503);
        assert_eq!(script.end, End::Cut { at: 70, how: Cut::Reset });
        assert_eq!(script.split, Split::EveryByte);
        assert!(script.gzip);
        assert_eq!(script.framing, Framing::Wrong(-3));
        assert_eq!(script.piece_delay, Duration::from_millis(2));
        let played = Script::from_words("sim-play.stream_web_fetch_2.5_flash-every7").unwrap();
        assert_eq!(played.body, Body::Recording("stream_web_fetch_2.5_flash".to_owned()));
        assert_eq!(played.split, Split::Every(7));
        assert_eq!(
            Script::from_words("sim-gen20x260").unwrap().body,
            Body::Generated { chunks: 20, size: 260 }
        );
    }

    #[test]
    fn other_names_are_models() {
        for name in ["gemini-2.5-flash", "sim-", "sim-rst", "sim-what", "sim-99", "sim-every0", "sim-cut"] {
            assert!(Script::from_words(name).is_none(), "{name}");
        }
    }
}
