//! Quantities on command lines: `64K`, `100M`, `20ms`, `0.5` percent; and in what is printed.

use std::fmt;

use cygnet::Duration;
use cygnet_link::{Probability, ppm};

/// Parses a size in bytes, with `K`, `M` or `G` for powers of 1024.
///
/// # Errors
///
/// What is wrong with it, for clap.
pub fn size(text: &str) -> Result<u64, String> {
    let (number, factor) = scaled(text, 1024);
    let number: u64 = number
        .parse()
        .map_err(|_| "use a number of bytes such as 65536, 64K, 16M or 1G".to_owned())?;
    number
        .checked_mul(factor)
        .ok_or_else(|| "too large".to_owned())
}

/// Parses the size in bytes of a buffer: as [`size()`], from 1 to 1 GiB.
///
/// # Errors
///
/// What is wrong with it, for clap.
pub fn buffer_size(text: &str) -> Result<usize, String> {
    match size(text)? {
        len @ 1..=0x4000_0000 => Ok(len as usize),
        _ => Err("use a size from 1 to 1G".to_owned()),
    }
}

/// Parses a rate in bits per second, with `K`, `M` or `G` for powers of 1000.
///
/// # Errors
///
/// What is wrong with it, for clap.
pub fn bit_rate(text: &str) -> Result<u64, String> {
    let (number, factor) = scaled(text, 1000);
    let number: f64 = non_negative(number).ok_or("use bits per second such as 500K, 100M or 1G")?;
    // Up, since none at all stands for any number.
    Ok((number * factor as f64).ceil() as u64)
}

/// Parses a chance in percent, with decimals.
///
/// # Errors
///
/// What is wrong with it, for clap.
pub fn chance(text: &str) -> Result<Probability, String> {
    non_negative(text.trim_end_matches('%'))
        .filter(|percent| *percent <= 100.0)
        .map(|percent| ppm((percent * 10_000.0).round() as u32))
        .ok_or_else(|| "use a percentage from 0 to 100".to_owned())
}

/// Parses a time with the unit `s`, `ms` or `us`; `ms` if there is none.
///
/// # Errors
///
/// What is wrong with it, for clap.
pub fn time(text: &str) -> Result<Duration, String> {
    let (number, micros) = if let Some(number) = text.strip_suffix("us") {
        (number, 1.0)
    } else if let Some(number) = text.strip_suffix("ms") {
        (number, 1e3)
    } else if let Some(number) = text.strip_suffix('s') {
        (number, 1e6)
    } else {
        (text, 1e3)
    };
    non_negative(number)
        .map(|number| Duration::from_micros((number * micros).round() as u64))
        .ok_or_else(|| "use a time such as 20ms, 1.5s or 100us".to_owned())
}

/// A rate, printed in the unit that fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BitRate(f64);

impl BitRate {
    /// That many bytes in that many seconds.
    pub fn new(bytes: u64, seconds: f64) -> Self {
        Self(bytes as f64 * 8.0 / seconds)
    }

    /// In Gbit/s.
    pub fn as_gigabits(self) -> f64 {
        self.0 / 1e9
    }
}

impl fmt::Display for BitRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            rate if !rate.is_finite() => f.write_str("unlimited"),
            rate if rate >= 1e9 => write!(f, "{:.3} Gbit/s", rate / 1e9),
            rate if rate >= 1e6 => write!(f, "{:.3} Mbit/s", rate / 1e6),
            rate => write!(f, "{:.3} kbit/s", rate / 1e3),
        }
    }
}

fn scaled(text: &str, base: u64) -> (&str, u64) {
    let suffixes = [('k', base), ('m', base.pow(2)), ('g', base.pow(3))];
    for (letter, factor) in suffixes {
        if let Some(number) = text.strip_suffix([letter, letter.to_ascii_uppercase()]) {
            return (number, factor);
        }
    }
    (text, 1)
}

fn non_negative(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_binary_and_rates_decimal() {
        assert_eq!(size("12"), Ok(12));
        assert_eq!(size("64K"), Ok(65_536));
        assert_eq!(size("1g"), Ok(1 << 30));
        assert_eq!(bit_rate("100M"), Ok(100_000_000));
        assert_eq!(bit_rate("2.5G"), Ok(2_500_000_000));
        assert_eq!(bit_rate("0.5"), Ok(1));
    }

    #[test]
    fn times_have_units() {
        assert_eq!(time("20"), Ok(Duration::from_millis(20)));
        assert_eq!(time("0.5ms"), Ok(Duration::from_micros(500)));
        assert_eq!(time("70us"), Ok(Duration::from_micros(70)));
        assert_eq!(time("2s"), Ok(Duration::from_secs(2)));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "x", "-1", "1T", "99999999999999999999G", "1.5"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert!(size("99999999999G").is_err());
        assert!(buffer_size("0").is_err());
        assert!(buffer_size("2G").is_err());
        for text in ["101", "-1", "NaN", "inf", ""] {
            assert!(chance(text).is_err(), "{text}");
        }
        assert!(time("soon").is_err());
        assert!(bit_rate("-5M").is_err());
    }

    #[test]
    fn chances_keep_four_decimals() {
        assert_eq!(chance("0.0001"), Ok(ppm(1)));
        assert_eq!(chance("12.5%"), Ok(ppm(125_000)));
    }
}
