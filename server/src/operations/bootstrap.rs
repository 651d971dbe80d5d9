//! A fresh organization: the rows that have to be there before anybody can call (`messages.md` 7).

use std::sync::Arc;

use orgservice_security::{BusinessUnitId, Privilege, PrivilegeDepth, Right, RoleId, UserId};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    Work,
    roles::privilege_columns,
    tables::{
        business_unit::create_default_team,
        links,
        role::{self, ROLE},
        rows,
        user::{USER, join_default_team},
    },
};
use crate::{
    directory::{
        BASIC_USER, DELEGATE, INTEGRATION_USER, SYSTEM_ADMINISTRATOR, SYSTEM_CUSTOMIZER,
        SYSTEM_USER,
    },
    fault::{Fault, FaultCode, Result},
    metadata::{ColumnType, PrivilegeCatalog, PrivilegeDefinition, TableDefinition},
    model::Value,
    storage::record::Record,
};

/// What a fresh organization is called, and who administers it.
#[derive(Clone, Debug)]
pub struct BootstrapOptions {
    /// Name of the organization and of its root business unit.
    pub organization_name: String,
    /// Full name of the first administrator; the last word is the last name.
    pub administrator_name: String,
}

/// Tables whose records ordinary people work with: Basic User has all rights on his own. The
/// privileges of `activitypointer` are those of every activity.
const ORDINARY: [&str; 4] = ["account", "contact", "activitypointer", "annotation"];

/// Tables that every Basic User may look at.
const LOOKED_AT: [&str; 3] = ["systemuser", "team", "businessunit"];

/// Tables whose rows register custom logic; secure configuration is not among them (PL-31).
const REGISTRATION: [&str; 4] = [
    "pluginassembly",
    "plugintype",
    "sdkmessageprocessingstep",
    "sdkmessageprocessingstepimage",
];

/// What customizing tables needs (MD-9).
const CUSTOMIZATION: [&str; 13] = [
    "prvCreateEntity",
    "prvWriteEntity",
    "prvDeleteEntity",
    "prvCreateAttribute",
    "prvWriteAttribute",
    "prvDeleteAttribute",
    "prvCreateRelationship",
    "prvWriteRelationship",
    "prvDeleteRelationship",
    "prvCreateOptionSet",
    "prvWriteOptionSet",
    "prvDeleteOptionSet",
    "prvPublishCustomization",
];

/// Makes a fresh organization in an empty store and returns the first administrator's id. Runs as
/// SYSTEM in one transaction.
///
/// # Errors
/// `MultipleOrganizationsNotAllowed` when there is one already; `InvalidArgument` or
/// `StringLengthTooLong` for names that do not fit.
pub fn bootstrap(work: &mut Work<'_>, options: &BootstrapOptions) -> Result<Uuid> {
    if !work.directory().organization().id.is_nil() {
        return Err(Fault::new(
            FaultCode::MultipleOrganizationsNotAllowed,
            "the store holds an organization already",
        ));
    }
    let organization_table = rows::shipped(work, "organization")?;
    let organization_name = name(
        &organization_table,
        "organization_name",
        &options.organization_name,
    )?;
    let user_table = rows::shipped(work, USER)?;
    let administrator_name = name(
        &user_table,
        "administrator_name",
        &options.administrator_name,
    )?;

    let currency = create_currency(work)?;
    create_organization(work, &organization_table, organization_name, currency)?;
    let unit = create_root_unit(work, organization_name)?;
    create_built_in_users(work, unit)?;
    let (first, last) = match administrator_name.rsplit_once(' ') {
        Some((first, last)) => (first.trim_end(), last),
        None => ("", administrator_name),
    };
    let administrator = UserId(work.new_id());
    create_user(
        work,
        administrator,
        unit,
        [
            ("firstname", text(first)),
            ("lastname", text(last)),
            ("fullname", Value::from(administrator_name)),
            ("setupuser", Value::Boolean(true)),
        ],
    )?;
    create_roles(work, unit, administrator)?;
    sync_privileges(work)?;
    Ok(administrator.0)
}

