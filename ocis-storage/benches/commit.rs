//! What a durable small file costs, in the layout of oCIS, from 16 threads at once: with every
//! file and folder flushed in the right order, with a shared flush of the whole file system, and
//! with a journal record under a shared flush before the files are written unflushed.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a benchmark")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use ocis_storage::fs::{File, Fs, Open, RealFs};
use parking_lot::{Condvar, Mutex};

const THREADS: usize = 16;
const CONTENT: &[u8] = &[7; 4096];
const META: &[u8] = &[7; 400];

fn pathify(id: &str) -> PathBuf {
    let (a, b, c, d) = (&id[..2], &id[2..4], &id[4..6], &id[6..8]);
    [a, b, c, d, &id[8..]].iter().collect()
}

struct Place {
    blob: PathBuf,
    node: PathBuf,
    mpk: PathBuf,
    link: PathBuf,
    target: PathBuf,
}

fn place(root: &Path) -> Place {
    let (blob, node) = (uuid::Uuid::new_v4().to_string(), uuid::Uuid::new_v4().to_string());
    let path = root.join("nodes").join(pathify(&node));
    Place {
        blob: root.join("blobs").join(pathify(&blob)),
        mpk: PathBuf::from(format!("{}.mpk", path.display())),
        link: root.join("parent").join(&node),
        target: Path::new("../../../../..").join(pathify(&node)),
        node: path,
    }
}

fn write(path: &Path, bytes: &[u8], flush: bool) {
    let fs = RealFs;
    let file = fs
        .open(path, Open::CreateNew)
        .or_else(|_| {
            fs.mkdir_all(path.parent().unwrap())?;
            fs.open(path, Open::CreateNew)
        })
        .unwrap();
    file.write_at(bytes, 0).unwrap();
    if flush {
        file.sync().unwrap();
    }
}

fn files(place: &Place, flush: bool) {
    write(&place.blob, CONTENT, flush);
    write(&place.node, &[], flush);
    write(&place.mpk, META, flush);
}

fn flush_each(root: &Path, place: &Place) {
    files(place, true);
    for file in [&place.blob, &place.mpk] {
        for dir in file.ancestors().skip(1).take_while(|dir| *dir != root) {
            RealFs.sync_dir(dir).unwrap();
        }
    }
    RealFs.symlink(&place.target, &place.link).unwrap();
    RealFs.sync_dir(&root.join("parent")).unwrap();
}

/// Shares one flush among all who wait for one.
#[derive(Default)]
struct Group {
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    asked: u64,
    flushed: u64,
    busy: bool,
}

impl Group {
    fn flush(&self, record: &[u8], flush: impl Fn(Vec<u8>)) {
        let mut state = self.state.lock();
        state.waiting.extend_from_slice(record);
        state.asked += 1;
        let mine = state.asked;
        while state.flushed < mine {
            if state.busy {
                self.done.wait(&mut state);
                continue;
            }
            state.busy = true;
            let (batch, upto) = (std::mem::take(&mut state.waiting), state.asked);
            drop(state);
            flush(batch);
            state = self.state.lock();
            state.busy = false;
            state.flushed = upto;
            self.done.notify_all();
        }
    }
}

fn run(rounds: u64, one: impl Fn() + Sync) -> Duration {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..rounds).for_each(|_| one()));
        }
    });
    start.elapsed() / THREADS as u32
}

fn bench(c: &mut Criterion) {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let root = dir.path();
    RealFs.mkdir(&root.join("parent")).unwrap();
    let mut group = c.benchmark_group("create a durable file of 4 KiB");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    group.bench_function("flush each", |b| {
        b.iter_custom(|n| run(n, || flush_each(root, &place(root))));
    });
    group.bench_function("shared syncfs", |b| {
        let shared = Group::default();
        b.iter_custom(|n| {
            run(n, || {
                let place = place(root);
                files(&place, false);
                shared.flush(&[], |_| RealFs.sync_all(root).unwrap());
                RealFs.symlink(&place.target, &place.link).unwrap();
                shared.flush(&[], |_| RealFs.sync_all(root).unwrap());
            })
        });
    });
    group.bench_function("journal", |b| {
        let shared = Group::default();
        let file = RealFs.open(&root.join("journal"), Open::Create).unwrap();
        let end = Mutex::new(0);
        let record = vec![7; CONTENT.len() + META.len() + 200];
        b.iter_custom(|n| run(n, || journal(root, &shared, &*file, &end, &record)));
    });
    group.finish();
}

fn journal(root: &Path, shared: &Group, file: &dyn File, end: &Mutex<u64>, record: &[u8]) {
    let place = place(root);
    shared.flush(record, |batch| {
        let mut end = end.lock();
        file.write_at(&batch, *end).unwrap();
        *end += batch.len() as u64;
        file.sync().unwrap();
    });
    files(&place, false);
    RealFs.symlink(&place.target, &place.link).unwrap();
}

criterion_group!(benches, bench);
criterion_main!(benches);
