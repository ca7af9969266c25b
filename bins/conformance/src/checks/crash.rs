//! SIGKILL in the middle of parallel work, again and again: what was acknowledged is there, byte
//! for byte, and what was not is either whole or not there at all.
//!
//! Each writer owns its names and works on them one request after the other, so at most one
//! request of a writer is unanswered when the server dies, and the states that may follow are few
//! and known.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread::{scope, sleep};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use sha1::{Digest, Sha1};

use ocis_conformance::harness::{Client, Plan, Random, Server, World, entries};

const WRITERS: usize = 6;
const NAMES: u64 = 12;
const ROOT: &str = "/dav/files/admin/crash";

pub(crate) fn register(plan: &mut Plan) {
    plan.add("crash-kill-under-load", |world| {
        kill_under_load(world, if world.long() { 60 } else { 8 })
    });
    plan.add("crash-kill-at-first-start", kill_at_first_start);
    plan.add("crash-all-properties-kept", |world| properties_kept(world, true));
    plan.add("stop-all-properties-kept", |world| properties_kept(world, false));
}

/// What a name holds: nothing, or a version of some size.
type Content = Option<Version>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    seed: u64,
    size: usize,
}

impl Version {
    fn bytes(self) -> Vec<u8> {
        Random::new(self.seed).bytes(self.size)
    }
}

/// The states that a writer's names may be in: those acknowledged, and what the request that
/// nobody answered would have made of them.
#[derive(Debug, Clone, Default)]
struct Writer {
    files: BTreeMap<String, Version>,
    /// Names and what they hold if the unanswered request took place.
    unanswered: Option<Vec<(String, Content)>>,
    acknowledged: usize,
}

fn kill_under_load(world: &World, rounds: usize) -> Result<()> {
    let mut random = world.random();
    let mut server = world.launch()?.start()?;
    server.admin().send("MKCOL", ROOT, &[], b"")?.expect(&[201])?;
    for writer in 0..WRITERS {
        server.admin().send("MKCOL", &folder(writer), &[], b"")?.expect(&[201])?;
    }
    let mut writers = vec![Writer::default(); WRITERS];
    let mut acknowledged = 0;
    for round in 0..rounds {
        let pause = Duration::from_millis(150 + random.below(1200));
        let start = Barrier::new(WRITERS + 1);
        scope(|threads| -> Result<()> {
            for (number, writer) in writers.iter_mut().enumerate() {
                let (client, seed) = (server.admin(), random.draw());
                let start = &start;
                threads.spawn(move || {
                    start.wait();
                    writer.work(number, client, &mut Random::new(seed))
                });
            }
            start.wait();
            sleep(pause);
            server.kill()
        })?;
        server.restart().with_context(|| format!("restart after kill {round}"))?;
        for (number, writer) in writers.iter_mut().enumerate() {
            let checked = writer.check(number, &server);
            checked.with_context(|| format!("round {round}, writer {number}"))?;
            acknowledged += std::mem::take(&mut writer.acknowledged);
        }
        sizes_add_up(&server, &writers).with_context(|| format!("round {round}"))?;
    }
    ensure!(acknowledged >= rounds * WRITERS, "only {acknowledged} requests were acknowledged");
    println!("       {rounds} kills, {acknowledged} acknowledged changes");
    Ok(())
}

fn folder(writer: usize) -> String {
    format!("{ROOT}/{writer}")
}

impl Writer {
    /// Works until the server is gone.
    fn work(&mut self, number: usize, mut client: Client, random: &mut Random) {
        loop {
            let name = format!("file {}", random.below(NAMES));
            let outcome = match (random.below(10), self.files.contains_key(&name)) {
                (0, true) => self.delete(&mut client, number, &name),
                (1 | 2, true) => {
                    let target = format!("file {}", random.below(NAMES));
                    self.rename(&mut client, number, &name, &target)
                }
                _ => {
                    let size = match random.below(8) {
                        0 => 0,
                        1..=6 => random.below(30_000),
                        _ => random.below(3_000_000),
                    };
                    let size = usize::try_from(size).unwrap_or(0);
                    self.put(&mut client, number, &name, Version { seed: random.draw(), size })
                }
            };
            if !outcome {
                return;
            }
        }
    }

    fn put(&mut self, client: &mut Client, number: usize, name: &str, new: Version) -> bool {
        let path = path(number, name);
        self.attempt(vec![(name.to_owned(), Some(new))], || client.put(&path, &new.bytes()))
    }

