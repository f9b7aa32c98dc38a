//! Reads with a predicate: batches are decoded on this crate's threads, and the caller's thread evaluates.
//!
//! Evaluation may use Polars' threads. If all of them wait for this read, an evaluation on one of this crate's threads
//! would deadlock. Therefore the thread that waits for the batch evaluates.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::Field;

use super::predicate::Predicate;
use crate::{BadBlock, Batch, BatchReader, Error, ErrorKind, Result, RowFilter};

/// Number of batches that wait for the caller, besides those that the reader has ready.
const READY: usize = 1;

enum Message {
    /// A batch to evaluate the predicate on, and the channel for the mask.
    Evaluate(Batch, SyncSender<Result<Bitmap>>),
    /// The next batch of the read, and the blocks that were reported with it.
    Batch(Result<Batch>, Vec<BadBlock>),
    /// The end of the read.
    End(Vec<BadBlock>),
}

/// A filter that the thread waiting for batches evaluates.
struct AskCaller {
    columns: Vec<String>,
    caller: SyncSender<Message>,
}

impl fmt::Debug for AskCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskCaller").field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl RowFilter for AskCaller {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn evaluate(&self, batch: Batch) -> Result<Bitmap> {
        let dropped = || Error::new(ErrorKind::Callback, "the reader was dropped");
        let (answer, answers) = sync_channel(1);
        self.caller.send(Message::Evaluate(batch, answer)).map_err(|_| dropped())?;
        answers.recv().map_err(|_| dropped())?
    }
}

/// The batches of a read whose filter the caller's thread evaluates.
pub(super) struct Pump {
    messages: Receiver<Message>,
    pub(super) fields: Arc<[Field]>,
    pub(super) predicate: Predicate,
    /// Reports that the caller has not taken yet.
    pub(super) bad_blocks: Vec<BadBlock>,
    finished: bool,
}

impl Pump {
    /// Starts a read with a filter.
    pub(super) fn start(
        predicate: Predicate,
        read: impl FnOnce(Arc<dyn RowFilter>) -> Result<BatchReader>,
    ) -> Result<Self> {
        let (caller, messages) = sync_channel(READY);
        let filter = AskCaller { columns: predicate.columns.clone(), caller: caller.clone() };
        let mut reader = read(Arc::new(filter))?;
        let fields = reader.fields().clone();
        let drive = move || {
            while let Some(batch) = reader.next() {
                let bad_blocks = reader.take_bad_blocks();
                if caller.send(Message::Batch(batch, bad_blocks)).is_err() {
                    return;
                }
            }
            // Sending fails if the caller is gone, which is no error.
            drop(caller.send(Message::End(reader.take_bad_blocks())));
        };
        thread::Builder::new().name("polars-avro-read".to_owned()).spawn(drive)?;
        Ok(Self { messages, fields, predicate, bad_blocks: Vec::new(), finished: false })
    }
}

impl Iterator for Pump {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Result<Batch>> {
        while !self.finished {
            match self.messages.recv() {
                Ok(Message::Evaluate(batch, answer)) => drop(answer.send(self.predicate.evaluate(batch))),
                Ok(Message::Batch(batch, bad_blocks)) => {
                    self.bad_blocks.extend(bad_blocks);
                    return Some(batch);
                }
                Ok(Message::End(bad_blocks)) => {
                    self.bad_blocks.extend(bad_blocks);
                    self.finished = true;
                }
                Err(_) => {
                    self.finished = true;
                    return Some(Err(Error::new(ErrorKind::Internal, "the thread that reads has stopped")));
                }
            }
        }
        None
    }
}
