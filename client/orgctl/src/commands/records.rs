//! Commands on one record: create, retrieve, update, delete, assign, and sharing.

use clap::Args;
use orgservice_client::{
    AccessRights, ColumnSet, Entity, EntityReference, OrganizationRequest, PrincipalAccess, Uuid,
    Value,
};
use serde_json::json;

use crate::{
    failure::{Failure, Result},
    json,
    names::{self, name_column},
    output::{Output, reference_text},
    session::Session,
    value::{Assignment, SYNTAX},
};

/// A record by table and id.
#[derive(Args, Debug)]
pub struct RecordArguments {
    /// Logical name of the table.
    table: String,
    /// Id of the record.
    id: Uuid,
}

impl RecordArguments {
    fn reference(&self) -> EntityReference {
        EntityReference::new(&self.table, self.id)
    }
}

/// Columns and their values.
#[derive(Args, Debug)]
pub struct Values {
    /// Columns: COLUMN=TEXT or COLUMN:TYPE=VALUE.
    #[arg(value_name = "COLUMN=VALUE")]
    assignments: Vec<Assignment>,
    /// Record in the contract's JSON, as `retrieve --output json` prints it; `-` reads standard input.
    /// Columns on the command line win.
    #[arg(long, value_name = "FILE")]
    json: Option<String>,
}

impl Values {
    /// The record that the command line and the file describe together.
    pub fn record(&self, table: &str) -> Result<Entity> {
        let record = match &self.json {
            None => Entity::new(table),
            Some(path) => {
                let mut record = json::to_entity(json::read(path)?)?;
                if record.logical_name.is_empty() {
                    table.clone_into(&mut record.logical_name);
                } else if record.logical_name != table {
                    return Err(Failure::usage(format!(
                        "`{path}` holds a record of `{}`, not of `{table}`",
                        record.logical_name
                    )));
                }
                record
            }
        };
        Ok(Assignment::set_all(record, &self.assignments))
    }
}

#[derive(Args, Debug)]
#[command(after_help = SYNTAX)]
pub struct CreateArguments {
    /// Logical name of the table.
    table: String,
    /// Id of the record; the server makes one unless it is given.
    #[arg(long)]
    id: Option<Uuid>,
    #[command(flatten)]
    values: Values,
}

/// Creates a record and prints its id.
pub async fn create(
    arguments: &CreateArguments,
    session: &Session,
    out: &mut Output,
) -> Result<()> {
    let mut record = arguments.values.record(&arguments.table)?;
    record.id = arguments.id.or(record.id);
    let id = session.service.create(record).await?;
    out.done(&id.to_string(), json!({ "id": id }))
}

#[derive(Args, Debug)]
pub struct RetrieveArguments {
    #[command(flatten)]
    record: RecordArguments,
    /// Columns to read; the name unless set.
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    columns: Vec<String>,
    /// Read all columns.
    #[arg(long, conflicts_with = "columns")]
    all: bool,
}

/// Shows a record.
pub async fn retrieve(
    arguments: &RetrieveArguments,
    session: &Session,
    out: &mut Output,
) -> Result<()> {
    let columns = if arguments.all {
        ColumnSet::all()
    } else if arguments.columns.is_empty() {
        ColumnSet::of(name_column(&arguments.record.table))
    } else {
        ColumnSet::of(&arguments.columns)
    };
    let record = session
        .service
        .retrieve_entity(arguments.record.reference(), columns)
        .await?;
    out.record(&record)
}

#[derive(Args, Debug)]
#[command(after_help = SYNTAX)]
pub struct UpdateArguments {
    #[command(flatten)]
    record: RecordArguments,
    #[command(flatten)]
    values: Values,
    /// Only if the record still has this version.
    #[arg(long, value_name = "VERSION")]
    if_row_version: Option<u64>,
}

/// Changes columns of a record.
pub async fn update(
    arguments: &UpdateArguments,
    session: &Session,
    out: &mut Output,
) -> Result<()> {
    let target = arguments.record.reference();
    let mut record = arguments.values.record(&target.logical_name)?;
    record.id = target.id;
    record.row_version = arguments.if_row_version;
    let mut call = session.service.update(record);
    if arguments.if_row_version.is_some() {
        call = call.if_row_version_matches();
    }
    call.await?;
    done(out, "updated", &target)
}

#[derive(Args, Debug)]
pub struct DeleteArguments {
    #[command(flatten)]
    record: RecordArguments,
    /// Only if the record still has this version.
    #[arg(long, value_name = "VERSION")]
    if_row_version: Option<u64>,
}

/// Deletes a record.
pub async fn delete(
    arguments: &DeleteArguments,
    session: &Session,
    out: &mut Output,
) -> Result<()> {
    let mut target = arguments.record.reference();
    target.row_version = arguments.if_row_version;
    let mut call = session.service.delete(&target);
    if arguments.if_row_version.is_some() {
        call = call.if_row_version_matches();
    }
    call.await?;
    done(out, "deleted", &target)
}

