//! The texts of the settings about notifications in German. oCIS translates these and no others.

use ocis_core::setting::{Bundle, PROFILE};
use serde_json::Value;

const TEXTS: [(&str, &str); 24] = [
    ("Email sending interval", "Versand von E-Mails"),
    ("How often you get mails:", "Wie oft Sie E-Mails bekommen:"),
    ("Instant", "Sofort"),
    ("Daily", "Täglich"),
    ("Weekly", "Wöchentlich"),
    ("Never", "Nie"),
    ("Share Received", "Freigabe erhalten"),
    ("Tell me when something is shared with me", "Wenn etwas für mich freigegeben wird"),
    ("Share Removed", "Freigabe entzogen"),
    (
        "Tell me when something is no longer shared with me",
        "Wenn etwas nicht mehr für mich freigegeben ist",
    ),
    ("Share Expired", "Freigabe abgelaufen"),
    ("Tell me when the time of a share is over", "Wenn die Zeit einer Freigabe vorbei ist"),
    ("Added as space member", "In einen Space aufgenommen"),
    ("Tell me when I become a member of a space", "Wenn ich Mitglied eines Space werde"),
    ("Removed as space member", "Aus einem Space entfernt"),
    (
        "Tell me when I am no longer a member of a space",
        "Wenn ich nicht mehr Mitglied eines Space bin",
    ),
    ("Space membership expired", "Mitgliedschaft in einem Space abgelaufen"),
    (
        "Tell me when the time of a membership is over",
        "Wenn die Zeit einer Mitgliedschaft vorbei ist",
    ),
    ("Space disabled", "Space außer Betrieb"),
    (
        "Tell me when a space of mine is put out of use",
        "Wenn einer meiner Spaces außer Betrieb genommen wird",
    ),
    ("Space deleted", "Space gelöscht"),
    ("Tell me when a space of mine is deleted", "Wenn einer meiner Spaces gelöscht wird"),
    ("File rejected", "Datei abgelehnt"),
    (
        "Tell me when an upload of mine is refused because of a virus or a policy",
        "Wenn ein Upload von mir wegen eines Virus oder einer Richtlinie abgelehnt wird",
    ),
];

/// The bundle with its texts in German, as far as there are such.
pub(crate) fn translated(mut bundle: Bundle) -> Bundle {
    if bundle.id == PROFILE {
        for setting in &mut bundle.settings {
            translate(&mut setting.display_name);
            translate(&mut setting.description);
            setting.value.values_mut().for_each(options);
        }
    }
    bundle
}

fn translate(text: &mut String) {
    if let Some((_, german)) = TEXTS.iter().find(|(english, _)| english == text) {
        *text = (*german).to_owned();
    }
}

/// Translates what of a value's options is shown.
fn options(value: &mut Value) {
    let list = value.get_mut("options").and_then(Value::as_array_mut);
    for option in list.into_iter().flatten() {
        if let Some(Value::String(text)) = option.get_mut("displayValue") {
            translate(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_one_that_there_is() {
        let profile = format!("{:?}", Bundle::profile());
        for (english, _) in TEXTS {
            assert!(profile.contains(&format!("{english:?}")), "{english}");
        }
        let german = format!("{:?}", translated(Bundle::profile()));
        let left = TEXTS.iter().find(|(english, _)| german.contains(&format!("{english:?}")));
        assert_eq!(left, None, "everywhere it stands");
    }
}
