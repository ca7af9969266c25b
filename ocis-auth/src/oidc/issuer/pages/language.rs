//! The languages of the pages.
//!
//! A language is a file `<code>.lang` with lines `key = text`; `#` begins a comment. English and
//! German are built in. Files in `<IDP_ASSET_PATH>/lang` add languages, or replace texts of those
//! that are there. What a language does not have is shown in English.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use ocis_core::{Error, Result};

/// English has every text.
const ENGLISH: &str = include_str!("lang/en.lang");

/// The built-in languages.
const BUILT_IN: [(&str, &str); 2] = [("en", ENGLISH), ("de", include_str!("lang/de.lang"))];

/// The texts of one language.
#[derive(Debug)]
pub(in super::super) struct Language {
    code: String,
    texts: HashMap<String, String>,
    english: HashMap<String, String>,
}

impl Language {
    /// The code, such as `de`.
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    /// A text, if there is one.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.texts.get(key).or_else(|| self.english.get(key)).map(String::as_str)
    }

    /// A text; the key itself when nobody wrote one.
    pub(super) fn text(&self, key: &str) -> String {
        self.get(key).unwrap_or(key).to_owned()
    }

    /// A text in which `{name}` stands for `value`.
    pub(super) fn with(&self, key: &str, name: &str, value: &str) -> String {
        self.text(key).replace(&format!("{{{name}}}"), value)
    }
}

/// All languages.
#[derive(Debug)]
pub(super) struct Languages {
    english: Language,
    others: Vec<Language>,
}

impl Languages {
    /// The built-in languages and those of the folder `lang` in `assets`. Blocks.
    pub(super) fn open(assets: Option<&Path>) -> Result<Self> {
        let mut files: Vec<(String, String)> =
            BUILT_IN.iter().map(|(code, text)| ((*code).to_owned(), (*text).to_owned())).collect();
        if let Some(folder) = assets.map(|assets| assets.join("lang")).filter(|path| path.is_dir())
        {
            files.extend(read(&folder)?);
        }
        let english = parse("en", ENGLISH)?;
        let language = |code: &str| Language {
            code: code.to_owned(),
            texts: HashMap::new(),
            english: english.clone(),
        };
        let mut languages = Self { english: language("en"), others: Vec::new() };
        for (code, text) in files {
            let texts = parse(&code, &text)?;
            let others = &mut languages.others;
            if code == "en" {
                languages.english.texts.extend(texts);
            } else if let Some(known) = others.iter_mut().find(|known| known.code == code) {
                known.texts.extend(texts);
            } else {
                others.push(Language { texts, ..language(&code) });
            }
        }
        Ok(languages)
    }

    fn all(&self) -> impl Iterator<Item = &Language> {
        [&self.english].into_iter().chain(&self.others)
    }

    pub(super) fn codes(&self) -> Vec<&str> {
        self.all().map(|language| language.code.as_str()).collect()
    }

    /// The first language of `ui_locales` that there is, else the one that `accept` (the header
    /// `Accept-Language`, RFC 9110 section 12.5.4) likes best, else English.
    pub(super) fn choose(&self, ui_locales: &str, accept: &str) -> &Language {
        let mut liked: Vec<(&str, f32)> = accept
            .split(',')
            .map(|range| {
                let (tag, rest) = range.split_once(';').unwrap_or((range, ""));
                let weight = rest.trim().strip_prefix("q=").and_then(|q| q.parse().ok());
                (tag.trim(), weight.unwrap_or(1.0))
            })
            .filter(|(_, weight)| *weight > 0.0)
            .collect();
        liked.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        let tags = ui_locales.split(' ').chain(liked.into_iter().map(|(tag, _)| tag));
        let mut found = tags.filter_map(|tag| self.find(tag));
        found.next().unwrap_or(&self.english)
    }

    /// By the whole tag or its first part: `de-AT` finds `de`.
    fn find(&self, tag: &str) -> Option<&Language> {
        let first = tag.split(['-', '_']).next().unwrap_or_default();
        let by = |code: &str| self.all().find(|known| known.code.eq_ignore_ascii_case(code));
        by(tag).or_else(|| by(first))
    }
}

fn read(folder: &Path) -> Result<Vec<(String, String)>> {
    let failed = |path: &Path, error: std::io::Error| {
        Error::invalid(format!("the language {} cannot be read", path.display())).because(error)
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| failed(folder, error))? {
        let path = entry.map_err(|error| failed(folder, error))?.path();
        if path.extension().is_some_and(|ending| ending == "lang") {
            let code = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            files.push((code, fs::read_to_string(&path).map_err(|error| failed(&path, error))?));
        }
    }
    files.sort();
    Ok(files)
}

fn parse(code: &str, text: &str) -> Result<HashMap<String, String>> {
    let mut texts = HashMap::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').ok_or_else(|| {
            let at = at + 1;
            Error::invalid(format!("{code}.lang, line {at}: right would be key = text"))
        })?;
        texts.insert(key.trim().to_owned(), value.trim().to_owned());
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_language_has_every_text() {
        let english = parse("en", ENGLISH).unwrap();
        for (code, text) in BUILT_IN {
            let texts = parse(code, text).unwrap();
            for key in english.keys() {
                assert!(texts.contains_key(key), "{code} lacks {key}");
            }
            assert_eq!(texts.len(), english.len(), "{code} has a text too many");
        }
    }

    #[test]
    fn whose_language_it_is() {
        let languages = Languages::open(None).unwrap();
        for (ui_locales, accept, code) in [
            ("", "", "en"),
            ("", "de", "de"),
            ("", "fr-CH, fr;q=0.9, de-AT;q=0.8, en;q=0.7", "de"),
            ("", "de;q=0.2, en;q=0.7", "en"),
            ("", "de;q=0", "en"),
            ("fr de-DE en", "en", "de"),
            ("xx", "de", "de"),
        ] {
            assert_eq!(languages.choose(ui_locales, accept).code(), code, "{ui_locales} {accept}");
        }
    }

    #[test]
    fn a_file_adds_a_language() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("lang")).unwrap();
        let put = |name: &str, text: &str| {
            fs::write(folder.path().join("lang").join(name), text).unwrap();
        };
        put("fr.lang", "# français\nsign_in.submit = Se connecter\n");
        put("de.lang", "sign_in.submit = Los\n");
        let languages = Languages::open(Some(folder.path())).unwrap();
        assert_eq!(languages.codes(), ["en", "de", "fr"]);
        let french = languages.choose("fr", "");
        assert_eq!(french.text("sign_in.submit"), "Se connecter");
        assert_eq!(french.text("sign_in.password"), "Password");
        assert_eq!(languages.choose("de", "").text("sign_in.submit"), "Los");
        put("xx.lang", "nonsense");
        let told = Languages::open(Some(folder.path())).unwrap_err().to_string();
        assert!(told.contains("xx.lang, line 1"), "{told}");
    }
}
