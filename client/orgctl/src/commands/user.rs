//! `user`: users and their roles.

use clap::Subcommand;
use orgservice_client::{Entity, EntityReference, OptionSet, QueryExpression, Uuid, column};
use serde_json::json;

use super::{linked, list, list_of};
use crate::{failure::Result, names, output::Output, session::Session};

/// The relationship between users and their roles.
pub const USER_ROLES: &str = "systemuserroles_association";

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// List users.
    List {
        /// Only those of a business unit, by id or name.
        #[arg(long, value_name = "UNIT")]
        business_unit: Option<String>,
        /// Disabled users, too.
        #[arg(long)]
        disabled: bool,
    },
    /// Create a user and print its id. What it can do comes from roles of its own and of its teams.
    Create(Box<NewUser>),
    /// Move a user to a business unit. Its roles are taken away, unless the organization keeps them.
    SetBusinessUnit {
        /// User: id, domain name, full name or e-mail address.
        user: String,
        /// Business unit: id or name.
        unit: String,
    },
    /// Keep a user from signing in and from being acted for. It keeps its records, roles and shares.
    Disable {
        /// User: id, domain name, full name or e-mail address.
        user: String,
    },
    /// Let a user sign in again.
    Enable {
        /// User: id, domain name, full name or e-mail address.
        user: String,
    },
    /// List the roles that are given to a user directly.
    Roles {
        /// User: id, domain name, full name or e-mail address.
        user: String,
    },
    /// Give a user a role: the copy in the user's business unit.
    GiveRole {
        /// User: id, domain name, full name or e-mail address.
        user: String,
        /// Role: name, or id of the copy.
        role: String,
    },
    /// Take a role from a user.
    RemoveRole {
        /// User: id, domain name, full name or e-mail address.
        user: String,
        /// Role: name, or id of the copy.
        role: String,
    },
}

#[derive(Debug, clap::Args)]
pub struct NewUser {
    /// Name by which the user signs in.
    #[arg(long, value_name = "NAME")]
    domain_name: Option<String>,
    /// First name.
    #[arg(long, value_name = "NAME")]
    first_name: Option<String>,
    /// Last name.
    #[arg(long, value_name = "NAME")]
    last_name: String,
    /// E-mail address.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Business unit, by id or name; the root one unless set.
    #[arg(long, value_name = "UNIT")]
    business_unit: Option<String>,
    /// Manager: id, domain name, full name or e-mail address.
    #[arg(long, value_name = "USER")]
    manager: Option<String>,
    /// Makes an application user: the id of the application.
    #[arg(long, value_name = "GUID")]
    application_id: Option<Uuid>,
    /// Directory object id, by which the user is acted for with --as-object-id.
    #[arg(long, value_name = "GUID")]
    object_id: Option<Uuid>,
    /// Access mode: 0 read-write, 1 administrative, 2 read, 4 non-interactive.
    #[arg(long, value_name = "NUMBER")]
    access_mode: Option<i32>,
    /// Role to give at once, by name; several may be given.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
}

/// Runs a command on users.
pub async fn run(command: &UserCommand, session: &Session, out: &mut Output) -> Result<()> {
    let service = &session.service;
    match command {
        UserCommand::List {
            business_unit,
            disabled,
        } => {
            let mut query = QueryExpression::new("systemuser").order_by("fullname");
            if !disabled {
                query = query.filter(column("isdisabled").equal(false));
            }
            if let Some(unit) = business_unit {
                let unit = names::business_unit(service, unit).await?;
                query = query.filter(column("businessunitid").equal(unit));
            }
            let columns = ["fullname", "domainname", "businessunitid", "isdisabled"];
            list(session, out, query, &columns).await
        }
        UserCommand::Create(new) => create(new, session, out).await,
        UserCommand::SetBusinessUnit { user, unit } => {
            let unit = names::business_unit(service, unit).await?;
            let unit = EntityReference::new("businessunit", unit);
            update(session, out, user, "businessunitid", unit).await
        }
        UserCommand::Disable { user } => update(session, out, user, "isdisabled", true).await,
        UserCommand::Enable { user } => update(session, out, user, "isdisabled", false).await,
        UserCommand::Roles { user } => {
            let user = names::user(service, user).await?;
            let roles =
                linked(session, "systemuserroles", ("systemuserid", user), "roleid").await?;
            list_of(session, out, "role", roles, &["name", "businessunitid"]).await
        }
        UserCommand::GiveRole { user, role } => {
            let user = EntityReference::new("systemuser", names::user(service, user).await?);
            let role = role_for(session, &user, role).await?;
            service.associate(&user, USER_ROLES, [&role]).await?;
            changed(out, "the role is given", &user)
        }
        UserCommand::RemoveRole { user, role } => {
            let user = EntityReference::new("systemuser", names::user(service, user).await?);
            let role = role_for(session, &user, role).await?;
            service.disassociate(&user, USER_ROLES, [&role]).await?;
            changed(out, "the role is taken away", &user)
        }
    }
}

async fn create(new: &NewUser, session: &Session, out: &mut Output) -> Result<()> {
    let service = &session.service;
    let unit = names::business_unit_or_root(service, new.business_unit.as_deref()).await?;
    let mut user = Entity::new("systemuser")
        .set("lastname", &new.last_name)
        .set("businessunitid", EntityReference::new("businessunit", unit));
    for (column, value) in [
        ("domainname", &new.domain_name),
        ("firstname", &new.first_name),
        ("internalemailaddress", &new.email),
    ] {
        if let Some(value) = value {
            user.insert(column, value);
        }
    }
    for (column, value) in [
        ("applicationid", new.application_id),
        ("azureactivedirectoryobjectid", new.object_id),
    ] {
        if let Some(value) = value {
            user.insert(column, value);
        }
    }
    if let Some(manager) = &new.manager {
        let manager = names::user(service, manager).await?;
        user.insert(
            "parentsystemuserid",
            EntityReference::new("systemuser", manager),
        );
    }
    if let Some(mode) = new.access_mode {
        user.insert("accessmode", OptionSet(mode));
    }
    // Names are resolved first, so that a misspelt role leaves no user behind.
    let mut roles = Vec::new();
    for role in &new.roles {
        roles.push(EntityReference::new(
            "role",
            names::role_copy(service, role, unit).await?,
        ));
    }
    let id = service.create(user).await?;
    if !roles.is_empty() {
        let user = EntityReference::new("systemuser", id);
        service.associate(&user, USER_ROLES, &roles).await?;
    }
    out.done(&id.to_string(), json!({ "id": id }))
}

async fn update(
    session: &Session,
    out: &mut Output,
    user: &str,
    column: &str,
    value: impl Into<orgservice_client::Value>,
) -> Result<()> {
    let id = names::user(&session.service, user).await?;
    let user = Entity::new("systemuser").with_id(id).set(column, value);
    let reference = user.reference();
    session.service.update(user).await?;
    changed(out, "the user is changed", &reference)
}

/// The copy of a role that a user or team may be given.
pub async fn role_for(
    session: &Session,
    principal: &EntityReference,
    role: &str,
) -> Result<EntityReference> {
    let service = &session.service;
    let unit = names::business_unit_of(service, principal).await?;
    let id = names::role_copy(service, role, unit).await?;
    Ok(EntityReference::new("role", id))
}

/// Says that a record has changed.
pub fn changed(out: &mut Output, sentence: &str, target: &EntityReference) -> Result<()> {
    out.done(
        sentence,
        json!({ "logicalName": target.logical_name, "id": target.id }),
    )
}
