//! The settings that every account has: oCIS's bundle `profile`.

use serde_json::{Map, Value, json};

use super::bundle::{Bundle, BundleKind, Resource, ResourceKind, Setting};

/// The id of the bundle.
pub const PROFILE: &str = "2a506de7-99bd-4f0d-994e-c38e72c28fd9";
/// The language; see [`super::SettingValue::text`].
pub const LANGUAGE: &str = "aa8cfbe5-95d4-4f7e-a032-c3c01f5f062f";
/// Whether mails are off.
pub const DISABLE_EMAIL_NOTIFICATIONS: &str = "33ffb5d6-cd07-4dc0-afb0-84f7559ae438";
/// Whether shares are accepted without being asked.
pub const AUTO_ACCEPT_SHARES: &str = "ec3ed4a3-3946-4efc-8f9f-76d38b12d3a9";
/// How often mails are sent.
pub const EMAIL_SENDING_INTERVAL: &str = "08dec2fe-3f97-42a9-9d1b-500855e92f25";

/// The languages of oCIS, by the name that speakers know.
const LANGUAGES: [(&str, &str); 14] = [
    ("bg", "български"),
    ("cs", "Czech"),
    ("de", "Deutsch"),
    ("en", "English"),
    ("es", "Español"),
    ("fr", "Français"),
    ("gl", "Galego"),
    ("it", "Italiano"),
    ("nl", "Nederlands"),
    ("ko", "한국어"),
    ("sq", "Shqipja"),
    ("sv", "Svenska"),
    ("tr", "Türkçe"),
    ("zh", "汉语"),
];

const INTERVALS: [(&str, &str); 4] =
    [("instant", "Instant"), ("daily", "Daily"), ("weekly", "Weekly"), ("never", "Never")];

/// What is told in the web page and by mail: id, name, text to show, when it is told, and whether
/// there is a mail.
const EVENTS: [(&str, &str, &str, &str, bool); 9] = [
    (
        "872d8ef6-6f2a-42ab-af7d-f53cc81d7046",
        "event-share-created-options",
        "Share Received",
        "Tell me when something is shared with me",
        true,
    ),
    (
        "d7484394-8321-4c84-9677-741ba71e1f80",
        "event-share-removed-options",
        "Share Removed",
        "Tell me when something is no longer shared with me",
        false,
    ),
    (
        "e1aa0b7c-1b0f-4072-9325-c643c89fee4e",
        "event-share-expired-options",
        "Share Expired",
        "Tell me when the time of a share is over",
        true,
    ),
    (
        "694d5ee1-a41c-448c-8d14-396b95d2a918",
        "event-space-shared-options",
        "Added as space member",
        "Tell me when I become a member of a space",
        true,
    ),
    (
        "26c20e0e-98df-4483-8a77-759b3a766af0",
        "event-space-unshared-options",
        "Removed as space member",
        "Tell me when I am no longer a member of a space",
        true,
    ),
    (
        "7275921e-b737-4074-ba91-3c2983be3edd",
        "event-space-membership-expired-options",
        "Space membership expired",
        "Tell me when the time of a membership is over",
        true,
    ),
    (
        "eb5c716e-03be-42c6-9ed1-1105d24e109f",
        "event-space-disabled-options",
        "Space disabled",
        "Tell me when a space of mine is put out of use",
        false,
    ),
    (
        "094ceca9-5a00-40ba-bb1a-bbc7bccd39ee",
        "event-space-deleted-options",
        "Space deleted",
        "Tell me when a space of mine is deleted",
        false,
    ),
    (
        "fe0a3011-d886-49c8-b797-33d02fa426ef",
        "event-postprocessing-step-finished-options",
        "File rejected",
        "Tell me when an upload of mine is refused because of a virus or a policy",
        false,
    ),
];

impl Bundle {
    /// The bundle of the settings that every account has.
    pub fn profile() -> Self {
        let mut settings = vec![
            setting(
                [LANGUAGE, "language", "Language", "The language of texts for you"],
                ("singleChoiceValue", one_of(&LANGUAGES, None)),
            ),
            setting(
                [
                    DISABLE_EMAIL_NOTIFICATIONS,
                    "disable-email-notifications",
                    "Disable Email Notifications",
                    "Whether you get no mails",
                ],
                ("boolValue", json!({ "label": "disable notifications" })),
            ),
            setting(
                [
                    AUTO_ACCEPT_SHARES,
                    "auto-accept-shares",
                    "Auto accept shares",
                    "Whether shares appear without being accepted",
                ],
                ("boolValue", json!({ "default": true, "label": "auto accept shares" })),
            ),
            setting(
                [
                    EMAIL_SENDING_INTERVAL,
                    "email-sending-interval-options",
                    "Email sending interval",
                    "How often you get mails:",
                ],
                ("singleChoiceValue", one_of(&INTERVALS, Some("instant"))),
            ),
        ];
        settings.extend(EVENTS.map(|(id, name, display_name, description, mail)| {
            let value = json!({ "options": [channel("in-app", "In-App", true), channel("mail", "Email", mail)] });
            setting([id, name, display_name, description], ("multiChoiceCollectionValue", value))
        }));
        Self {
            id: PROFILE.to_owned(),
            name: "profile".to_owned(),
            kind: BundleKind::Default,
            extension: "ocis-accounts".to_owned(),
            display_name: "Profile".to_owned(),
            settings,
            resource: Some(Resource::of(ResourceKind::TypeSystem)),
        }
    }
}

fn setting(
    [id, name, display_name, description]: [&str; 4],
    (kind, value): (&str, Value),
) -> Setting {
    Setting {
        id: id.to_owned(),
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        description: description.to_owned(),
        resource: Some(Resource::of(ResourceKind::TypeUser)),
        value: Map::from_iter([(kind.to_owned(), value)]),
    }
}

fn one_of(options: &[(&str, &str)], default: Option<&str>) -> Value {
    let options = options.iter().map(|(value, shown)| {
        let stands_for = json!({ "stringValue": value });
        match default == Some(value) {
            true => json!({ "value": stands_for, "displayValue": shown, "default": true }),
            false => json!({ "value": stands_for, "displayValue": shown }),
        }
    });
    json!({ "options": options.collect::<Vec<_>>() })
}

/// A way in which somebody is told of an event; one that is off cannot be switched on.
fn channel(key: &str, shown: &str, on: bool) -> Value {
    if on {
        json!({ "key": key, "displayValue": shown, "value": { "boolValue": { "default": true } } })
    } else {
        json!({
            "key": key,
            "displayValue": shown,
            "attribute": "disabled",
            "value": { "boolValue": {} },
        })
    }
}
