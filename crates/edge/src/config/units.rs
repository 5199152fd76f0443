//! Durations and sizes as people write them: a whole number and a unit.

/// The number before the unit and the unit's worth.
fn split<'a>(text: &'a str, units: &[(&str, u64)]) -> Option<(&'a str, u64)> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    let (_, worth) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    Some((number, *worth))
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, worth) = split(text, units)?;
    number.parse::<u64>().ok()?.checked_mul(worth)
}

/// In the largest unit that divides it.
fn show(value: u64, units: &[(&str, u64)]) -> String {
    let fits = |worth: u64| value.is_multiple_of(worth) && value > 0;
    let (name, worth) =
        units.iter().rev().find(|(_, worth)| fits(*worth)).or(units.first()).unwrap_or(&("", 1));
    format!("{}{name}", value / worth)
}

const TIMES: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
const SIZES: &[(&str, u64)] = &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// A duration: `250ms`, `10s`, `5m`, `1h`; from 1 ms to a year.
pub(super) mod duration {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    const YEAR_MS: u64 = 365 * 24 * 3_600_000;

    /// Writes it with the largest unit that divides it.
    pub(in super::super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        let ms = u64::try_from(value.as_millis()).unwrap_or(YEAR_MS);
        to.serialize_str(&super::show(ms, super::TIMES))
    }

    /// Reads a number and a unit.
    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(from)?;
        match super::parse(&text, super::TIMES) {
            Some(ms) if (1..=YEAR_MS).contains(&ms) => Ok(Duration::from_millis(ms)),
            _ => Err(D::Error::custom(
                "a duration is a whole number above 0 and a unit: `250ms`, `10s`, `5m`, `1h`",
            )),
        }
    }
}

/// A number of bytes: `512B`, `32KiB`, `4MiB`, `1GiB`.
pub(super) mod size {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    /// Writes it with the largest unit that divides it.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference to every such function")]
    pub(in super::super) fn serialize<S: Serializer>(value: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::show(*value, super::SIZES))
    }

    /// Reads a number and a unit.
    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        let text = String::deserialize(from)?;
        super::parse(&text, super::SIZES).ok_or_else(|| {
            D::Error::custom("a size is a whole number and a unit: `512B`, `32KiB`, `4MiB`, `1GiB`")
        })
    }
}

/// A number of bytes, where one is written.
pub(super) mod optional_size {
    use serde::{Deserializer, Serializer};

    /// As [`super::size`].
    #[expect(clippy::ref_option, reason = "serde hands a reference to every such function")]
    pub(in super::super) fn serialize<S: Serializer>(value: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::size::serialize(value, to),
            None => to.serialize_none(),
        }
    }

    /// As [`super::size`].
    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        super::size::deserialize(from).map(Some)
    }
}

/// A share in percent: a whole number from 1 to 100.
pub(super) mod percent {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    /// Writes the number.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference to every such function")]
    pub(in super::super) fn serialize<S: Serializer>(value: &u8, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(*value)
    }

    /// Reads a number.
    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
        match u8::deserialize(from)? {
            value @ 1..=100 => Ok(value),
            _ => Err(D::Error::custom("a share is a whole number of percent, from 1 to 100")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_need_a_unit_and_fit() {
        for (text, ms) in
            [("250ms", 250), ("10s", 10_000), ("5m", 300_000), ("1h", 3_600_000), ("2 s", 2_000)]
        {
            assert_eq!(parse(text, TIMES), Some(ms), "{text}");
        }
        for wrong in ["", "10", "s", "-1s", "1.5s", "10d", "99999999999999999999s", "1s1s"] {
            assert_eq!(parse(wrong, TIMES), None, "{wrong}");
        }
        assert_eq!(show(90_000, TIMES), "90s");
        assert_eq!(show(0, SIZES), "0B");
        assert_eq!(show(4 << 20, SIZES), "4MiB");
    }
}
