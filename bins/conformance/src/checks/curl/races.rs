//! Requests at the same moment: exactly one wins where one may win, and what is left is whole.

use std::sync::Barrier;
use std::thread::scope;

use anyhow::{Context, Result, ensure};
use ocis_conformance::harness::{Plan, Random, Server, World, entries};

use super::own_folder;

const THREADS: usize = 8;
const ROUNDS: usize = 12;

pub(super) fn register(plan: &mut Plan) {
    plan.add("race-create", |world| one_wins(world, "create", &[201], &[412, 423, 409]));
    plan.add("race-mkcol", |world| one_wins(world, "mkcol", &[201], &[405, 423, 409]));
    plan.add("race-if-match", |world| one_wins(world, "match", &[204], &[412, 423, 409]));
    plan.add("race-move", |world| one_wins(world, "move", &[201], &[404, 423, 409, 412]));
    plan.add("race-overwrite", overwrite);
    plan.add("race-siblings", siblings);
}

/// The same request from all threads at once; returns their statuses.
fn at_once(server: &Server, request: impl Fn(usize) -> Request + Sync) -> Result<Vec<u16>> {
    let start = Barrier::new(THREADS);
    scope(|threads| {
        let all: Vec<_> = (0..THREADS)
            .map(|number| {
                let (request, start) = (&request, &start);
                threads.spawn(move || -> Result<u16> {
                    let mut client = server.admin();
                    client.get("/status.php")?.expect(&[200])?;
                    let (method, path, headers, body) = request(number);
                    let headers: Vec<(&str, &str)> =
                        headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                    start.wait();
                    Ok(client.send(method, &path, &headers, &body)?.status)
                })
            })
            .collect();
        all.into_iter().map(|thread| thread.join().ok().context("panicked")?).collect()
    })
}

type Request = (&'static str, String, Vec<(&'static str, String)>, Vec<u8>);

fn one_wins(world: &World, what: &'static str, wins: &[u16], loses: &[u16]) -> Result<()> {
    let server = world.shared()?;
    let folder = own_folder(&server, &format!("race {what}"))?;
    let mut admin = server.admin();
    for round in 0..ROUNDS {
        let path = format!("{folder}/{round}");
        let mut etag = String::new();
        if what == "match" || what == "move" {
            let put = admin.put(&path, b"first")?.expect(&[201])?;
            etag = put.header("etag").context("no ETag")?.to_owned();
        }
        let statuses = at_once(&server, |number| match what {
            "create" => {
                ("PUT", path.clone(), vec![("If-None-Match", "*".to_owned())], vec![b'x'; number])
            }
            "mkcol" => ("MKCOL", path.clone(), Vec::new(), Vec::new()),
            "match" => ("PUT", path.clone(), vec![("If-Match", etag.clone())], vec![b'y'; number]),
            _ => {
                let target = format!("{path}-{number}");
                ("MOVE", path.clone(), vec![("Destination", target)], Vec::new())
            }
        })?;
        let winners = statuses.iter().filter(|status| wins.contains(status)).count();
        let known = statuses.iter().all(|status| wins.contains(status) || loses.contains(status));
        ensure!(winners == 1 && known, "round {round}: {statuses:?}");
    }
    Ok(())
}

/// Everybody overwrites one file: the last state is one of the bodies, whole, as its size and
/// etag say.
fn overwrite(world: &World) -> Result<()> {
    let server = world.shared()?;
    let path = format!("{}/file", own_folder(&server, "race overwrite")?);
    let mut admin = server.admin();
    for round in 0..ROUNDS as u64 {
        let body = |number: usize| Random::new(round * 100 + number as u64).bytes(200_000 + number);
        let statuses = at_once(&server, |number| ("PUT", path.clone(), Vec::new(), body(number)))?;
        let fine = statuses.iter().all(|status| [201, 204, 409, 412, 423].contains(status));
        ensure!(fine && statuses.iter().any(|status| *status < 300), "{statuses:?}");
        let got = admin.get(&path)?.expect(&[200])?;
        ensure!((0..THREADS).any(|number| got.body == body(number)), "a mixture came back");
    }
    Ok(())
}

/// Different names of one folder at once: all are there, and the folder's size is theirs.
fn siblings(world: &World) -> Result<()> {
    let server = world.shared()?;
    let folder = own_folder(&server, "race siblings")?;
    for round in 0..ROUNDS {
        let statuses = at_once(&server, |number| {
            ("PUT", format!("{folder}/{round}-{number}"), Vec::new(), vec![b'x'; 10])
        })?;
        ensure!(statuses.iter().all(|status| *status == 201), "{statuses:?}");
    }
    let listing = server.admin().propfind(&folder, "1")?.expect(&[207])?;
    let all = entries(&listing.body)?;
    let files = ROUNDS * THREADS;
    ensure!(all.len() == files + 1, "{} entries", all.len());
    ensure!(
        all[0].property("size") == (files * 10).to_string(),
        "size {}",
        all[0].property("size")
    );
    Ok(())
}
