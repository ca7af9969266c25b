//! What is on the pages.

use super::*;

#[test]
fn nothing_that_comes_from_outside_becomes_markup() {
    assert_eq!(escape("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    let fields = hidden(&[("request", "a\"><script>")]);
    assert!(!fields.contains("<script>"), "{fields}");
}
