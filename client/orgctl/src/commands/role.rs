//! `role`: roles and their privileges. Privileges are kept at the root role, and copies follow.

use std::collections::BTreeMap;

use clap::{Subcommand, ValueEnum};
use orgservice_client::{
    Entity, EntityReference, OptionSet, OrganizationRequest, OrganizationServiceClient,
    QueryExpression, Uuid, Value, column,
};
use serde_json::json;

use super::{list, user::changed};
use crate::{
    failure::{Failure, Result},
    json, names,
    output::Output,
    session::Session,
};

#[derive(Debug, Subcommand)]
pub enum RoleCommand {
    /// List roles.
    List {
        /// The copies in a business unit, by id or name; the root roles unless set.
        #[arg(long, value_name = "UNIT")]
        business_unit: Option<String>,
    },
    /// Create a role without privileges and print its id.
    Create {
        /// Name.
        name: String,
        /// Business unit, by id or name; the root one unless set. Copies appear in all units below it.
        #[arg(long, value_name = "UNIT")]
        business_unit: Option<String>,
        /// Members of a team with the role get no access of their own from it, only that of the team.
        #[arg(long)]
        team_privileges_only: bool,
    },
    /// List the privileges of a role.
    Privileges {
        /// Role: id or name.
        role: String,
    },
    /// Add privileges to a role, or change their depth.
    AddPrivilege {
        /// Role: id or name.
        role: String,
        /// Privileges by name: prvReadAccount, …
        #[arg(required = true)]
        privileges: Vec<String>,
        /// How far they reach.
        #[arg(long, value_enum)]
        depth: Depth,
    },
    /// Take privileges from a role.
    RemovePrivilege {
        /// Role: id or name.
        role: String,
        /// Privileges by name: prvReadAccount, …
        #[arg(required = true)]
        privileges: Vec<String>,
    },
    /// Delete a role with all its copies.
    Delete {
        /// Role: id or name.
        role: String,
    },
}

/// How far a privilege reaches. The numbers are those of the message parameter (PR-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Depth {
    /// The records of the user and of its teams.
    Basic = 0,
    /// The records of the business unit.
    Local = 1,
    /// The records of the business unit and of those below it.
    Deep = 2,
    /// All records.
    Global = 3,
}

/// Runs a command on roles.
pub async fn run(command: &RoleCommand, session: &Session, out: &mut Output) -> Result<()> {
    let service = &session.service;
    match command {
        RoleCommand::List { business_unit } => {
            let query = QueryExpression::new("role").order_by("name");
            let query = match business_unit {
                None => query.filter(column("parentroleid").is_null()),
                Some(unit) => {
                    let unit = names::business_unit(service, unit).await?;
                    query.filter(column("businessunitid").equal(unit))
                }
            };
            list(
                session,
                out,
                query,
                &["name", "businessunitid", "isinherited"],
            )
            .await
        }
        RoleCommand::Create {
            name,
            business_unit,
            team_privileges_only,
        } => {
            let unit = names::business_unit_or_root(service, business_unit.as_deref()).await?;
            let role = Entity::new("role")
                .set("name", name)
                .set("businessunitid", EntityReference::new("businessunit", unit))
                .set("isinherited", OptionSet(i32::from(!team_privileges_only)));
            let id = service.create(role).await?;
            out.done(&id.to_string(), json!({ "id": id }))
        }
        RoleCommand::Privileges { role } => {
            let role = names::root_role(service, role).await?;
            show_privileges(session, out, role).await
        }
        RoleCommand::AddPrivilege {
            role,
            privileges,
            depth,
        } => {
            let role = names::root_role(service, role).await?;
            let ids = privilege_ids(service, privileges).await?;
            let privileges = ids.into_values().map(|id| (id, *depth));
            service.execute(add_privileges(role, privileges)).await?;
            changed(
                out,
                "the privileges are added",
                &EntityReference::new("role", role),
            )
        }
        RoleCommand::RemovePrivilege { role, privileges } => {
            let role = names::root_role(service, role).await?;
            let ids = privilege_ids(service, privileges).await?;
            let requests = ids.into_values().map(|id| {
                OrganizationRequest::new("RemovePrivilegeRole")
                    .set("RoleId", role)
                    .set("PrivilegeId", id)
            });
            service.execute_transaction(requests).await?;
            changed(
                out,
                "the privileges are taken away",
                &EntityReference::new("role", role),
            )
        }
        RoleCommand::Delete { role } => {
            let role = EntityReference::new("role", names::root_role(service, role).await?);
            service.delete(&role).await?;
            changed(out, "the role is deleted", &role)
        }
    }
}

