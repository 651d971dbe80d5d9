//! What a request with a `request_id` answered, so that a repeat is answered from memory (GO-2).
//!
//! Written in the same commit as the change, under the real caller and the ten-minute window it ran
//! in; a look-up reads the current window and the one before, and old windows go as one range.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    caller::Caller,
    fault::{Fault, Result},
    limits,
    model::{OrganizationRequest, OrganizationResponse},
    operations::Work,
    storage::{Direction, keys, sealed},
};

/// Seconds of one window of memory.
const WINDOW_SECONDS: i64 = limits::REQUEST_MEMORY_MINUTES * 60;

/// Remembered requests removed per transaction.
const SWEEP_ROWS: usize = 1_000;

/// A request that is to run once.
pub struct Memory {
    user: Uuid,
    request_id: Uuid,
    hash: [u8; 32],
}

#[derive(Deserialize, Serialize)]
struct Remembered {
    hash: [u8; 32],
    at: i64,
    response: OrganizationResponse,
}

impl Memory {
    /// The memory of a request of a caller.
    ///
    /// # Errors
    /// `UnExpected` when the request cannot be encoded.
    pub fn of(caller: &Caller, request_id: Uuid, request: &OrganizationRequest) -> Result<Self> {
        let body = postcard::to_stdvec(request).map_err(Fault::unexpected)?;
        let mut hash = Sha256::new();
        hash.update(caller.impersonated.map(|user| user.0).unwrap_or_default());
        hash.update(&body);
        Ok(Memory {
            user: caller.authenticated.map_or(caller.host, |user| user.0),
            request_id,
            hash: hash.finalize().into(),
        })
    }

    /// Runs the request unless it ran before.
    ///
    /// # Errors
    /// `InvalidArgument` for the same id with another body or impersonated user; what `run` refuses.
    pub fn once(
        &self,
        work: &mut Work<'_>,
        run: impl FnOnce(&mut Work<'_>) -> Result<OrganizationResponse>,
    ) -> Result<OrganizationResponse> {
        if let Some(response) = self.recall(work)? {
            return Ok(response);
        }
        let response = run(work)?;
        self.remember(work, &response)?;
        Ok(response)
    }

    /// What the request answered before.
    ///
    /// # Errors
    /// `InvalidArgument` for the same id with another body or impersonated user.
    pub fn recall(&self, work: &Work<'_>) -> Result<Option<OrganizationResponse>> {
        let now = window(work.now());
        for window in [now, now.saturating_sub(1)] {
            let key = keys::request_memory(window, self.user, self.request_id);
            let Some(value) = work.view().get(&key)? else {
                continue;
            };
            let remembered: Remembered = sealed::open(&key, &value)?;
            if work.now().as_second() - remembered.at >= WINDOW_SECONDS {
                continue;
            }
            if remembered.hash != self.hash {
                return Err(Fault::invalid_argument(
                    "options.request_id",
                    format!(
                        "request id {} was used for another request or another impersonated user",
                        self.request_id
                    ),
                ));
            }
            return Ok(Some(remembered.response));
        }
        Ok(None)
    }

    /// Writes down what the request answered.
    ///
    /// # Errors
    /// What the store says.
    pub fn remember(&self, work: &mut Work<'_>, response: &OrganizationResponse) -> Result<()> {
        let now = work.now();
        let remembered = Remembered {
            hash: self.hash,
            at: now.as_second(),
            response: response.clone(),
        };
        let key = keys::request_memory(window(now), self.user, self.request_id);
        let value = sealed::seal(&remembered)?;
        work.transaction()?.put(key, value);
        Ok(())
    }
}

/// The request id of an item of a batch.
pub fn derived(request_id: Uuid, index: usize) -> Uuid {
    Uuid::new_v5(&request_id, &index.to_be_bytes())
}

/// Removes some of what need not be remembered any more; true when more may be left.
///
/// # Errors
/// What the store says.
pub fn sweep(work: &mut Work<'_>, now: Timestamp) -> Result<bool> {
    let range = keys::request_memory_before(window(now).saturating_sub(1));
    let page = work.view().scan(&range, Direction::Forward, SWEEP_ROWS)?;
    let more = page.len() == SWEEP_ROWS;
    let transaction = work.transaction()?;
    for (key, _) in page {
        transaction.delete(key.to_vec());
    }
    Ok(more)
}

fn window(time: Timestamp) -> u32 {
    u32::try_from(time.as_second() / WINDOW_SECONDS).unwrap_or(0)
}
