//! The list of checks, and how it is run: one after the other, each panic caught and counted.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Instant;

use anyhow::Result;

use super::World;

type Run = Rc<dyn Fn(&World) -> Result<()>>;

/// One named check.
struct Check {
    name: String,
    run: Run,
}

/// All checks, in the order in which they run.
#[derive(Default)]
pub struct Plan {
    checks: Vec<Check>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plan of {} checks", self.checks.len())
    }
}

impl Plan {
    /// Adds a check; `name` starts with its topic, as in `litmus-spaces`.
    pub fn add(&mut self, name: impl Into<String>, run: impl Fn(&World) -> Result<()> + 'static) {
        self.checks.push(Check { name: name.into(), run: Rc::new(run) });
    }

    /// Adds every check of these topics a second time, on servers whose contents lie in a bucket.
    pub fn also_in_a_bucket(&mut self, topics: &[&str]) {
        self.also("s3", topics, World::in_bucket);
    }

    /// Adds every check of these topics a second time, on servers whose accounts an OpenLDAP holds.
    pub fn also_with_openldap(&mut self, topics: &[&str]) {
        self.also("ldap", topics, World::in_ldap);
    }

    fn also(&mut self, prefix: &str, topics: &[&str], other: fn(&World) -> Result<&World>) {
        let is_meant = |check: &&Check| topics.iter().any(|topic| check.name.starts_with(topic));
        let again = self.checks.iter().filter(is_meant).map(|check| {
            let (name, run) = (format!("{prefix}-{}", check.name), Rc::clone(&check.run));
            Check { name, run: Rc::new(move |world| run(other(world)?)) }
        });
        self.checks.extend(again.collect::<Vec<_>>());
    }

    /// Drops every check that contains none of the texts; no texts keep all.
    pub fn keep(&mut self, only: &[String]) {
        self.checks.retain(|check| {
            only.is_empty() || only.iter().any(|part| check.name.contains(part.as_str()))
        });
    }

    /// Prints the names, one a line.
    pub fn print_names(&self) {
        for check in &self.checks {
            println!("{}", check.name);
        }
    }

    /// Runs all checks and prints the report; returns how many failed.
    pub fn run(&self, world: &World) -> usize {
        println!("seed {}, {} checks", world.seed(), self.checks.len());
        let begin = Instant::now();
        let mut failures = Vec::new();
        for check in &self.checks {
            let start = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| (check.run)(world)));
            let seconds = start.elapsed().as_secs_f64();
            let trouble = match outcome {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(format!("{error:#}")),
                Err(panic) => Some(format!("panicked: {}", panic_text(&*panic))),
            };
            match trouble {
                None => println!("pass {seconds:8.2} s  {}", check.name),
                Some(text) => {
                    println!("FAIL {seconds:8.2} s  {}\n{}", check.name, indented(&text));
                    failures.push(check.name.as_str());
                }
            }
            let _ = std::io::stdout().flush();
        }
        world.close();
        for name in &failures {
            println!("failed: {name}");
        }
        println!("took {:.0} s, seed {}", begin.elapsed().as_secs_f64(), world.seed());
        println!("{} passed, {} failed", self.checks.len() - failures.len(), failures.len());
        failures.len()
    }
}

/// Of a long story the beginning: what went wrong first is what to look at.
fn indented(text: &str) -> String {
    text.lines().take(40).map(|line| format!("       {line}")).collect::<Vec<_>>().join("\n")
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}
