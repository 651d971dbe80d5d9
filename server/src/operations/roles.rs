//! What roles contain and what principals possess through them (`messages.md` 2.1, R-2, R-6, PR-2).

use std::collections::BTreeMap;

use orgservice_security::{
    Owner, Privilege, PrivilegeDepth, Right, RoleId, TeamId, UserId, requirements,
};
use uuid::Uuid;

use super::{
    Operation, Work, missing,
    parameters::{self, Parameters},
    tables::{
        links,
        role::{self, ROLE},
        rows,
        team::TEAM,
        user::USER,
    },
};
use crate::{
    fault::{Fault, FaultCode, Result},
    limits,
    metadata::{PrivilegeCatalog, PrivilegeDefinition},
    model::{Entity, EntityCollection, OrganizationRequest, OrganizationResponse, Value},
};

/// SDK structure of a privilege at a depth (GV-9).
const ROLE_PRIVILEGE: &str = "RolePrivilege";

/// AddPrivilegesRole: what the role has already gets the new depth.
pub struct AddPrivilegesRole;

/// ReplacePrivilegesRole: the role has these and no others afterwards.
pub struct ReplacePrivilegesRole;

/// RemovePrivilegeRole.
pub struct RemovePrivilegeRole;

/// RetrieveRolePrivilegesRole.
pub struct RetrieveRolePrivilegesRole;

/// RetrieveUserPrivileges: what counts for a user, from all roles, each at its highest depth.
pub struct RetrieveUserPrivileges;

/// RetrieveTeamPrivileges: what a team's own roles give.
pub struct RetrieveTeamPrivileges;

/// RetrievePrivilegeSet: every privilege there is.
pub struct RetrievePrivilegeSet;

/// A root role and the privileges to put into it.
pub struct Contents {
    role: RoleId,
    privileges: BTreeMap<Privilege, PrivilegeDepth>,
}

impl Operation for AddPrivilegesRole {
    const NAME: &'static str = "AddPrivilegesRole";
    type Checked = Contents;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Contents> {
        check_contents(work, request)
    }

    fn perform(work: &mut Work<'_>, contents: Contents) -> Result<OrganizationResponse> {
        contents.put(work)?;
        Ok(OrganizationResponse::new(Self::NAME))
    }
}

impl Operation for ReplacePrivilegesRole {
    const NAME: &'static str = "ReplacePrivilegesRole";
    type Checked = Contents;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Contents> {
        check_contents(work, request)
    }

    fn perform(work: &mut Work<'_>, contents: Contents) -> Result<OrganizationResponse> {
        let present = work.directory().role_privileges(contents.role).cloned();
        let definitions = std::sync::Arc::clone(work.definitions());
        for privilege in present.iter().flat_map(|present| present.keys()) {
            if let (false, Some(definition)) = (
                contents.privileges.contains_key(privilege),
                definitions.privileges().get(*privilege),
            ) {
                links::unlink(work, links::ROLE_PRIVILEGES, contents.role.0, definition.id)?;
            }
        }
        contents.put(work)?;
        Ok(OrganizationResponse::new(Self::NAME))
    }
}

impl Operation for RemovePrivilegeRole {
    const NAME: &'static str = "RemovePrivilegeRole";
    type Checked = (RoleId, Uuid);

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<(RoleId, Uuid)> {
        let mut parameters = Parameters::of(request);
        let role = RoleId(parameters.guid("RoleId")?);
        let privilege = parameters.guid("PrivilegeId")?;
        parameters.finish()?;
        check_change(work, role)?;
        known(work.definitions().privileges(), privilege)?;
        role::require_editable(work, role)?;
        Ok((role, privilege))
    }

    fn perform(
        work: &mut Work<'_>,
        (role, privilege): (RoleId, Uuid),
    ) -> Result<OrganizationResponse> {
        links::unlink(work, links::ROLE_PRIVILEGES, role.0, privilege)?;
        Ok(OrganizationResponse::new(Self::NAME))
    }
}

impl Operation for RetrieveRolePrivilegesRole {
    const NAME: &'static str = "RetrieveRolePrivilegesRole";
    type Checked = RoleId;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<RoleId> {
        let role = only_id(request, "RoleId")?;
        check_read(work, ROLE, role)?;
        Ok(RoleId(role))
    }

