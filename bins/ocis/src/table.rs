//! Tables on the terminal, with the borders that oCIS draws: header centred, rows left.

use std::fmt::Write as _;

/// A table with `header` and `rows`, each line ended.
pub(crate) fn draw<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = header.map(width);
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    let border: String =
        widths.iter().map(|width| format!("+{}", "-".repeat(width + 2))).collect::<String>() + "+";
    let mut out = format!("{border}\n");
    for (title, column) in header.iter().zip(widths) {
        let space = column - width(title);
        let before = space / 2;
        let _ = write!(out, "| {}{title}{} ", " ".repeat(before), " ".repeat(space - before));
    }
    let _ = write!(out, "|\n{border}\n");
    for row in rows {
        for (cell, column) in row.iter().zip(widths) {
            let _ = write!(out, "| {cell}{} ", " ".repeat(column - width(cell)));
        }
        out.push_str("|\n");
    }
    let _ = writeln!(out, "{border}");
    out
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_centred_rows_left() {
        let rows = [["storage-publiclink".to_owned()], ["web".to_owned()]];
        assert_eq!(
            draw(["SERVICE"], &rows),
            "+--------------------+\n\
             |      SERVICE       |\n\
             +--------------------+\n\
             | storage-publiclink |\n\
             | web                |\n\
             +--------------------+\n"
        );
        assert!(draw(["SERVICE"], &[["search".to_owned()]]).contains("| SERVICE |"));
    }
}
