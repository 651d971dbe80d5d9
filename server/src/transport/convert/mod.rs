//! The only translator between the contract's messages and the domain's values, both ways.
//!
//! Reading is strict: what the server does not know it refuses, and it never guesses (GV-6, GE-2).
//! A refusal is built on the way back out of the recursion, so a good request pays nothing for the
//! paths of its fields. Writing moves what it is given and copies no text.
//!
//! Nothing here looks anything up: whether a table, a column or a parameter exists is the core's to
//! say.

mod entity;
mod explanation;
mod message;
mod options;
mod query;
mod scalar;
mod value;

use std::borrow::Cow;

use jiff::Timestamp;
use orgservice::v1;
use uuid::Uuid;

pub(super) use explanation::{read_question, write_explanation};
pub(super) use message::Message;
pub(super) use options::{read_options, reconcile_request_ids};
pub(super) use scalar::{write_guid, write_timestamp};

use super::status;
use crate::{
    fault::{Fault, FaultCode},
    limits,
};

/// What reading a part of a message gives.
pub(super) type Read<T> = Result<T, Refusal>;

/// Why a part of a message is refused, with the path that leads to it so far.
#[derive(Debug)]
pub(super) struct Refusal {
    code: FaultCode,
    path: String,
    description: Cow<'static, str>,
    limit: Option<(&'static str, usize)>,
}

impl Refusal {
    /// `InvalidArgument` here.
    fn new(description: impl Into<Cow<'static, str>>) -> Self {
        Refusal::with_code(FaultCode::InvalidArgument, description)
    }

    fn with_code(code: FaultCode, description: impl Into<Cow<'static, str>>) -> Self {
        Refusal {
            code,
            path: String::new(),
            description: description.into(),
            limit: None,
        }
    }

    /// `InvalidArgument` here, naming the bound that was met.
    fn limit(description: &'static str, limit: &'static str, value: usize) -> Self {
        Refusal {
            limit: Some((limit, value)),
            ..Refusal::new(description)
        }
    }

    fn unknown_enum(name: &'static str, number: i32) -> Self {
        Refusal::new(format!("{number} is not a known {name}"))
    }

    /// The same refusal seen from the message around it: `segment` is the field it is in.
    fn within(mut self, segment: &str) -> Self {
        if self.path.is_empty() {
            self.path.push_str(segment);
        } else {
            self.path.insert(0, '.');
            self.path.insert_str(0, segment);
        }
        self
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let message = format!("`{}`: {}", refusal.path, refusal.description);
        let fault = Fault::new(refusal.code, message).violation(refusal.path, refusal.description);
        match refusal.limit {
            Some((name, value)) => fault.limit(name, value),
            None => fault,
        }
    }
}

/// Names the place of a refusal, from the inside out.
trait Within {
    /// In the field of that name.
    fn within(self, field: &str) -> Self;
    /// At a position of the repeated field of that name.
    fn at(self, field: &str, index: usize) -> Self;
    /// At a key of the map field of that name.
    fn of(self, field: &str, key: &str) -> Self;
}

impl<T> Within for Read<T> {
    fn within(self, field: &str) -> Self {
        self.map_err(|refusal| refusal.within(field))
    }

    fn at(self, field: &str, index: usize) -> Self {
        self.map_err(|refusal| refusal.within(&format!("{field}[{index}]")))
    }

    fn of(self, field: &str, key: &str) -> Self {
        self.map_err(|refusal| refusal.within(&format!("{field}[{key}]")))
    }
}

/// How deep a value may still nest: a walk that recurses must end before the stack does.
#[derive(Clone, Copy, Debug)]
struct Depth(usize);

impl Depth {
    const fn full() -> Self {
        Depth(limits::VALUE_DEPTH_MAX)
    }

    fn deeper(self) -> Read<Self> {
        self.0.checked_sub(1).map(Depth).ok_or_else(|| {
            Refusal::limit(
                "values are nested too deeply",
                "value_depth_max",
                limits::VALUE_DEPTH_MAX,
            )
        })
    }
}

/// Reads every element of a repeated field, naming the position of one that is refused.
fn read_list<W, T>(field: &str, wire: Vec<W>, mut read: impl FnMut(W) -> Read<T>) -> Read<Vec<T>> {
    wire.into_iter()
        .enumerate()
        .map(|(index, item)| read(item).at(field, index))
        .collect()
}

/// Writes domain values as messages of one call.
///
/// A fault among them is data that carries the id of the call (GX-3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer {
    /// The id of the call.
    pub activity_id: Uuid,
}

impl Writer {
    fn fault(self, fault: &Fault) -> v1::OrganizationServiceFault {
        status::fault_message(fault, self.activity_id)
    }
}

/// Reads an id that may be left out, of the field of that name.
pub(super) fn read_optional_guid(field: &str, text: &str) -> Read<Option<Uuid>> {
    scalar::read_optional_guid(text).within(field)
}

/// Reads an id that must be given, of the field of that name (G-8).
pub(super) fn read_required_guid(field: &str, text: &str) -> Read<Uuid> {
    scalar::read_optional_guid(text)
        .and_then(|id| id.ok_or_else(|| Refusal::new("the id is missing")))
        .within(field)
}

/// Reads an instant of the field of that name.
pub(super) fn read_timestamp(field: &str, wire: prost_types::Timestamp) -> Read<Timestamp> {
    scalar::read_timestamp(wire).within(field)
}

#[cfg(test)]
mod tests;