    fn delete(&mut self, client: &mut Client, number: usize, name: &str) -> bool {
        let path = path(number, name);
        self.attempt(vec![(name.to_owned(), None)], || client.send("DELETE", &path, &[], b""))
    }

    fn rename(&mut self, client: &mut Client, number: usize, from: &str, to: &str) -> bool {
        if from == to {
            return true;
        }
        let moved = self.files.get(from).copied();
        let after = vec![(from.to_owned(), None), (to.to_owned(), moved)];
        let (source, target) = (path(number, from), path(number, to));
        self.attempt(after, || {
            client.send("MOVE", &source, &[("Destination", target.as_str())], b"")
        })
    }

    /// Remembers what may become true before the request, and what is true after its answer.
    fn attempt(
        &mut self,
        after: Vec<(String, Content)>,
        request: impl FnOnce() -> Result<ocis_conformance::harness::Reply>,
    ) -> bool {
        self.unanswered = Some(after);
        let Ok(reply) = request() else { return false };
        assert!(matches!(reply.status, 201 | 204), "status {}: {}", reply.status, reply.text());
        for (name, content) in self.unanswered.take().unwrap_or_default() {
            match content {
                Some(version) => self.files.insert(name, version),
                None => self.files.remove(&name),
            };
        }
        self.acknowledged += 1;
        true
    }

    /// Compares the server with the states that are allowed, and goes on from the one it is in.
    fn check(&mut self, number: usize, server: &Server) -> Result<()> {
        let mut client = server.admin();
        let listing = client.propfind(&folder(number), "1")?.expect(&[207])?;
        let mut there: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for entry in entries(&listing.body)?.iter().skip(1) {
            let got = client.get(&path(number, entry.name()))?.expect(&[200])?;
            let size = entry.property("getcontentlength");
            ensure!(size == got.body.len().to_string(), "{}: size {size}", entry.name());
            let sums = entry.property("checksums").to_owned();
            ensure!(sums.contains(&sha1(&got.body)), "{}: checksums {sums}", entry.name());
            there.insert(entry.name().to_owned(), got.body);
        }
        let mut after = self.files.clone();
        for (name, content) in self.unanswered.take().unwrap_or_default() {
            match content {
                Some(version) => after.insert(name, version),
                None => after.remove(&name),
            };
        }
        if matches(&there, &after) {
            self.files = after;
            return Ok(());
        }
        if matches(&there, &self.files) {
            return Ok(());
        }
        bail!("{}", difference(&there, &self.files, &after))
    }
}

fn matches(there: &BTreeMap<String, Vec<u8>>, files: &BTreeMap<String, Version>) -> bool {
    there.len() == files.len()
        && files.iter().all(|(name, version)| there.get(name) == Some(&version.bytes()))
}

fn difference(
    there: &BTreeMap<String, Vec<u8>>,
    acknowledged: &BTreeMap<String, Version>,
    after: &BTreeMap<String, Version>,
) -> String {
    let mut names: Vec<&String> =
        there.keys().chain(acknowledged.keys()).chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let mut text = String::from("the server is in no allowed state:\n");
    for name in names {
        let (found, old, new) = (there.get(name), acknowledged.get(name), after.get(name));
        let is = |version: Option<&Version>| found == version.map(|v| v.bytes()).as_ref();
        if !is(old) || !is(new) {
            let found = found.map(|bytes| (bytes.len(), sha1(bytes)));
            text.push_str(&format!(
                "{name}: {found:?}; acknowledged {old:?} ({}), or {new:?} ({})\n",
                if is(old) { "this" } else { "not this" },
                if is(new) { "this" } else { "not this" },
            ));
        }
    }
    text
}

/// The size of a folder is that of its files, up to the root of the space.
fn sizes_add_up(server: &Server, writers: &[Writer]) -> Result<()> {
    let mut client = server.admin();
    let mut total = 0;
    for (number, writer) in writers.iter().enumerate() {
        let size: usize = writer.files.values().map(|version| version.size).sum();
        folder_size(&mut client, &folder(number), size)?;
        total += size;
    }
    folder_size(&mut client, ROOT, total)?;
    folder_size(&mut client, "/dav/files/admin", total)
}

