//! How a [`World`](super::world::World) is written down: users, teams, roles and records by name.

use std::collections::BTreeMap;

use orgservice_server::metadata::{CascadeConfiguration, CascadeType, DeleteCascade};
use serde::Deserialize;

/// What a world begins with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fixture {
    /// Roles that checks name, in the notation of the specification. All roles are made in ROOT.
    pub roles: BTreeMap<String, String>,
    /// Users.
    pub users: BTreeMap<String, UserFixture>,
    /// Teams.
    pub teams: BTreeMap<String, TeamFixture>,
    /// Records.
    pub records: BTreeMap<String, RecordFixture>,
    /// Shares: `rec with eve: RW`.
    pub shares: Vec<String>,
    /// Columns of the organization's row.
    pub settings: BTreeMap<String, toml::Value>,
    /// Cascades by relationship; all others are NoCascade and RemoveLink, or as shipped.
    pub cascades: BTreeMap<String, CascadeFixture>,
    /// Whether relationships cascade as shipped.
    pub shipped_cascades: bool,
    /// Identities without a user row that the deployment trusts (IM-4).
    pub hosts: Vec<String>,
}

/// A user.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserFixture {
    /// Business unit.
    #[serde(rename = "in")]
    pub unit: String,
    /// Shipped roles by name, roles of the fixture by name, or what a role of his own contains.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Whether he is disabled in the end.
    #[serde(default)]
    pub disabled: bool,
    /// Access mode (U-3).
    #[serde(default)]
    pub access_mode: i32,
    /// Whether the deployment's PrivUserGroup contains him (IM-4).
    #[serde(default)]
    pub trusted: bool,
}

/// A team.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamFixture {
    /// Business unit.
    #[serde(rename = "in")]
    pub unit: String,
    /// Whether it is an access team.
    #[serde(default)]
    pub access: bool,
    /// As for a user.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Whether members inherit its own roles at Basic.
    #[serde(default)]
    pub inherited: bool,
    /// Users.
    #[serde(default)]
    pub members: Vec<String>,
}

/// A record.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordFixture {
    /// Table.
    #[serde(default = "account")]
    pub table: String,
    /// User or team, where records have owners.
    #[serde(default)]
    pub owner: Option<String>,
    /// Columns.
    #[serde(default)]
    pub set: BTreeMap<String, toml::Value>,
    /// Whether it is only an id that nothing is behind.
    #[serde(default)]
    pub missing: bool,
}

/// How a relationship cascades.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CascadeFixture {
    assign: String,
    share: String,
    unshare: String,
    delete: String,
}

impl Default for CascadeFixture {
    fn default() -> Self {
        CascadeFixture {
            assign: "NoCascade".into(),
            share: "NoCascade".into(),
            unshare: "NoCascade".into(),
            delete: "RemoveLink".into(),
        }
    }
}

fn account() -> String {
    "account".to_owned()
}

impl CascadeFixture {
    /// The same as the server takes it.
    pub fn configuration(&self) -> CascadeConfiguration {
        let each = |name: &str| match name {
            "Cascade" => CascadeType::Cascade,
            "Active" => CascadeType::Active,
            "UserOwned" => CascadeType::UserOwned,
            "NoCascade" => CascadeType::NoCascade,
            other => panic!("`{other}` is no cascade"),
        };
        CascadeConfiguration {
            assign: each(&self.assign),
            share: each(&self.share),
            unshare: each(&self.unshare),
            reparent: CascadeType::NoCascade,
            delete: match self.delete.as_str() {
                "Cascade" => DeleteCascade::Cascade,
                "RemoveLink" => DeleteCascade::RemoveLink,
                "Restrict" => DeleteCascade::Restrict,
                other => panic!("`{other}` is no cascade of Delete"),
            },
        }
    }
}
