//! The applier: takes durable records in the order of the journal, has them applied, and answers.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use super::apply::{Applier, Notes, Tree};
use super::wave::{self, Crew, Done, Entry};
use super::{Events, Queue, WRITE_BACK, Waiter, Work, uncertain};

/// Who hears of what is applied.
pub(super) struct Applying<'q> {
    pub(super) queue: &'q Queue,
    pub(super) events: &'q dyn Events,
}

impl Applying<'_> {
    /// Works until nothing comes any more.
    pub(super) fn run(
        &self,
        Applier { tree, mut notes }: Applier,
        work: &mpsc::Receiver<Work>,
        checkpointer: &mpsc::Sender<(PathBuf, Vec<Waiter>)>,
    ) {
        std::thread::scope(|scope| {
            let crew = Crew::start(scope, &tree);
            let mut full = Vec::new();
            loop {
                let next = if notes.unwritten.is_empty() {
                    work.recv().ok()
                } else {
                    match work.recv_timeout(WRITE_BACK) {
                        Ok(work) => Some(work),
                        Err(mpsc::RecvTimeoutError::Timeout) => {
                            self.write_back(&tree, &mut notes);
                            continue;
                        }
                        Err(mpsc::RecvTimeoutError::Disconnected) => None,
                    }
                };
                match next {
                    Some(Work::Apply(batch)) => {
                        self.apply(batch, &tree, &mut notes, &crew);
                        if !full.is_empty() && self.write_back(&tree, &mut notes) {
                            full.drain(..).for_each(|it| drop(checkpointer.send(it)));
                        }
                    }
                    Some(Work::Full(path, waiters)) => full.push((path, waiters)),
                    Some(Work::Barrier(sender)) => drop(sender.send(notes.unwritten.clone())),
                    None => {
                        self.write_back(&tree, &mut notes);
                        return;
                    }
                }
            }
        });
    }

    fn apply(&self, mut batch: VecDeque<Entry>, tree: &Tree, notes: &mut Notes, crew: &Crew<'_>) {
        while let Some((first, _)) = batch.front() {
            // Somebody waits for the files, see `Journal::settle`.
            if first.is_empty() {
                self.write_back(tree, notes);
            }
            let together = wave::length(batch.iter().map(|(record, _)| record));
            let records = batch.drain(..together).collect();
            // Whoever waits hears of a failure as the answers are dropped.
            if self.queue.failed.load(Ordering::Acquire) {
                return;
            }
            match crew.apply(records) {
                Some(done) => self.answer(done, notes),
                None => self.fail(),
            }
        }
    }

    /// Takes note of applied records, in their order, and answers.
    fn answer(&self, done: Vec<Done>, notes: &mut Notes) {
        let mut upto = None;
        for (record, _, _) in done.iter().take_while(|(_, _, applied)| applied.is_ok()) {
            notes.take(record);
            upto = Some(record.lsn);
        }
        if let Some(lsn) = upto {
            self.events.applied(lsn);
        }
        if let Some((.., Err(error))) = done.iter().find(|(.., applied)| applied.is_err()) {
            tracing::error!(?error, "a change cannot be applied: the store must be opened again");
            self.fail();
        }
        for (_, answer, applied) in done {
            // It is durable and will be applied: nobody may take it for refused, whatever the cause.
            let _ = answer.send(applied.map_err(|error| uncertain().because(error)));
        }
    }

    fn fail(&self) {
        self.queue.failed.store(true, Ordering::Release);
        self.events.failed();
    }

    fn write_back(&self, tree: &Tree, notes: &mut Notes) -> bool {
        if self.queue.failed.load(Ordering::Acquire) {
            return false;
        }
        let folders = notes.unwritten.clone();
        match notes.write_back(tree) {
            Ok(()) => {
                self.events.written_back(&folders);
                true
            }
            Err(error) => {
                tracing::error!(?error, "sizes cannot be written: the store must be opened again");
                self.queue.failed.store(true, Ordering::Release);
                false
            }
        }
    }
}