    fn perform(work: &mut Work<'_>, role: RoleId) -> Result<OrganizationResponse> {
        let directory = work.directory();
        let unit = directory
            .role(role)
            .map(|role| role.business_unit.0)
            .unwrap_or_default();
        let contained = directory
            .role_privileges(role)
            .into_iter()
            .flat_map(|privileges| privileges.iter())
            .map(|(&privilege, &(depth, _))| (privilege, depth))
            .collect();
        Ok(role_privileges(work, Self::NAME, contained, unit))
    }
}

impl Operation for RetrieveUserPrivileges {
    const NAME: &'static str = "RetrieveUserPrivileges";
    type Checked = UserId;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<UserId> {
        let user = UserId(only_id(request, "UserId")?);
        // One's own are nobody else's business to allow.
        if user != work.subject() {
            check_read(work, USER, user.0)?;
        }
        Ok(user)
    }

    fn perform(work: &mut Work<'_>, user: UserId) -> Result<OrganizationResponse> {
        let principal = work.snapshot().principal(user)?;
        // SYSTEM possesses privileges without having been given them, so it is asked one by one.
        let possessed = work
            .definitions()
            .privileges()
            .iter()
            .filter_map(|found| Some((found.privilege, principal.depth(found.privilege)?)))
            .collect();
        let unit = work.directory().user(user).map(|user| user.business_unit.0);
        Ok(role_privileges(
            work,
            Self::NAME,
            possessed,
            unit.unwrap_or_default(),
        ))
    }
}

impl Operation for RetrieveTeamPrivileges {
    const NAME: &'static str = "RetrieveTeamPrivileges";
    type Checked = TeamId;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<TeamId> {
        let team = only_id(request, "TeamId")?;
        check_read(work, TEAM, team)?;
        Ok(TeamId(team))
    }

    fn perform(work: &mut Work<'_>, team: TeamId) -> Result<OrganizationResponse> {
        let directory = work.directory();
        let principal = work
            .snapshot()
            .owner_principal(Owner::Team(team))
            .ok_or_else(|| missing(TEAM, team.0))?;
        let unit = directory
            .team(team)
            .map(|team| team.business_unit.0)
            .unwrap_or_default();
        Ok(role_privileges(
            work,
            Self::NAME,
            principal.privileges().collect(),
            unit,
        ))
    }
}

impl Operation for RetrievePrivilegeSet {
    const NAME: &'static str = "RetrievePrivilegeSet";
    type Checked = ();

    fn check(_: &mut Work<'_>, request: &OrganizationRequest) -> Result<()> {
        Parameters::of(request).finish()
    }

    fn perform(work: &mut Work<'_>, (): ()) -> Result<OrganizationResponse> {
        let entities = work.definitions().privileges().iter().map(|privilege| {
            let entity = Entity::new("privilege")
                .with_id(privilege.id)
                .with("privilegeid", privilege.id);
            privilege_columns(privilege)
                .into_iter()
                .fold(entity, |entity, (column, value)| entity.with(column, value))
        });
        let collection = EntityCollection {
            entity_name: "privilege".to_owned(),
            entities: entities.collect(),
            total_record_count: -1,
            ..EntityCollection::default()
        };
        Ok(OrganizationResponse::new(Self::NAME)
            .with("EntityCollection", Value::Entities(Box::new(collection))))
    }
}

/// The columns of a row of table `privilege`.
pub fn privilege_columns(privilege: &PrivilegeDefinition) -> Vec<(&'static str, Value)> {
    let right = privilege
        .right
        .map_or(0, |right: Right| right.flag().bits().cast_signed());
    let can_be = |depth| Value::Boolean(privilege.depths.contains(&depth));
    vec![
        ("name", Value::from(&*privilege.name)),
        ("accessright", Value::Integer(right)),
        ("canbebasic", can_be(PrivilegeDepth::Basic)),
        ("canbelocal", can_be(PrivilegeDepth::Local)),
        ("canbedeep", can_be(PrivilegeDepth::Deep)),
        ("canbeglobal", can_be(PrivilegeDepth::Global)),
        ("canbeentityreference", Value::Boolean(false)),
    ]
}

