//! Stores arriving responses in their group.

use std::sync::Arc;

use polars_buffer::Buffer;

use super::error::Failure;
use super::fetch::Gone;
use super::group::{Group, State};
use super::plan::Identity;

impl Group {
    /// Handles the first response of a request; shortens the chunk to the object's size.
    pub(super) fn identified(
        &self,
        index: usize,
        id: u64,
        identity: &Arc<Identity>,
        whole: bool,
    ) -> std::result::Result<(), Gone> {
        let mut state = self.lock();
        if whole {
            state.whole.insert(index);
        }
        let State { files, held, .. } = &mut *state;
        let file = &mut files[index];
        file.identity.get_or_insert_with(|| identity.clone());
        let (&start, chunk) = file.chunks.iter_mut().find(|(_, chunk)| chunk.id == id).ok_or(Gone)?;
        let end = if whole { identity.size } else { chunk.end.min(identity.size) };
        *held = *held + end - chunk.end;
        chunk.end = end;
        // The whole object is more than was requested. Unless a reader waits for it, it is dropped and requested when there
        // is room.
        let is_too_much = whole && chunk.waiters == 0 && *held > self.ahead.bytes;
        if end <= start || is_too_much {
            file.chunks.remove(&start);
            *held -= end.saturating_sub(start);
            state.requests = state.requests.saturating_sub(1);
        }
        // The next requests may have waited for the object's size. An error is ignored here: a reader gets it later.
        let _ = self.read_ahead(&mut state);
        drop(state);
        self.progress.notify_all();
        Ok(())
    }

    /// Adds bytes that have arrived.
    pub(super) fn append(&self, index: usize, id: u64, bytes: Buffer<u8>) -> std::result::Result<(), Gone> {
        let mut state = self.lock();
        let chunk = state.files[index].chunks.values_mut().find(|chunk| chunk.id == id).ok_or(Gone)?;
        chunk.filled += bytes.len() as u64;
        chunk.frames.push(bytes);
        let waited_for = chunk.waiters > 0;
        drop(state);
        if waited_for {
            self.progress.notify_all();
        }
        Ok(())
    }

    /// Handles the end of a request.
    pub(super) fn finished(&self, index: usize, id: u64, ended: std::result::Result<(), Failure>) {
        let mut state = self.lock();
        let found = state.files[index].chunks.values_mut().find(|chunk| chunk.id == id);
        if let Some(chunk) = found {
            chunk.done = true;
            chunk.task = None;
            chunk.failed = ended.err();
            state.requests = state.requests.saturating_sub(1);
        }
        // An error is ignored here: a reader gets it later.
        let _ = self.read_ahead(&mut state);
        drop(state);
        self.progress.notify_all();
    }
}