/// AddPrivilegesRole. A privilege of a role travels as the SDK structure of that name (GV-9).
pub fn add_privileges(
    role: Uuid,
    privileges: impl IntoIterator<Item = (Uuid, Depth)>,
) -> OrganizationRequest {
    let privileges: Vec<Value> = privileges
        .into_iter()
        .map(|(privilege, depth)| {
            Entity::new("RolePrivilege")
                .set("PrivilegeId", privilege)
                .set("Depth", depth as i32)
                .into()
        })
        .collect();
    OrganizationRequest::new("AddPrivilegesRole")
        .set("RoleId", role)
        .set("Privileges", privileges)
}

/// The ids of privileges by their names.
///
/// # Errors
/// Names that are no privileges; all of them are named.
pub async fn privilege_ids(
    service: &OrganizationServiceClient,
    privileges: &[impl AsRef<str>],
) -> Result<BTreeMap<String, Uuid>> {
    let wanted = privileges.iter().map(AsRef::as_ref);
    let query = QueryExpression::new("privilege")
        .columns(["name"])
        .filter(column("name").is_in(wanted.clone()));
    let mut rows = service.stream::<Entity>(&query);
    let mut found = BTreeMap::new();
    while let Some(privilege) = rows.try_next().await? {
        found.insert(privilege.get("name")?, names::id_of(&privilege)?);
    }
    // Texts compare without case (FI-2), so the names that were found may be spelt otherwise.
    let is_found = |name: &&str| {
        found
            .keys()
            .any(|found: &String| found.eq_ignore_ascii_case(name))
    };
    let missing: Vec<_> = wanted.filter(|name| !is_found(name)).collect();
    if missing.is_empty() {
        Ok(found)
    } else {
        Err(Failure::usage(format!(
            "there is no privilege {}",
            missing.join(", ")
        )))
    }
}

async fn show_privileges(session: &Session, out: &mut Output, role: Uuid) -> Result<()> {
    let service = &session.service;
    let request = OrganizationRequest::new("RetrieveRolePrivilegesRole").set("RoleId", role);
    let response = service.execute(request).await?;
    if out.is_json() {
        return out.json(&json::from_response(&response)?);
    }
    let mut names = BTreeMap::new();
    let query = QueryExpression::new("privilege").columns(["name"]);
    let mut rows = service.stream::<Entity>(&query);
    while let Some(privilege) = rows.try_next().await? {
        names.insert(names::id_of(&privilege)?, privilege.get::<String>("name")?);
    }
    let privileges: Vec<Value> = response.get("RolePrivileges")?;
    let mut rows = Vec::with_capacity(privileges.len());
    for privilege in privileges {
        let privilege = Entity::try_from(privilege)?;
        let id: Uuid = privilege.get("PrivilegeId")?;
        let depth: i32 = privilege.get("Depth")?;
        let name = names.get(&id).cloned().unwrap_or_else(|| id.to_string());
        rows.push(vec![name, depth_name(depth).to_owned()]);
    }
    rows.sort();
    out.table(&["privilege", "depth"], rows)
}

fn depth_name(number: i32) -> &'static str {
    match number {
        0 => "Basic",
        1 => "Local",
        2 => "Deep",
        3 => "Global",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::*;

    #[test]
    fn depths_have_the_numbers_of_the_message() {
        for (number, depth) in Depth::value_variants().iter().enumerate() {
            let name = depth.to_possible_value().unwrap().get_name().to_owned();
            assert_eq!(*depth as usize, number);
            assert!(depth_name(*depth as i32).eq_ignore_ascii_case(&name));
        }
        assert_eq!(depth_name(4), "unknown");
    }

    #[test]
    fn privileges_travel_as_structures() {
        let (role, privilege) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let request = add_privileges(role, [(privilege, Depth::Deep)]);
        let Some(Value::List(privileges)) = request.parameters.get("Privileges") else {
            panic!("no list");
        };
        let expected = Entity::new("RolePrivilege")
            .set("PrivilegeId", privilege)
            .set("Depth", 2);
        assert_eq!(privileges[..], [expected.into()]);
    }
}
