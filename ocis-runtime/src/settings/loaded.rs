//! The settings of a whole process, read once, before anything is bound.

use ocis_core::config::{Layers, Problems, Section as _, Source, Warning, check, problem};

use super::{ENTRIES, Global, Runtime, entries, names, tables};

/// Variables that commands read, and that no table has.
const OF_COMMANDS: &[&str] = &[
    "OCIS_CONFIG_DIR",
    "OCIS_BASE_DATA_PATH",
    "OCIS_INSECURE",
    "OCIS_FORCE_CONFIG_OVERWRITE",
    "IDM_ADMIN_PASSWORD",
];

/// What a process is told to do, in order and complete.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Everything that was read; each service loads its section from here.
    pub layers: Layers,
    /// The settings that all services share.
    pub global: Global,
    /// The settings of the supervisor.
    pub runtime: Runtime,
    /// The services to run.
    pub services: Vec<&'static str>,
    /// What the administrator should hear of.
    pub warnings: Vec<Warning>,
}

impl Loaded {
    /// Reads the settings of `ocis server`: of the services that the settings themselves select.
    /// Otherwise everything that is wrong with any of them.
    pub fn server(source: &dyn Source) -> Result<Self, Problems> {
        Self::read(source, |runtime| {
            let all: Vec<_> = entries().map(|entry| entry.table.service).collect();
            runtime.select(&all, &names())
        })
    }

    /// Reads the settings of `ocis <service> server`.
    pub fn service(source: &dyn Source, service: &'static str) -> Result<Self, Problems> {
        Self::read(source, |_| Ok(vec![service]))
    }

    fn read(
        source: &dyn Source,
        select: impl FnOnce(&Runtime) -> Result<Vec<&'static str>, Problems>,
    ) -> Result<Self, Problems> {
        let mut layers = Layers::read(source, &Global::TABLE, &[]);
        let (global, of_global) = Global::read(&layers);
        let (runtime, of_runtime) = Runtime::read(&layers);
        let (services, of_selection) = match select(&runtime) {
            Ok(services) => (services, Problems::default()),
            // Whatever is meant, the settings of all are worth a look.
            Err(problems) => (names(), problems),
        };
        layers.read_own(source, &services);
        let mut all = layers.problems().clone();
        all.extend(of_global);
        all.extend(of_runtime);
        all.extend(of_selection);
        for entry in entries().filter(|entry| services.contains(&entry.table.service)) {
            all.extend((entry.verify)(&layers));
        }
        if !layers.problems().is_empty() {
            return Err(all.without_missing());
        }
        if !all.is_empty() {
            return Err(all);
        }
        let mut warnings = layers.warnings().to_vec();
        warnings.extend(check::names(&layers, &tables(), OF_COMMANDS));
        Ok(Self { layers, global, runtime, services, warnings })
    }

    /// The warnings as log lines.
    pub fn warning_lines(&self) -> Vec<String> {
        problem::lines(&self.warnings)
    }
}

/// Whether nobody has configured anything yet, so that `ocis server` may initialise: there is no
/// configuration file, and no variable sets what `ocis init` would write.
pub fn is_unconfigured(source: &dyn Source) -> bool {
    let layers = Layers::read(source, &Global::TABLE, &names());
    let required = ENTRIES.iter().flat_map(|entry| entry.table.rows).filter(|row| row.required);
    let is_set = |name: &&str| layers.variable(name).is_some_and(|value| !value.is_empty());
    layers.problems().is_empty()
        && !layers.has_files()
        && !required.flat_map(|row| row.vars).any(is_set)
}