impl Contents {
    fn put(&self, work: &mut Work<'_>) -> Result<()> {
        let definitions = std::sync::Arc::clone(work.definitions());
        for (&privilege, &depth) in &self.privileges {
            if let Some(definition) = definitions.privileges().get(privilege) {
                role::put_privilege(work, self.role, definition, depth)?;
            }
        }
        Ok(())
    }
}

/// Privileges, row, access; then the privileges named exist at these depths (PR-2), the role may be
/// changed, and whoever adds them holds them.
fn check_contents(work: &Work<'_>, request: &OrganizationRequest) -> Result<Contents> {
    let mut parameters = Parameters::of(request);
    let role = RoleId(parameters.guid("RoleId")?);
    let wanted = wanted(&parameters.structures("Privileges")?)?;
    parameters.finish()?;
    check_change(work, role)?;

    let catalog = work.definitions().privileges();
    let mut privileges = BTreeMap::new();
    for (index, (id, number)) in wanted.into_iter().enumerate() {
        let definition = known(catalog, id)?;
        let depth = allowed_depth(definition, number, index)?;
        privileges.insert(definition.privilege, depth);
    }
    role::require_editable(work, role)?;
    let present = work.directory().role_privileges(role);
    let added = privileges.iter().filter(|&(privilege, &depth)| {
        let present = present.and_then(|present| present.get(privilege));
        present.is_none_or(|&(present, _)| present < depth)
    });
    work.require_all(added.map(|(&privilege, _)| privilege))?;
    Ok(Contents { role, privileges })
}

fn check_change(work: &Work<'_>, role: RoleId) -> Result<()> {
    let table = rows::shipped(work, ROLE)?;
    work.require(&table, requirements::CHANGE_ROLE)?;
    let record = work.load(&table, role.0)?;
    work.access(&table, role.0, &record, requirements::CHANGE_ROLE)
}

fn check_read(work: &Work<'_>, table: &str, id: Uuid) -> Result<()> {
    let table = rows::shipped(work, table)?;
    work.require(&table, requirements::READ_PRIVILEGES)?;
    let record = work.load(&table, id)?;
    work.access(&table, id, &record, requirements::READ_PRIVILEGES)
}

fn only_id(request: &OrganizationRequest, name: &str) -> Result<Uuid> {
    let mut parameters = Parameters::of(request);
    let id = parameters.guid(name)?;
    parameters.finish()?;
    Ok(id)
}

/// Id and depth number of each structure. The business unit that the SDK's structure names too is
/// that of the role.
fn wanted(structures: &[&Entity]) -> Result<Vec<(Uuid, i32)>> {
    if structures.len() > limits::CASCADE_ROWS_MAX {
        return Err(Fault::limit_exceeded(
            "cascade_rows_max",
            limits::CASCADE_ROWS_MAX,
        ));
    }
    let one = |(index, structure): (usize, &&Entity)| {
        let attribute = |name: &'static str, expected: &str, value: Option<&Value>| {
            let field = structure_field(index, name);
            match value {
                None => Fault::invalid_argument(field.clone(), format!("`{name}` is missing")),
                Some(value) => parameters::mistyped(&field, expected, value),
            }
        };
        let value = |name: &str| {
            structure
                .attributes
                .get(name)
                .filter(|value| !value.is_null())
        };
        let id = value("PrivilegeId")
            .and_then(parameters::guid)
            .ok_or_else(|| attribute("PrivilegeId", "guidValue", value("PrivilegeId")))?;
        let depth = value("Depth")
            .and_then(parameters::integer)
            .ok_or_else(|| attribute("Depth", "integerValue", value("Depth")))?;
        Ok((id, depth))
    };
    structures.iter().enumerate().map(one).collect()
}

/// `ObjectDoesNotExist` for an id that is no privilege's.
fn known(catalog: &PrivilegeCatalog, id: Uuid) -> Result<&PrivilegeDefinition> {
    catalog.by_id(id).ok_or_else(|| missing("privilege", id))
}

/// PR-2.
fn allowed_depth(
    definition: &PrivilegeDefinition,
    number: i32,
    index: usize,
) -> Result<PrivilegeDepth> {
    PrivilegeDepth::from_number(number)
        .filter(|depth| definition.depths.contains(depth))
        .ok_or_else(|| {
            let depth = PrivilegeDepth::from_number(number)
                .map_or_else(|| number.to_string(), |depth| depth.to_string());
            let description = format!("{} cannot have depth {depth}", definition.name);
            Fault::new(FaultCode::InvalidPrivilegeDepth, description.clone())
                .detail("privilege", &definition.name)
                .violation(structure_field(index, "Depth"), description)
        })
}

