//! Durations as the language spells them, and as Go prints them.

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000_000;
const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Units of whole numbers, from large to small.
const PROMETHEUS_UNITS: &[(&str, i64)] =
    &[("y", 365 * DAY), ("w", 7 * DAY), ("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", MILLISECOND)];

/// Units of decimals. The two signs for micro are different characters.
const GO_UNITS: &[(&str, i64)] = &[
    ("ns", 1),
    ("us", MICROSECOND),
    ("\u{b5}s", MICROSECOND),
    ("\u{3bc}s", MICROSECOND),
    ("ms", MILLISECOND),
    ("s", SECOND),
    ("m", MINUTE),
    ("h", HOUR),
];

/// Reads an unsigned duration token into nanoseconds; `None` if it is none, or does not fit.
///
/// Two families are tried, and never mixed: Prometheus' (`1d12h`: whole numbers, from `y` down to `ms`, each unit
/// once) and Go's (`1.5h`, `100us`, `30m1h`: decimals, from `h` down to `ns`, in any order).
///
/// ```
/// use niente_traceql::parse_duration;
///
/// assert_eq!(parse_duration("1d12h"), Some(36 * 3_600_000_000_000));
/// assert_eq!(parse_duration("1.5ms"), Some(1_500_000));
/// assert_eq!(parse_duration("1.5d"), None);
/// ```
pub fn parse_duration(text: &str) -> Option<i64> {
    prometheus(text).or_else(|| go(text))
}

fn prometheus(text: &str) -> Option<i64> {
    let mut units = PROMETHEUS_UNITS;
    sum_of_parts(text, |number, unit| {
        let found = units.iter().position(|(name, _)| *name == unit)?;
        let nanos = number.parse::<i64>().ok()?.checked_mul(units[found].1)?;
        units = &units[found + 1..];
        Some(nanos)
    })
}

fn go(text: &str) -> Option<i64> {
    sum_of_parts(text, |number, unit| {
        let (_, nanos) = GO_UNITS.iter().find(|(name, _)| *name == unit)?;
        scale(number, *nanos)
    })
}

/// Cuts `1h30m` into (`1`, `h`) and (`30`, `m`), and adds up what they are worth.
fn sum_of_parts(text: &str, mut worth: impl FnMut(&str, &str) -> Option<i64>) -> Option<i64> {
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let mut rest = text;
    let mut sum = 0_i64;
    loop {
        let (number, tail) = rest.split_at(rest.find(|c| !is_number(c))?);
        let (unit, tail) = tail.split_at(tail.find(is_number).unwrap_or(tail.len()));
        sum = sum.checked_add(worth(number, unit)?)?;
        if tail.is_empty() {
            return Some(sum);
        }
        rest = tail;
    }
}

/// A decimal number of units, cut to whole nanoseconds.
fn scale(decimal: &str, unit: i64) -> Option<i64> {
    // Beyond this no digit of the largest unit's fraction is worth a nanosecond.
    const MAX_FRACTION_DIGITS: usize = 15;

    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<i64>().ok()? };
    let fraction = &fraction[..fraction.len().min(MAX_FRACTION_DIGITS)];
    let part = if fraction.is_empty() { 0 } else { fraction.parse::<i128>().ok()? };
    let part = part * i128::from(unit) / 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    whole.checked_mul(unit)?.checked_add(i64::try_from(part).ok()?)
}

/// Prints nanoseconds as Go's `time.Duration.String` does.
///
/// ```
/// use niente_traceql::format_duration;
///
/// assert_eq!(format_duration(60_055_000_000), "1m0.055s");
/// assert_eq!(format_duration(1_500), "1.5µs");
/// assert_eq!(format_duration(3_600_000_000_000), "1h0m0s");
/// ```
pub fn format_duration(nanos: i64) -> String {
    const MICRO: u64 = MICROSECOND.unsigned_abs();
    const MILLI: u64 = MILLISECOND.unsigned_abs();
    const SEC: u64 = SECOND.unsigned_abs();

    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    if nanos >= SEC {
        let seconds = decimal(nanos % (60 * SEC), SEC);
        let minutes = nanos / (60 * SEC);
        return match (minutes / 60, minutes % 60) {
            (0, 0) => format!("{sign}{seconds}s"),
            (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
            (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
        };
    }
    match nanos {
        0 => "0s".to_owned(),
        nanos if nanos < MICRO => format!("{sign}{nanos}ns"),
        nanos if nanos < MILLI => format!("{sign}{}µs", decimal(nanos, MICRO)),
        nanos => format!("{sign}{}ms", decimal(nanos, MILLI)),
    }
}

/// `nanos / unit` as a decimal without trailing zeros. The unit is a power of ten.
fn decimal(nanos: u64, unit: u64) -> String {
    let (whole, rest) = (nanos / unit, nanos % unit);
    if rest == 0 {
        return whole.to_string();
    }
    // `unit + rest` has one digit more than the fraction: a leading 1, which keeps the fraction's zeros.
    format!("{whole}.{}", (unit + rest).to_string()[1..].trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, nanos) in [
            // Prometheus' family.
            ("1d", DAY),
            ("1w2d", 9 * DAY),
            ("1y", 365 * DAY),
            ("1h30m", 90 * MINUTE),
            ("1d12h", 36 * HOUR),
            ("0s", 0),
            ("5ms", 5 * MILLISECOND),
            ("292y", 292 * 365 * DAY),
            // Go's family.
            ("1.5h", 90 * MINUTE),
            (".5s", SECOND / 2),
            (".24h", 864 * SECOND),
            ("1.s", SECOND),
            ("30m1h", 90 * MINUTE),
            ("1s1s", 2 * SECOND),
            ("1h15m30.9s", HOUR + 15 * MINUTE + 30_900 * MILLISECOND),
            ("100us", 100 * MICROSECOND),
            ("100µs", 100 * MICROSECOND),
            ("100μs", 100 * MICROSECOND),
            ("10ns", 10),
            ("0.1234567899s", 123_456_789),
            ("0.00000000000000000001h", 0),
            ("9223372036854775807ns", i64::MAX),
            ("2562047h47m16.854775807s", i64::MAX),
        ] {
            assert_eq!(parse_duration(text), Some(nanos), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "1",
            "s",
            ".s",
            "1.5d",
            "1d100ns",
            "1h30",
            "1e3s",
            "5x",
            "300y",
            "1d1d1.5h",
            "1h1d",
            "1..5s",
            "1.2.3s",
            "-1s",
            "1 s",
            "1sm",
            "9223372036854775808ns",
            "2562047h47m16.854775808s",
            "99999999999999999999h",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn durations_print_as_in_go() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
            (1_500, "1.5µs"),
            (2_200_000, "2.2ms"),
            (250 * MILLISECOND, "250ms"),
            (999_999_999, "999.999999ms"),
            (3_300 * MILLISECOND, "3.3s"),
            (MINUTE, "1m0s"),
            (MINUTE + 55 * MILLISECOND, "1m0.055s"),
            (4 * MINUTE + 5_001 * MILLISECOND, "4m5.001s"),
            (HOUR, "1h0m0s"),
            (5 * HOUR + 6 * MINUTE + 7_000_000_001, "5h6m7.000000001s"),
            (-1_500 * MILLISECOND, "-1.5s"),
            (-1, "-1ns"),
            (i64::MAX, "2562047h47m16.854775807s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(format_duration(nanos), text);
        }
    }
}
