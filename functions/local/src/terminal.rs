//! Standard output, and text that is fit for it.

use std::io::{self, ErrorKind, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::Failure;

/// Writes text to standard output, at once.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::NobodyReads),
        Err(error) => Err(Failure::because("writing to standard output", &error)),
    }
}

/// Writes text to standard output for who may be reading: a server goes on if nobody is.
pub(crate) fn announce(text: &str) -> Result<(), Failure> {
    match print(text) {
        Err(Failure::NobodyReads) => Ok(()),
        printed => printed,
    }
}

/// A line about something that goes on whether or not anybody reads of it.
pub(crate) fn line(text: &str) {
    // Whoever read it has had enough: what goes on matters more.
    let _ = print(&format!("{}\n", printable(text)));
}

/// A line for each row below a line of the columns' names. Columns whose name ends in `>` are aligned to the right.
pub(crate) fn table<const N: usize>(columns: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.map(|name| name.trim_end_matches('>')));
    table.add_rows(rows.into_iter().map(|row| row.map(|cell| printable(&cell))));
    for (column, name) in table.column_iter_mut().zip(columns) {
        column.set_padding((0, 2));
        if name.ends_with('>') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// Names come from whoever sends spans: they must not move a terminal's cursor.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_and_harmless() {
        let rows = [["a\u{1b}[2J".to_owned(), "1".to_owned()], ["longer name".to_owned(), "1,000".to_owned()]];
        assert_eq!(table(["NAME", "N>"], rows), "NAME             N\na\u{fffd}[2J            1\nlonger name  1,000\n");
    }
}