fn structure_field(index: usize, name: &str) -> String {
    format!("Privileges[{index}].{name}")
}

fn role_privileges(
    work: &Work<'_>,
    message: &str,
    privileges: Vec<(Privilege, PrivilegeDepth)>,
    unit: Uuid,
) -> OrganizationResponse {
    let catalog = work.definitions().privileges();
    let structures = privileges.into_iter().filter_map(|(privilege, depth)| {
        let definition = catalog.get(privilege)?;
        let structure = Entity::new(ROLE_PRIVILEGE)
            .with("PrivilegeId", definition.id)
            .with("Depth", depth.number())
            .with("BusinessUnitId", unit)
            .with("PrivilegeName", &*definition.name);
        Some(Value::from(structure))
    });
    OrganizationResponse::new(message).with("RolePrivileges", Value::List(structures.collect()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use super::*;
    use crate::metadata::DefinitionsBuilder;

    fn structure(id: impl Into<Value>, depth: impl Into<Value>) -> Entity {
        Entity::new(ROLE_PRIVILEGE)
            .with("PrivilegeId", id)
            .with("Depth", depth)
    }

    #[test]
    fn structures_are_taken_apart_and_what_is_wrong_is_named() {
        let id = Uuid::max();
        let good = structure(id, 2).with("BusinessUnitId", Uuid::nil());
        assert_eq!(
            wanted(&[&good, &structure(id, Value::OptionSet(3))]).unwrap(),
            [(id, 2), (id, 3)]
        );
        for (bad, field) in [
            (structure("text", 2), "Privileges[1].PrivilegeId"),
            (structure(id, Value::Null), "Privileges[1].Depth"),
            (
                Entity::new(ROLE_PRIVILEGE).with("Depth", 1),
                "Privileges[1].PrivilegeId",
            ),
        ] {
            let fault = wanted(&[&good, &bad]).unwrap_err();
            assert_eq!(fault.code(), FaultCode::InvalidArgument);
            assert_eq!(fault.body().violations[0].field, field);
        }
    }

    #[test]
    fn pr_2_a_depth_that_the_table_does_not_allow_is_refused() {
        let definitions = DefinitionsBuilder::system().build().unwrap();
        let depth = |name: &str, number| {
            let definition = definitions.privileges().by_name(name).unwrap();
            allowed_depth(definition, number, 0).map_err(|fault| fault.code())
        };
        let refused = Err(FaultCode::InvalidPrivilegeDepth);
        assert_eq!(depth("prvReadAccount", 0), Ok(PrivilegeDepth::Basic));
        assert_eq!(depth("prvReadTeam", 0), refused, "business-owned: no Basic");
        assert_eq!(
            depth("prvCreateBusinessUnit", 1),
            refused,
            "Deep and Global only"
        );
        assert_eq!(depth("prvWriteOrganization", 2), refused);
        assert_eq!(depth("prvBulkDelete", 0), Ok(PrivilegeDepth::Basic), "PR-4");
        assert_eq!(
            depth("prvReadAccount", 4),
            refused,
            "RecordFilter is not built"
        );
        assert_eq!(depth("prvReadAccount", -1), refused);
    }

    #[test]
    fn a_privilege_row_says_its_right_and_depths() {
        let definitions = DefinitionsBuilder::system().build().unwrap();
        let columns = |name: &str| -> BTreeMap<_, _> {
            let definition = definitions.privileges().by_name(name).unwrap();
            privilege_columns(definition).into_iter().collect()
        };
        let share = columns("prvShareAccount");
        assert_eq!(share["accessright"], Value::Integer(262_144));
        assert_eq!(share["canbebasic"], Value::Boolean(true));
        let misc = columns("prvActOnBehalfOfAnotherUser");
        assert_eq!(misc["accessright"], Value::Integer(0));
        let organization = columns("prvWriteOrganization");
        assert_eq!(organization["canbelocal"], Value::Boolean(false));
        assert_eq!(organization["canbeglobal"], Value::Boolean(true));
    }
}
