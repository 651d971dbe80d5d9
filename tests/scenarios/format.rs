//! How a scenario file is written.
//!
//! A file is a list of examples. Each says what is given, in the words of [`Fixture`], and then who
//! does what and what comes of it, one line after another:
//!
//! ```toml
//! [[example]]
//! number = 46
//! title = "a delegate creates for somebody"
//! given.users.svc = { in = "ROOT", roles = ["Delegate", "account[CRW:u]"] }
//! given.users.ann = { in = "SALES", roles = ["account[CRW:u]"] }
//! check = [
//!     { as = "svc", on_behalf_of = "ann", do = "Create", table = "account", record = "new",
//!       then.new = { ownerid = "@ann", createdonbehalfby = "@svc" } },
//! ]
//! ```
//!
//! `expect` is `allow` unless said otherwise: a short name of `security.md` 0 (`PD`, `AD`, …) or the
//! name of a fault code. `@ann` refers to what is called so; `null` is no value.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

use crate::support::world::Fixture;

/// A file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// What its examples are about.
    pub title: String,
    /// The examples.
    pub example: Vec<Example>,
}

/// One worked example.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Its number in `security.md` 13.
    pub number: Option<u32>,
    /// Its name elsewhere in the specification (`EX-17`), or a rule it shows.
    pub id: Option<String>,
    /// What it shows.
    pub title: String,
    /// What there is before.
    #[serde(default)]
    pub given: Fixture,
    /// What happens, in order.
    pub check: Vec<Line>,
}

/// Somebody does something, and something comes of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Who holds the token; the first administrator unless said otherwise.
    #[serde(rename = "as", default = "administrator")]
    pub caller: String,
    /// The user named by `caller-id`; `nobody` is an id without a user.
    pub on_behalf_of: Option<String>,
    /// The user named by `caller-object-id`.
    pub on_behalf_of_object: Option<String>,
    /// The message.
    #[serde(rename = "do")]
    pub message: String,
    /// The record it is about. Create gives this name to the new one.
    pub record: Option<String>,
    /// The table, where no record says it.
    pub table: Option<String>,
    /// Whether Create brings the id along.
    #[serde(default)]
    pub own_id: bool,
    /// Columns of Create, Update and Upsert.
    #[serde(default)]
    pub set: BTreeMap<String, toml::Value>,
    /// Columns that Retrieve asks for.
    pub columns: Option<Vec<String>>,
    /// Whom Assign gives the record, and with whom it is shared.
    pub to: Option<String>,
    /// Rights of a share, in letters.
    pub rights: Option<String>,
    /// Relationship of Associate and Disassociate.
    pub relationship: Option<String>,
    /// Records to associate.
    #[serde(default)]
    pub related: Vec<String>,
    /// Parameters of any other message.
    #[serde(default)]
    pub parameters: BTreeMap<String, toml::Value>,
    /// Requests of a transaction; what they expect is not looked at.
    #[serde(default)]
    pub requests: Vec<Line>,

    /// `allow`, or which fault.
    #[serde(default = "allow")]
    pub expect: String,
    /// Details of the fault, ids by name.
    #[serde(default)]
    pub because: BTreeMap<String, String>,
    /// Fields that BadRequest names.
    pub fields: Option<Vec<String>>,
    /// Which request of the transaction failed.
    pub faulted: Option<i32>,
    /// Whether ExplainAccess can foresee the outcome: not what only the work itself finds (GA-2).
    #[serde(default = "yes")]
    pub foreseen: bool,
    /// Results; of Retrieve all columns of the answer.
    pub answer: Option<BTreeMap<String, toml::Value>>,
    /// Formatted values of the answer of Retrieve, all of them.
    pub formatted: Option<BTreeMap<String, String>>,
    /// Exactly the records that RetrieveMultiple shows.
    pub rows: Option<Vec<String>>,
    /// What the pair may do by ExplainAccess's effective matrix, per table: `CRW:l PT:u`.
    #[serde(default)]
    pub effective: BTreeMap<String, String>,
    /// Columns of records afterwards.
    #[serde(default)]
    pub then: BTreeMap<String, BTreeMap<String, toml::Value>>,
    /// Shares of records afterwards: mask by principal, and nobody else has one.
    #[serde(default)]
    pub shares: BTreeMap<String, BTreeMap<String, u32>>,
    /// What of these shares came down from parents (`inheritedaccessrightsmask`).
    #[serde(default)]
    pub inherited: BTreeMap<String, BTreeMap<String, u32>>,
    /// Records that do not exist afterwards.
    #[serde(default)]
    pub gone: Vec<String>,
}

fn administrator() -> String {
    "administrator".to_owned()
}

fn allow() -> String {
    "allow".to_owned()
}

fn yes() -> bool {
    true
}

impl File {
    /// Reads a file of the folder of scenarios.
    pub fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/scenarios")
            .join(name);
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

impl Example {
    /// What it is called when it fails.
    pub fn name(&self) -> String {
        match (&self.number, &self.id) {
            (Some(number), _) => format!("example {number} ({})", self.title),
            (None, Some(id)) => format!("{id} ({})", self.title),
            (None, None) => self.title.clone(),
        }
    }
}
