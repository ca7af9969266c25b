//! Settings of the supervisor: which services run, and where it can be asked.

use ocis_core::config::{Problems, Section as _, known};
use ocis_core::settings;

settings! {
    /// The supervisor of `ocis server`.
    pub struct Runtime("runtime", key "runtime") {
        /// Exactly these services run; the two lists below do not count then.
        services: Vec<String> = "",
            "services", ["OCIS_RUN_EXTENSIONS", "OCIS_RUN_SERVICES"];
        /// Services that do not run although they are predefined or added.
        disabled_services: Vec<String> = "", "disabled_services", ["OCIS_EXCLUDE_RUN_SERVICES"];
        /// Services that run beside the predefined ones.
        add_services: Vec<String> = "", "add_services", ["OCIS_ADD_RUN_SERVICES"];
        /// Host on which the supervisor answers `ocis list`.
        host: String = "localhost", "host", ["OCIS_RUNTIME_HOST"];
        /// Port on which it does.
        port: u16 = "9250", "port", ["OCIS_RUNTIME_PORT"];
    }
}

impl Runtime {
    /// The services to run, in the order of `all`, which holds those that this program has;
    /// `predefined` are those that run unless something else is said. A name that is no service of
    /// this program is wrong, but one that oCIS has may be excluded.
    pub fn select(
        &self,
        all: &[&'static str],
        predefined: &[&'static str],
    ) -> Result<Vec<&'static str>, Problems> {
        let mut problems = Problems::default();
        let lists = [&self.services, &self.add_services, &self.disabled_services];
        let fields = ["services", "add_services", "disabled_services"];
        for (field, list) in fields.into_iter().zip(lists) {
            for name in list.iter().filter(|name| !all.contains(&name.as_str())) {
                let is_known = known::services().contains(&name.as_str());
                if !(is_known && field == "disabled_services") {
                    problems.wrong(no_service(field, name, is_known, all));
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let has = |list: &[String], name: &str| list.iter().any(|other| other == name);
        let runs = |name: &&'static str| match self.services.is_empty() {
            false => has(&self.services, name),
            true => {
                (predefined.contains(name) || has(&self.add_services, name))
                    && !has(&self.disabled_services, name)
            }
        };
        Ok(all.iter().copied().filter(runs).collect())
    }

    /// Where the supervisor answers, as `host:port`.
    pub fn address(&self) -> String {
        match self.host.contains(':') && !self.host.starts_with('[') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

fn no_service(field: &str, name: &str, is_known: bool, all: &[&'static str]) -> String {
    let variable = Runtime::TABLE.row(field).and_then(|row| row.vars.last()).copied();
    let place = format!("{} (runtime.{field})", variable.unwrap_or_default());
    let nearest = known::nearest(name, all.iter().copied()).unwrap_or_default();
    match is_known {
        true => {
            format!("{place} names {name:?}, a service of oCIS that this version does not have")
        }
        false => {
            format!("{place} names {name:?}, and no service is called so; the nearest is {nearest}")
        }
    }
}
