//! One test a fact: `facts.tsv` is the list, and what it names without a test, or a test that it
//! does not name, fails.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use ocis_conformance::harness::{Plan, World};

mod commands;
mod directories;
mod init;
mod layers;
mod logging;
mod maintenance;
mod reach;
mod services;
mod trash;
mod users;

const LIST: &str = include_str!("../../facts.tsv");

/// A fact's id and its test.
type Fact = (&'static str, fn(&World) -> Result<()>);

fn all() -> Vec<Fact> {
    [
        layers::FACTS,
        directories::FACTS,
        services::FACTS,
        logging::FACTS,
        reach::FACTS,
        init::FACTS,
        users::FACTS,
        commands::FACTS,
        maintenance::FACTS,
        trash::FACTS,
    ]
    .concat()
}

/// Adds a check a fact, and one that compares them with the list.
pub(crate) fn register(plan: &mut Plan) {
    plan.add("facts-all-have-tests", |_| {
        println!("       {} facts", complete(&all())?);
        Ok(())
    });
    for (id, test) in all() {
        plan.add(format!("fact {id}"), test);
    }
}

/// How many facts there are, when the list and the tests name the same.
fn complete(tests: &[Fact]) -> Result<usize> {
    let rows = LIST.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let listed: Vec<&str> = rows.filter_map(|line| line.split('\t').next()).collect();
    let (left, right): (BTreeSet<_>, BTreeSet<_>) =
        (listed.iter().copied().collect(), tests.iter().map(|(id, _)| *id).collect());
    let untested: Vec<_> = left.difference(&right).collect();
    let unlisted: Vec<_> = right.difference(&left).collect();
    ensure!(untested.is_empty(), "without a test: {untested:?}");
    ensure!(unlisted.is_empty(), "not in facts.tsv: {unlisted:?}");
    ensure!(left.len() == listed.len(), "an id stands twice in facts.tsv");
    ensure!(right.len() == tests.len(), "an id has two tests");
    Ok(listed.len())
}

#[cfg(test)]
mod tests {
    use super::{all, complete};

    #[test]
    fn every_fact_has_a_test() {
        complete(&all()).unwrap();
    }

    #[test]
    fn a_fact_without_a_test_is_found() {
        assert!(complete(&all()[1..]).is_err());
    }
}
