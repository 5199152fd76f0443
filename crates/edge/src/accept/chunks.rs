//! The chunked transfer coding, followed strictly and in pieces, so that the reader knows where a body ends.
//!
//! Source: RFC 9112, section 7.1. Stricter than it: no blank around the size, at most 15 digits, and bounds on what is
//! not data.

use super::scan::Violation;

/// Most bytes that are not data in one body: size lines, extensions, trailers.
const OVERHEAD_MAX: usize = 16 * 1024;
/// What each chunk's framing may use up beyond that, so that many small chunks of an honest client pass.
const FREE_PER_CHUNK: usize = 20;
/// More digits than any length that fits a signed 64-bit number.
const DIGITS_MAX: u8 = 15;

/// Where in a chunked body the reader stands.
#[derive(Debug)]
pub(super) struct Chunks {
    at: At,
    overhead: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Size { digits: u8, size: u64 },
    Extension { size: u64 },
    SizeLf { size: u64 },
    Data { left: u64 },
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
    End,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { at: At::Size { digits: 0, size: 0 }, overhead: 0 }
    }
}

impl Chunks {
    /// Follows `bytes` up to the body's end at most: how many of them belong to the body. After the end, [`Self::ended`].
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Result<usize, Violation> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match self.at {
                At::End => break,
                At::Data { left } => {
                    let here = left.min((bytes.len() - at) as u64);
                    at += usize::try_from(here).unwrap_or(bytes.len() - at);
                    self.at = if left == here { At::DataCr } else { At::Data { left: left - here } };
                }
                _ => {
                    self.step(*byte)?;
                    at += 1;
                }
            }
        }
        Ok(at)
    }

    /// Whether the last byte of the body was followed.
    pub(super) fn ended(&self) -> bool {
        self.at == At::End
    }

    /// One byte that is not data.
    fn step(&mut self, byte: u8) -> Result<(), Violation> {
        self.overhead += 1;
        if self.overhead > OVERHEAD_MAX {
            return Err(Violation::Malformed("a chunked body holds too much besides its data"));
        }
        self.at = match (self.at, byte) {
            (At::Size { digits, size }, byte) if byte.is_ascii_hexdigit() && digits < DIGITS_MAX => {
                At::Size { digits: digits + 1, size: size << 4 | u64::from(hex(byte)) }
            }
            (At::Size { digits: 1.., size }, b';') | (At::Extension { size }, b'\t' | b' '..=b'~') => {
                At::Extension { size }
            }
            (At::Size { digits: 1.., size } | At::Extension { size }, b'\r') => At::SizeLf { size },
            (At::SizeLf { size: 0 } | At::TrailerLf, b'\n') => At::TrailerStart,
            (At::SizeLf { size }, b'\n') => At::Data { left: size },
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => {
                self.overhead = self.overhead.saturating_sub(FREE_PER_CHUNK);
                At::Size { digits: 0, size: 0 }
            }
            (At::TrailerStart, b'\r') => At::EndLf,
            (At::TrailerStart | At::Trailer, b'!'..=b'~') | (At::Trailer, b'\t' | b' ') => At::Trailer,
            (At::Trailer, b'\r') => At::TrailerLf,
            (At::EndLf, b'\n') => At::End,
            _ => return Err(Violation::Malformed("the chunked coding of the body is broken")),
        };
        Ok(())
    }
}

/// The value of a hexadecimal digit.
fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows `text` in pieces of every length; all must say the same.
    fn follow(text: &[u8]) -> Result<(usize, bool), Violation> {
        let in_pieces = |len: usize| {
            let mut chunks = Chunks::default();
            let mut followed = 0;
            for piece in text.chunks(len) {
                followed += chunks.follow(piece)?;
            }
            Ok((followed, chunks.ended()))
        };
        let whole = in_pieces(text.len());
        for len in 1..text.len() {
            assert_eq!(in_pieces(len), whole, "{len}");
        }
        whole
    }

    #[test]
    fn a_body_ends_where_it_ends() {
        for body in [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "A;x=\"y\"\r\n0123456789\r\n1\r\na\r\n0\r\nT: x y\r\nU:\r\n\r\n",
        ] {
            let text = format!("{body}GET / HTTP/1.1\r\n");
            assert_eq!(follow(text.as_bytes()), Ok((body.len(), true)), "{body}");
            assert_eq!(follow(&text.as_bytes()[..body.len() - 1]), Ok((body.len() - 1, false)), "{body}");
        }
    }

    #[test]
    fn what_readers_may_read_differently_is_refused() {
        for wrong in [
            "0x3\r\nabc\r\n0\r\n\r\n",
            "\r\n",
            " 3\r\nabc\r\n",
            "3 \r\nabc\r\n",
            "+3\r\nabc\r\n",
            "3\nabc\n0\n\n",
            "3;a\nb\r\nabc\r\n",
            "3\r\nabcX",
            "3\r\nabc\n0\r\n\r\n",
            "1000000000000000\r\n",
            "0\r\n x: y\r\n\r\n",
        ] {
            assert!(follow(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_not_data_is_bounded() {
        let extension = format!("1;{}\r\na\r\n", "x".repeat(OVERHEAD_MAX));
        assert!(Chunks::default().follow(extension.as_bytes()).is_err());
        let trailers = format!("0\r\n{}\r\n", "T: x\r\n".repeat(OVERHEAD_MAX / 6));
        assert!(Chunks::default().follow(trailers.as_bytes()).is_err());
        let small = "1\r\na\r\n".repeat(100_000);
        assert_eq!(Chunks::default().follow(small.as_bytes()), Ok(small.len()));
    }
}
