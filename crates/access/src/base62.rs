//! Numbers as digits of base 62, of a fixed width, and the CRC-32 that ends a key.

/// The digits in the order of their value, as GitHub's tokens have them.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether a byte is such a digit.
pub(crate) const fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// Writes a big-endian number, which is used up on the way, into all of `digits`; what does not fit is dropped.
#[expect(
    clippy::cast_possible_truncation,
    reason = "remainder < 62, so (remainder * 256 + byte) / 62 <= 255"
)]
pub(crate) fn encode(number: &mut [u8], digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u16;
        for byte in number.iter_mut() {
            let value = remainder * 256 + u16::from(*byte);
            *byte = (value / 62) as u8;
            remainder = value % 62;
        }
        *digit = ALPHABET[usize::from(remainder)];
    }
}

/// CRC-32 (IEEE 802.3, reflected), as zlib's: what secret scanners compute.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        let crc = crc ^ u32::from(*byte);
        let crc = (crc >> 4) ^ NIBBLES[(crc & 15) as usize];
        (crc >> 4) ^ NIBBLES[(crc & 15) as usize]
    })
}

/// What four bits do to the remainder: sixteen words, which lie in one or two lines of the cache whatever is read.
const NIBBLES: [u32; 16] = nibbles();

const fn nibbles() -> [u32; 16] {
    let mut table = [0; 16];
    let mut nibble = 0_u32;
    while nibble < 16 {
        let mut crc = nibble;
        let mut bit = 0;
        while bit < 4 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[nibble as usize] = crc;
        nibble += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits<const WIDTH: usize>(number: &[u8]) -> String {
        let mut digits = [0; WIDTH];
        encode(&mut number.to_vec(), &mut digits);
        String::from_utf8(digits.to_vec()).unwrap()
    }

    #[test]
    fn numbers_have_a_fixed_width() {
        assert_eq!(digits::<3>(&[0]), "000");
        assert_eq!(digits::<3>(&[61]), "00z");
        assert_eq!(digits::<3>(&[62]), "010");
        assert_eq!(digits::<1>(&[62]), "0");
        // 2**256 - 1 and 2**32 - 1, by `tests/vectors.py`.
        assert_eq!(digits::<43>(&[255; 32]), "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
        assert_eq!(digits::<6>(&[255; 4]), "4gfFC3");
    }

    #[test]
    fn checksum_is_that_of_zlib() {
        // The check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }
}
