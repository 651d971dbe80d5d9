//! `business-unit`: the tree of business units.

use clap::Subcommand;
use orgservice_client::{Entity, EntityReference, QueryExpression};
use serde_json::json;

use super::{list, user::changed};
use crate::{failure::Result, names, output::Output, session::Session};

#[derive(Debug, Subcommand)]
pub enum BusinessUnitCommand {
    /// List business units.
    List,
    /// Create a business unit and print its id. It gets a default team and copies of its parent's roles.
    Create {
        /// Name.
        name: String,
        /// Parent, by id or name; the root one unless set.
        #[arg(long, value_name = "UNIT")]
        parent: Option<String>,
    },
    /// Move a business unit, with all below it, under another parent.
    SetParent {
        /// Business unit: id or name.
        unit: String,
        /// New parent: id or name.
        parent: String,
    },
    /// Disable a business unit: its users and teams cannot act.
    Disable {
        /// Business unit: id or name.
        unit: String,
    },
    /// Enable a business unit.
    Enable {
        /// Business unit: id or name.
        unit: String,
    },
}

/// Runs a command on business units.
pub async fn run(command: &BusinessUnitCommand, session: &Session, out: &mut Output) -> Result<()> {
    let service = &session.service;
    match command {
        BusinessUnitCommand::List => {
            let query = QueryExpression::new("businessunit").order_by("name");
            let columns = ["name", "parentbusinessunitid", "isdisabled"];
            list(session, out, query, &columns).await
        }
        BusinessUnitCommand::Create { name, parent } => {
            let parent = names::business_unit_or_root(service, parent.as_deref()).await?;
            let unit = Entity::new("businessunit").set("name", name).set(
                "parentbusinessunitid",
                EntityReference::new("businessunit", parent),
            );
            let id = service.create(unit).await?;
            out.done(&id.to_string(), json!({ "id": id }))
        }
        BusinessUnitCommand::SetParent { unit, parent } => {
            let parent = names::business_unit(service, parent).await?;
            let parent = EntityReference::new("businessunit", parent);
            update(session, out, unit, "parentbusinessunitid", parent).await
        }
        BusinessUnitCommand::Disable { unit } => {
            update(session, out, unit, "isdisabled", true).await
        }
        BusinessUnitCommand::Enable { unit } => {
            update(session, out, unit, "isdisabled", false).await
        }
    }
}

async fn update(
    session: &Session,
    out: &mut Output,
    unit: &str,
    column: &str,
    value: impl Into<orgservice_client::Value>,
) -> Result<()> {
    let id = names::business_unit(&session.service, unit).await?;
    let unit = Entity::new("businessunit").with_id(id).set(column, value);
    let reference = unit.reference();
    session.service.update(unit).await?;
    changed(out, "the business unit is changed", &reference)
}
