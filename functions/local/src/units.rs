//! Quantities as people read and type them.

use std::{fmt::Display, str::FromStr, time::Duration};

use niente_model::Nanos;

/// `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 span`, `2 spans`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `512 B`, `1.5 KiB`, `20 MiB`.
pub(crate) fn bytes(number: u64) -> String {
    scaled(number as f64, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"], 1024.0)
}

/// `850 ns`, `1.5 ms`, `42 s`, `3m 20s`, `2h 05m`, `3d 04h`.
pub(crate) fn duration(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0..60 => scaled(length.as_nanos() as f64, &["ns", "µs", "ms", "s"], 1000.0),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d {:02}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// `2026-11-22 16:57:51.123`, in UTC.
pub(crate) fn moment(time: Nanos) -> String {
    let rfc3339 = time.to_string();
    let milliseconds = rfc3339.len() - "456789Z".len();
    rfc3339[..milliseconds].replace('T', " ")
}

/// `2026-11-22 16:57:51`, in UTC.
pub(crate) fn second(time: Nanos) -> String {
    let mut moment = moment(time);
    moment.truncate("2026-11-22 16:57:51".len());
    moment
}

/// A length of time as the libraries count it.
pub(crate) fn nanos(length: Duration) -> Nanos {
    u64::try_from(length.as_nanos()).ok().and_then(|nanos| Nanos::new(nanos).ok()).unwrap_or(Nanos::MAX)
}

/// A retention as people type it: `30d`, `2w`. A day expires as a whole.
pub(crate) fn whole_days(text: &str) -> Result<u32, String> {
    const DAY: u64 = 24 * 3_600;
    let length = humantime::parse_duration(text).map_err(|error| format!("{error}; write it like 30d"))?;
    let days = u32::try_from(length.as_secs() / DAY).ok();
    days.filter(|days| *days > 0 && Duration::from_secs(u64::from(*days) * DAY) == length)
        .ok_or_else(|| "a day expires as a whole: write whole days, at least one, like 30d".to_owned())
}

/// Three digits that matter and the largest unit that is not larger than the number.
fn scaled(number: f64, units: &[&str], step: f64) -> String {
    let (mut number, mut at) = (number, 0);
    // 999.6 would print as 1000: then the next unit is the readable one.
    while number >= step - 0.5 && at + 1 < units.len() {
        number /= step;
        at += 1;
    }
    let decimals = if at == 0 || number >= 99.95 {
        0
    } else if number >= 9.995 {
        1
    } else {
        2
    };
    let mut digits = format!("{number:.decimals$}");
    if digits.contains('.') {
        digits.truncate(digits.trim_end_matches('0').trim_end_matches('.').len());
    }
    format!("{digits} {}", units[at])
}

/// A number of bytes as people type it: `1048576`, `512K`, `64MiB`, `1g`, `10GB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ByteSize(pub(crate) usize);

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let scale: usize = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kib" => 1 << 10,
            "m" | "mib" => 1 << 20,
            "g" | "gib" => 1 << 30,
            "kb" => 1_000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            _ => return Err("write a number and B, KiB, MiB or GiB, or KB, MB or GB, such as 64MiB".to_owned()),
        };
        let number: usize = number.parse().map_err(|_| "write a whole number and a unit, such as 64MiB".to_owned())?;
        number.checked_mul(scale).map(Self).ok_or_else(|| "more bytes than this machine can count".to_owned())
    }
}

impl Display for ByteSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let exact = [(30, "GiB"), (20, "MiB"), (10, "KiB")]
            .into_iter()
            .find(|(shift, _)| self.0 > 0 && self.0.is_multiple_of(1 << shift));
        match exact {
            Some((shift, unit)) => write!(f, "{}{unit}", self.0 >> shift),
            None => write!(f, "{}B", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(count(number), text);
        }
        assert_eq!(counted(1, "span"), "1 span");
        assert_eq!(counted(1_000, "span"), "1,000 spans");
    }

    #[test]
    fn bytes_have_three_digits() {
        for (number, text) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1 KiB"),
            (1_536, "1.5 KiB"),
            (1_047_000, "1022 KiB"),
            (1_048_575, "1 MiB"),
            (20 << 20, "20 MiB"),
            (u64::MAX, "16384 PiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn durations_are_told_in_the_units_that_matter() {
        for (nanos, text) in [
            (0, "0 ns"),
            (850, "850 ns"),
            (999_999, "1 ms"),
            (1_504_000, "1.5 ms"),
            (12_345_678, "12.3 ms"),
            (42_000_000_000, "42 s"),
            (200_000_000_000, "3m 20s"),
            (7_500_000_000_000, "2h 05m"),
            (270_000_000_000_000, "3d 03h"),
        ] {
            assert_eq!(duration(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn moments_are_utc_to_the_millisecond() {
        assert_eq!(moment(Nanos::new(1_793_577_605_026_956_407).unwrap()), "2026-11-02 00:00:05.026");
    }

    #[test]
    fn sizes_are_read_as_they_are_printed() {
        for (text, size, printed) in [
            ("0", 0, "0B"),
            ("1500", 1_500, "1500B"),
            ("512K", 512 << 10, "512KiB"),
            ("64MiB", 64 << 20, "64MiB"),
            ("2 gib", 2 << 30, "2GiB"),
        ] {
            let parsed: ByteSize = text.parse().unwrap();
            assert_eq!(parsed, ByteSize(size));
            assert_eq!(parsed.to_string(), printed);
            assert_eq!(printed.parse(), Ok(parsed));
        }
        for (text, bytes) in [("5KB", 5_000), ("5mb", 5_000_000), ("10 GB", 10_000_000_000)] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)));
        }
        for wrong in ["", "MiB", "1.5MiB", "-1", "1 parsec", "99999999999GiB"] {
            assert!(wrong.parse::<ByteSize>().is_err(), "{wrong}");
        }
    }
}