fn folder_size(client: &mut Client, path: &str, expected: usize) -> Result<()> {
    let reply = client.propfind(path, "0")?.expect(&[207])?;
    let all = entries(&reply.body)?;
    let told = all.first().map(|entry| entry.property("size").to_owned()).unwrap_or_default();
    ensure!(told == expected.to_string(), "{path} has size {told} instead of {expected}");
    Ok(())
}

fn path(number: usize, name: &str) -> String {
    format!("{}/{}", folder(number), name.replace(' ', "%20"))
}

/// As in the property `oc:checksums`.
fn sha1(bytes: &[u8]) -> String {
    let hex: String = Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("SHA1:{hex}")
}

/// Killed while it initialises itself, the next start goes on as if it were the first, or says
/// what is missing; it never comes up with half of its secrets.
fn kill_at_first_start(world: &World) -> Result<()> {
    for delay in [1, 5, 10, 20, 40, 80, 160, 320] {
        let mut server = world.launch()?.spawn(&["server"])?;
        sleep(Duration::from_millis(delay));
        server.kill()?;
        server.restart().with_context(|| format!("after a kill at {delay} ms"))?;
        let mut admin = server.admin();
        admin.put("/dav/files/admin/file", b"x")?.expect(&[201])?;
        ensure!(admin.get("/dav/files/admin/file")?.body == b"x", "wrong bytes");
    }
    Ok(())
}

/// Everything that a client was told about a file is the same after a kill, or a clean stop: etag,
/// id, time, checksums, own properties, locks, and what is not there any more.
fn properties_kept(world: &World, kill: bool) -> Result<()> {
    let mut server = world.launch()?.start()?;
    let mut admin = server.admin();
    let at = |name: &str| format!("{ROOT}/{name}");
    admin.send("MKCOL", ROOT, &[], b"")?.expect(&[201])?;
    admin.send("MKCOL", &at("folder"), &[], b"")?.expect(&[201])?;
    for name in ["folder/file", "deleted", "moved", "locked"] {
        let time = [("X-OC-Mtime", "1234567890")];
        admin.send("PUT", &at(name), &time, name.as_bytes())?.expect(&[201])?;
    }
    let set = br#"<d:propertyupdate xmlns:d="DAV:" xmlns:x="urn:x"><d:set><d:prop>
        <x:colour>blue</x:colour></d:prop></d:set></d:propertyupdate>"#;
    admin.send("PROPPATCH", &at("folder/file"), &[], set)?.expect(&[207])?;
    admin.send("DELETE", &at("deleted"), &[], b"")?.expect(&[204])?;
    let to = at("folder/target");
    admin.send("MOVE", &at("moved"), &[("Destination", to.as_str())], b"")?.expect(&[201])?;
    let lock = br#"<d:lockinfo xmlns:d="DAV:"><d:lockscope><d:exclusive/></d:lockscope>
        <d:locktype><d:write/></d:locktype></d:lockinfo>"#;
    let locked = admin.send("LOCK", &at("locked"), &[], lock)?.expect(&[200])?;
    let token = locked.header("lock-token").context("no Lock-Token")?.to_owned();
    let ask = br#"<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:x="urn:x">
        <d:prop><d:getetag/><d:getlastmodified/><d:getcontentlength/><d:getcontenttype/>
        <d:resourcetype/><oc:fileid/><oc:size/><oc:checksums/><oc:permissions/><x:colour/>
        </d:prop></d:propfind>"#;
    let everything = |server: &Server| -> Result<Vec<String>> {
        let mut all = Vec::new();
        for folder in ["/dav/files/admin", ROOT, &at("folder")] {
            let depth = [("Depth", "1")];
            let reply = server.admin().send("PROPFIND", folder, &depth, ask)?.expect(&[207])?;
            all.extend(entries(&reply.body)?.iter().map(|entry| format!("{entry:?}")));
        }
        all.sort();
        Ok(all)
    };
    let before = everything(&server)?;
    if kill {
        server.kill()?;
    } else {
        server.terminate(Duration::from_secs(20))?;
    }
    server.restart()?;
    let after = everything(&server)?;
    for (old, new) in before.iter().zip(&after) {
        ensure!(old == new, "{old}\nbecame\n{new}");
    }
    ensure!(before.len() == after.len(), "{} entries became {}", before.len(), after.len());
    let mut admin = server.admin();
    admin.put(&at("locked"), b"x")?.expect(&[423])?;
    let holding = format!("({token})");
    admin.send("PUT", &at("locked"), &[("If", holding.as_str())], b"x")?.expect(&[204])?;
    Ok(())
}