/// Brings the rows of `privilege` and `privilegeobjecttypecodes` and the System Administrator role in
/// line with the tables that exist (R-4). To be run whenever a server with other tables than before
/// opens a store; changes nothing when nothing is new.
///
/// # Errors
/// What the store says.
pub fn sync_privileges(work: &mut Work<'_>) -> Result<()> {
    let definitions = Arc::clone(work.definitions());
    let privilege_table = rows::shipped(work, "privilege")?;
    let codes_table = rows::shipped(work, "privilegeobjecttypecodes")?;
    for privilege in definitions.privileges().iter() {
        write(
            work,
            &privilege_table,
            privilege.id,
            privilege_columns(privilege),
        )?;
        let Some(guard) = privilege.table() else {
            continue;
        };
        for table in definitions
            .tables()
            .filter(|table| table.facts.code == guard)
        {
            // The row of a pair has the same id in every organization, as the privilege has.
            let id = Uuid::new_v5(&privilege.id, table.logical_name.as_bytes());
            let columns = vec![
                ("privilegeid", rows::reference("privilege", privilege.id)),
                ("objecttypecode", Value::from(&*table.logical_name)),
            ];
            write(work, &codes_table, id, columns)?;
        }
    }
    let root = work
        .directory()
        .roles()
        .find(|role| role.template == Some(SYSTEM_ADMINISTRATOR) && role.is_root())
        .map(|role| role.id);
    if let Some(root) = root {
        for privilege in definitions.privileges().iter() {
            role::put_privilege(work, root, privilege, privilege.highest_depth())?;
        }
    }
    Ok(())
}

fn create_currency(work: &mut Work<'_>) -> Result<Uuid> {
    let table = rows::shipped(work, "transactioncurrency")?;
    let id = work.new_id();
    let values = [
        ("currencyname", Value::from("US Dollar")),
        ("isocurrencycode", Value::from("USD")),
        ("currencysymbol", Value::from("$")),
        ("currencyprecision", Value::Integer(2)),
        ("exchangerate", Value::Decimal(Decimal::ONE)),
    ];
    rows::create(work, &table, id, None, values)?;
    Ok(id)
}

fn create_organization(
    work: &mut Work<'_>,
    table: &TableDefinition,
    name: &str,
    currency: Uuid,
) -> Result<()> {
    let id = work.new_id();
    let values = [
        ("name", Value::from(name)),
        (
            "basecurrencyid",
            rows::reference("transactioncurrency", currency),
        ),
        // English (United States), like every label of the shipped tables.
        ("languagecode", Value::Integer(1033)),
        ("expirechangetrackingindays", Value::Integer(30)),
        ("maxuploadfilesize", Value::Integer(5 * 1024 * 1024)),
        ("pricingdecimalprecision", Value::Integer(2)),
        ("auditretentionperiodv2", Value::Integer(-1)),
        (
            "orgdborgsettings",
            Value::from("<OrgSettings></OrgSettings>"),
        ),
    ];
    rows::create(work, table, id, None, values)?;
    Ok(())
}

/// The root unit with its default team. A unit belongs to itself (OW-6).
fn create_root_unit(work: &mut Work<'_>, name: &str) -> Result<BusinessUnitId> {
    let table = rows::shipped(work, "businessunit")?;
    let unit = BusinessUnitId(work.new_id());
    rows::create(
        work,
        &table,
        unit.0,
        Some(unit.0),
        [("name", Value::from(name))],
    )?;
    create_default_team(work, unit, name)?;
    Ok(unit)
}

/// U-6. Disabled, so that no credential could ever let them in.
fn create_built_in_users(work: &mut Work<'_>, unit: BusinessUnitId) -> Result<()> {
    for (user, name) in [(SYSTEM_USER, "SYSTEM"), (INTEGRATION_USER, "INTEGRATION")] {
        create_user(
            work,
            user,
            unit,
            [
                ("lastname", Value::from(name)),
                ("fullname", Value::from(name)),
                ("isdisabled", Value::Boolean(true)),
                (
                    "isintegrationuser",
                    Value::Boolean(user == INTEGRATION_USER),
                ),
            ],
        )?;
    }
    Ok(())
}

