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

/// The same with a last row of its own. Where its cells are empty, nothing separates them.
pub(crate) fn draw_with_footer<const N: usize>(
    header: [&str; N],
    rows: &[[String; N]],
    footer: [&str; N],
) -> String {
    let mut all = rows.to_vec();
    all.push(footer.map(str::to_owned));
    let drawn = draw(header, &all);
    let mut lines: Vec<&str> = drawn.lines().collect();
    let border = lines.first().copied().unwrap_or_default();
    let last = lines.len().saturating_sub(2);
    let mut merged = String::from("|");
    if let Some(line) = lines.get(last) {
        let cells = line.trim_matches('|').split('|').zip(footer);
        let cells: Vec<_> = cells
            .map(|(cell, text)| format!("{cell}{}", if text.is_empty() { ' ' } else { '|' }))
            .collect();
        merged.push_str(&cells.concat());
    }
    if let Some(line) = lines.get_mut(last) {
        *line = &merged;
    }
    lines.insert(last, border);
    lines.join("\n") + "\n"
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
        let footed = draw_with_footer(["a", "b"], &[["1".into(), "2".into()]], ["", "total: 1"]);
        assert_eq!(
            footed,
            "+---+----------+\n\
             | a |    b     |\n\
             +---+----------+\n\
             | 1 | 2        |\n\
             +---+----------+\n\
             |     total: 1 |\n\
             +---+----------+\n"
        );
        assert!(draw(["SERVICE"], &[["search".to_owned()]]).contains("| SERVICE |"));
    }
}
