//! Where log lines go.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;

use ocis_core::config::Log;
use ocis_core::{Error, Result};

use super::format::Line;

/// Where the lines of one service go, and how they look.
#[derive(Debug, Clone)]
pub(super) struct Output {
    form: Form,
    /// None means the standard error output.
    file: Option<Arc<File>>,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Json,
    Pretty { color: bool },
}

/// The files that are open, by path.
#[derive(Debug, Default)]
pub(super) struct Outputs(HashMap<String, Arc<File>>);

impl Outputs {
    /// The output of these settings.
    pub(super) fn open(&mut self, log: &Log) -> Result<Output> {
        let form = match log.pretty {
            true => Form::Pretty { color: log.color },
            false => Form::Json,
        };
        let file = match log.file.as_str() {
            "" => None,
            path => Some(self.file(path)?),
        };
        Ok(Output { form, file })
    }

    fn file(&mut self, path: &str) -> Result<Arc<File>> {
        if let Some(open) = self.0.get(path) {
            return Ok(Arc::clone(open));
        }
        // Logs name people and their addresses: nobody else on the machine needs to read them.
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(
            |error| {
                let text = format!("the log file {path} cannot be opened: {error}");
                Error::invalid(text).because(error)
            },
        )?;
        let file = Arc::new(file);
        self.0.insert(path.to_owned(), Arc::clone(&file));
        Ok(file)
    }
}

impl Output {
    /// Writes a line with one call, so that lines of several threads do not mix. A log that cannot
    /// be written stops nobody's work.
    pub(super) fn write(&self, line: &Line<'_>) {
        let text = match self.form {
            Form::Json => line.json(),
            Form::Pretty { color } => line.pretty(color),
        };
        let _ = match &self.file {
            Some(file) => (&**file).write_all(text.as_bytes()),
            None => std::io::stderr().write_all(text.as_bytes()),
        };
    }
}