fn create_user(
    work: &mut Work<'_>,
    user: UserId,
    unit: BusinessUnitId,
    values: [(&'static str, Value); 4],
) -> Result<()> {
    let table = rows::shipped(work, USER)?;
    rows::create(work, &table, user.0, Some(unit.0), values)?;
    join_default_team(work, user, unit)
}

/// The shipped roles, of which System Administrator gets its privileges from
/// [`sync_privileges`], and the administrator as its first holder.
fn create_roles(work: &mut Work<'_>, unit: BusinessUnitId, administrator: UserId) -> Result<()> {
    let definitions = Arc::clone(work.definitions());
    let catalog = definitions.privileges();
    let system_administrator =
        create_role(work, unit, "System Administrator", SYSTEM_ADMINISTRATOR)?;
    links::link(
        work,
        links::USER_ROLES,
        administrator.0,
        system_administrator.0,
    )?;

    let guards = |tables: &[&str]| -> Vec<Privilege> {
        let codes = tables
            .iter()
            .filter_map(|table| Some(definitions.table(table)?.facts.code));
        codes
            .flat_map(|code| Right::ALL.map(|right| Privilege::Table(code, right)))
            .collect()
    };
    let basic = basic_user(catalog, &guards(&ORDINARY), &guards(&LOOKED_AT));
    let customizer = customizer(catalog, &guards(&REGISTRATION));
    let delegate = catalog.by_name("prvActOnBehalfOfAnotherUser");
    let delegate = delegate.map(|privilege| (privilege, PrivilegeDepth::Global));

    let role = create_role(work, unit, "Basic User", BASIC_USER)?;
    fill(work, role, basic.iter().copied())?;
    let role = create_role(work, unit, "System Customizer", SYSTEM_CUSTOMIZER)?;
    fill(work, role, basic.into_iter().chain(customizer))?;
    let role = create_role(work, unit, "Delegate", DELEGATE)?;
    fill(work, role, delegate)
}

fn basic_user<'c>(
    catalog: &'c PrivilegeCatalog,
    ordinary: &[Privilege],
    looked_at: &[Privilege],
) -> Vec<(&'c PrivilegeDefinition, PrivilegeDepth)> {
    let own = ordinary
        .iter()
        .filter_map(|&privilege| Some((catalog.get(privilege)?, PrivilegeDepth::Basic)));
    let seen = looked_at
        .iter()
        .filter_map(|&privilege| catalog.get(privilege))
        .filter(|found| found.right == Some(Right::Read))
        .map(|found| (found, PrivilegeDepth::Global));
    own.chain(seen).collect()
}

/// What System Customizer holds beyond Basic User.
fn customizer<'c>(
    catalog: &'c PrivilegeCatalog,
    registration: &[Privilege],
) -> Vec<(&'c PrivilegeDefinition, PrivilegeDepth)> {
    let customization = CUSTOMIZATION
        .iter()
        .filter_map(|name| catalog.by_name(name));
    let registration = registration
        .iter()
        .filter_map(|&privilege| catalog.get(privilege));
    customization
        .chain(registration)
        .map(|found| (found, PrivilegeDepth::Global))
        .collect()
}

fn create_role(
    work: &mut Work<'_>,
    unit: BusinessUnitId,
    name: &str,
    template: Uuid,
) -> Result<RoleId> {
    let table = rows::shipped(work, ROLE)?;
    let id = work.new_id();
    let values = [
        ("name", Value::from(name)),
        ("parentrootroleid", rows::reference(ROLE, id)),
        ("roletemplateid", Value::Guid(template)),
    ];
    rows::create(work, &table, id, Some(unit.0), values)?;
    Ok(RoleId(id))
}

fn fill<'c>(
    work: &mut Work<'_>,
    role: RoleId,
    privileges: impl IntoIterator<Item = (&'c PrivilegeDefinition, PrivilegeDepth)>,
) -> Result<()> {
    for (privilege, depth) in privileges {
        role::put_privilege(work, role, privilege, depth)?;
    }
    Ok(())
}

/// Writes a row without stamps, unless it is there already as it should be.
fn write(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    columns: Vec<(&'static str, Value)>,
) -> Result<()> {
    let before = work.find(table, id)?;
    let mut record = Record::default();
    for (column, value) in columns {
        rows::set(table, &mut record, column, value)?;
    }
    if before
        .as_ref()
        .is_some_and(|before| before.columns() == record.columns())
    {
        return Ok(());
    }
    work.put(table, id, before.as_ref(), record)?;
    Ok(())
}

/// A name without the space around it, not empty and no longer than its column.
fn name<'n>(table: &TableDefinition, option: &'static str, name: &'n str) -> Result<&'n str> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Fault::invalid_argument(
            option,
            format!("`{option}` is empty"),
        ));
    }
    let kind = table.primary_name_column().map(|column| &column.kind);
    if let Some(ColumnType::String { max_length }) = kind
        && name.encode_utf16().count() > *max_length
    {
        let description = format!("`{option}` has more than {max_length} UTF-16 units");
        return Err(
            Fault::new(FaultCode::StringLengthTooLong, description.clone())
                .detail("maxLength", max_length)
                .violation(option, description),
        );
    }
    Ok(name)
}

/// An empty text is null (G-7).
fn text(value: &str) -> Value {
    if value.is_empty() {
        Value::Null
    } else {
        Value::from(value)
    }
}
