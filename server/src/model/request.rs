//! [`OrganizationRequest`] and [`OrganizationResponse`]: a message name and a bag of parameters.
//!
//! A typed RPC and Execute both arrive here as the same bag (GR-2), so there is one code path and
//! one set of faults for both doors.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Value;

/// A message with its parameters, named as in the SDK (`Target`, `ColumnSet`).
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct OrganizationRequest {
    /// Message name, case-sensitive (`Create`).
    pub name: String,
    /// Parameters by SDK property name.
    pub parameters: BTreeMap<String, Value>,
    /// Makes a repeat return the first result (GO-2).
    pub request_id: Option<Uuid>,
}

impl OrganizationRequest {
    /// A request without parameters.
    pub fn new(name: impl Into<String>) -> Self {
        OrganizationRequest {
            name: name.into(),
            ..Self::default()
        }
    }

    /// The same request with one more parameter.
    pub fn with(mut self, parameter: impl Into<String>, value: impl Into<Value>) -> Self {
        self.parameters.insert(parameter.into(), value.into());
        self
    }
}

/// What a message answered.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct OrganizationResponse {
    /// Name of the message.
    pub name: String,
    /// Results by SDK property name.
    pub results: BTreeMap<String, Value>,
}

impl OrganizationResponse {
    /// A response without results.
    pub fn new(name: impl Into<String>) -> Self {
        OrganizationResponse {
            name: name.into(),
            ..Self::default()
        }
    }

    /// The same response with one more result.
    pub fn with(mut self, result: impl Into<String>, value: impl Into<Value>) -> Self {
        self.results.insert(result.into(), value.into());
        self
    }
}

/// What a client can say beside the message itself (`grpc.md` 7).
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct RequestOptions {
    /// Makes a repeat return the first result (GO-2).
    pub request_id: Option<Uuid>,
    /// Optional parameters by SDK name (`SuppressDuplicateDetection`, `tag`; `messages.md` 1.9).
    pub parameters: BTreeMap<String, Value>,
}

/// What Update and Delete do about a row version (OC-1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
pub enum ConcurrencyBehavior {
    /// No check.
    #[default]
    Default,
    /// Refuse when the row is no longer at the given version.
    IfRowVersionMatches,
    /// No check.
    AlwaysOverwrite,
}
