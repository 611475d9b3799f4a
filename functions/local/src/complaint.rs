//! What is wrong with a query, and where.

use niente_traceql::{Position, QueryError};

use crate::Failure;

/// The longest piece of a line that is shown around the place, in characters.
const WINDOW: usize = 100;

/// The fault, the query's line that has it, and a caret under the place.
pub(crate) fn about(query: &str, error: &QueryError) -> Failure {
    let message = format!("the query can't be read: {}", error.message());
    let Some(Position { line, column }) = error.position else { return Failure::Usage(message) };
    let text = query.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let at = column.saturating_sub(1);
    let skipped = at.saturating_sub(WINDOW / 2);
    let shown: String = text.chars().skip(skipped).take(WINDOW).map(printable).collect();
    let caret = " ".repeat(at - skipped);
    Failure::Usage(format!("{message}\n\n    {shown}\n    {caret}^\n\n(line {line}, column {column})"))
}

/// One column for each character.
fn printable(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, shown: &str) {
        let Failure::Usage(message) = about(query, &niente_traceql::parse(query).unwrap_err()) else { panic!() };
        let lines: Vec<_> = message.lines().skip(2).take(2).collect();
        assert_eq!(lines.join("\n"), shown, "{message}");
    }

    #[test]
    fn the_caret_stands_under_the_fault() {
        check("{ .env = }", "    { .env = }\n             ^");
        check("{ .a = 1 } &&\n\t{ .b ~ 2 }", "     { .b ~ 2 }\n          ^");
        check("{ status = error", "    { status = error\n                    ^");
    }

    #[test]
    fn long_lines_are_cut_around_the_fault() {
        let query = format!("{{ .a = \"{}\" && }}", "x".repeat(1_000));
        check(&query, &format!("    {}\" && }}\n    {}^", "x".repeat(45), " ".repeat(50)));
    }
}
