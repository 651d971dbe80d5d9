//! `team`: teams, their members and their roles.

use clap::{Subcommand, ValueEnum};
use orgservice_client::{
    Entity, EntityReference, OptionSet, OrganizationRequest, QueryExpression, Uuid, Value, column,
};
use serde_json::json;

use super::{
    linked, list, list_of,
    user::{changed, role_for},
};
use crate::{failure::Result, names, output::Output, session::Session};

/// The relationship between teams and their roles.
pub const TEAM_ROLES: &str = "teamroles_association";

#[derive(Debug, Subcommand)]
pub enum TeamCommand {
    /// List teams.
    List {
        /// Only those of a business unit, by id or name.
        #[arg(long, value_name = "UNIT")]
        business_unit: Option<String>,
    },
    /// Create a team and print its id.
    Create {
        /// Name.
        name: String,
        /// Business unit, by id or name; the root one unless set.
        #[arg(long, value_name = "UNIT")]
        business_unit: Option<String>,
        /// Owner teams own records and hold roles; access teams only receive shares.
        #[arg(long, value_enum, default_value_t)]
        kind: Kind,
    },
    /// Add users to a team.
    Add {
        /// Team: id or name.
        team: String,
        /// Users: id, domain name, full name or e-mail address.
        #[arg(required = true)]
        users: Vec<String>,
    },
    /// Remove users from a team.
    Remove {
        /// Team: id or name.
        team: String,
        /// Users: id, domain name, full name or e-mail address.
        #[arg(required = true)]
        users: Vec<String>,
    },
    /// List the users of a team.
    Members {
        /// Team: id or name.
        team: String,
    },
    /// Give a team a role: the copy in the team's business unit.
    GiveRole {
        /// Team: id or name.
        team: String,
        /// Role: name, or id of the copy.
        role: String,
    },
    /// Take a role from a team.
    RemoveRole {
        /// Team: id or name.
        team: String,
        /// Role: name, or id of the copy.
        role: String,
    },
}

/// What a team is for. The numbers are those of `teamtype`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Owns records and holds roles.
    #[default]
    Owner = 0,
    /// Receives shares only.
    Access = 1,
}

/// Runs a command on teams.
pub async fn run(command: &TeamCommand, session: &Session, out: &mut Output) -> Result<()> {
    let service = &session.service;
    match command {
        TeamCommand::List { business_unit } => {
            let mut query = QueryExpression::new("team").order_by("name");
            if let Some(unit) = business_unit {
                let unit = names::business_unit(service, unit).await?;
                query = query.filter(column("businessunitid").equal(unit));
            }
            let columns = ["name", "businessunitid", "teamtype", "isdefault"];
            list(session, out, query, &columns).await
        }
        TeamCommand::Create {
            name,
            business_unit,
            kind,
        } => {
            let unit = names::business_unit_or_root(service, business_unit.as_deref()).await?;
            let team = Entity::new("team")
                .set("name", name)
                .set("businessunitid", EntityReference::new("businessunit", unit))
                .set("teamtype", OptionSet(*kind as i32));
            let id = service.create(team).await?;
            out.done(&id.to_string(), json!({ "id": id }))
        }
        TeamCommand::Add { team, users } => {
            let team = names::team(service, team).await?;
            let members = user_ids(session, users).await?;
            service
                .execute(membership("AddMembersTeam", team, members))
                .await?;
            let team = EntityReference::new("team", team);
            changed(out, "the users are members", &team)
        }
        TeamCommand::Remove { team, users } => {
            let team = names::team(service, team).await?;
            let members = user_ids(session, users).await?;
            service
                .execute(membership("RemoveMembersTeam", team, members))
                .await?;
            let team = EntityReference::new("team", team);
            changed(out, "the users are no members", &team)
        }
        TeamCommand::Members { team } => {
            let team = names::team(service, team).await?;
            let members =
                linked(session, "teammembership", ("teamid", team), "systemuserid").await?;
            let columns = ["fullname", "businessunitid"];
            list_of(session, out, "systemuser", members, &columns).await
        }
        TeamCommand::GiveRole { team, role } => {
            let team = EntityReference::new("team", names::team(service, team).await?);
            let role = role_for(session, &team, role).await?;
            service.associate(&team, TEAM_ROLES, [&role]).await?;
            changed(out, "the role is given", &team)
        }
        TeamCommand::RemoveRole { team, role } => {
            let team = EntityReference::new("team", names::team(service, team).await?);
            let role = role_for(session, &team, role).await?;
            service.disassociate(&team, TEAM_ROLES, [&role]).await?;
            changed(out, "the role is taken away", &team)
        }
    }
}

async fn user_ids(session: &Session, users: &[String]) -> Result<Vec<Uuid>> {
    let mut ids = Vec::with_capacity(users.len());
    for user in users {
        ids.push(names::user(&session.service, user).await?);
    }
    Ok(ids)
}

/// AddMembersTeam or RemoveMembersTeam.
pub fn membership(
    message: &str,
    team: Uuid,
    members: impl IntoIterator<Item = Uuid>,
) -> OrganizationRequest {
    let members: Vec<Value> = members.into_iter().map(Value::from).collect();
    OrganizationRequest::new(message)
        .set("TeamId", team)
        .set("MemberIds", members)
}