#[derive(Args, Debug)]
pub struct AssignArguments {
    #[command(flatten)]
    record: RecordArguments,
    /// New owner: user:NAME, team:NAME, or the id of a user.
    #[arg(long, value_name = "OWNER")]
    to: String,
}

/// Gives a record to another owner.
pub async fn assign(
    arguments: &AssignArguments,
    session: &Session,
    out: &mut Output,
) -> Result<()> {
    let target = arguments.record.reference();
    let owner = names::principal(&session.service, &arguments.to).await?;
    session.service.assign(&target, &owner).await?;
    done(out, "assigned", &target)
}

#[derive(Args, Debug)]
pub struct ShareArguments {
    #[command(flatten)]
    record: RecordArguments,
    /// Receiver: user:NAME, team:NAME, or the id of a user.
    #[arg(long, value_name = "RECEIVER")]
    with: String,
    /// Rights: read, write, append, append-to, delete, share, assign, all.
    #[arg(long, value_parser = names::rights, value_name = "RIGHTS")]
    rights: AccessRights,
}

/// Adds rights to the share of a principal.
pub async fn share(arguments: &ShareArguments, session: &Session, out: &mut Output) -> Result<()> {
    let target = arguments.record.reference();
    let receiver = names::principal(&session.service, &arguments.with).await?;
    session
        .service
        .share(&target, &receiver, arguments.rights)
        .await?;
    done(out, "shared", &target)
}

/// Replaces the rights in the share of a principal.
pub async fn modify_share(
    arguments: &ShareArguments,
    session: &Session,
    out: &mut Output,
) -> Result<()> {
    let target = arguments.record.reference();
    let receiver = names::principal(&session.service, &arguments.with).await?;
    session
        .service
        .modify_share(&target, &receiver, arguments.rights)
        .await?;
    done(out, "shared", &target)
}

#[derive(Args, Debug)]
pub struct UnshareArguments {
    #[command(flatten)]
    record: RecordArguments,
    /// Whose share: user:NAME, team:NAME, or the id of a user.
    #[arg(long, value_name = "RECEIVER")]
    with: String,
}

/// Removes the share of a principal.
pub async fn unshare(
    arguments: &UnshareArguments,
    session: &Session,
    out: &mut Output,
) -> Result<()> {
    let target = arguments.record.reference();
    let receiver = names::principal(&session.service, &arguments.with).await?;
    session.service.unshare(&target, &receiver).await?;
    done(out, "no longer shared", &target)
}

/// Shows with whom a record is shared. Owners and holders of roles are no shares (SH-8).
pub async fn shares(
    arguments: &RecordArguments,
    session: &Session,
    out: &mut Output,
) -> Result<()> {
    let request = OrganizationRequest::new("RetrieveSharedPrincipalsAndAccess")
        .set("Target", arguments.reference());
    let response = session.service.execute(request).await?;
    if out.is_json() {
        return out.json(&json::from_response(&response)?);
    }
    let accesses: Vec<Value> = response.get("PrincipalAccesses")?;
    let rows = accesses
        .into_iter()
        .map(|access| {
            let access = PrincipalAccess::try_from(access)?;
            Ok(vec![
                reference_text(&access.principal),
                access.access_rights.to_string(),
            ])
        })
        .collect::<Result<_>>()?;
    out.table(&["shared with", "rights"], rows)
}

#[derive(Args, Debug)]
pub struct AccessArguments {
    #[command(flatten)]
    record: RecordArguments,
    /// Whose rights: user:NAME, team:NAME, or the id of a user.
    #[arg(long, value_name = "USER")]
    of: String,
}

/// Shows which rights a principal has on a record, evaluated for it alone (SH-7).
pub async fn access(
    arguments: &AccessArguments,
    session: &Session,
    out: &mut Output,
) -> Result<()> {
    let principal = names::principal(&session.service, &arguments.of).await?;
    let request = OrganizationRequest::new("RetrievePrincipalAccess")
        .set("Target", arguments.record.reference())
        .set("Principal", principal);
    let response = session.service.execute(request).await?;
    if out.is_json() {
        return out.json(&json::from_response(&response)?);
    }
    let mask: i32 = response.get("AccessRights")?;
    let rights = AccessRights::from_bits_truncate(mask.cast_unsigned());
    if rights.is_empty() {
        out.line("none")
    } else {
        out.line(&rights.to_string())
    }
}

fn done(out: &mut Output, what: &str, target: &EntityReference) -> Result<()> {
    out.done(
        &format!("{what}: {}", reference_text(target)),
        json!({ "logicalName": target.logical_name, "id": target.id }),
    )
}
