//! From the data set to records. Pure: the same data give the same records with the same ids.

use std::collections::{BTreeMap, BTreeSet};

use orgservice_client::{Entity, EntityReference, OptionSet, Uuid, Value};

use super::{
    northwind::{Company, Northwind},
    roles,
};

/// Where ids come from: a name in a space of our own, made from the address of the data's source.
fn id(name: &str) -> Uuid {
    let source = b"https://github.com/microsoft/sql-server-samples/northwind";
    let space = Uuid::new_v5(&Uuid::NAMESPACE_URL, source);
    Uuid::new_v5(&space, name.as_bytes())
}

/// What the server has before the sample is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Ground {
    /// The root business unit.
    pub root_unit: Uuid,
    /// Its default team.
    pub root_team: Uuid,
}

/// One record of the sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Seed {
    /// The record as it is created.
    pub record: Entity,
    /// Columns that place it and are left alone when it exists already: moving a user takes its roles (U-2).
    pub placing: &'static [&'static str],
}

impl Seed {
    /// What to send for a record that exists already.
    pub fn for_update(&self) -> Entity {
        let mut record = self.record.clone();
        for column in self.placing {
            record.attributes.remove(*column);
        }
        record
    }
}

/// A user or team that is to hold a role of the sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// Who.
    pub holder: EntityReference,
    /// Name of the role.
    pub role: &'static str,
    /// The holder's business unit: its copy of the role is given.
    pub unit: Uuid,
}

/// Everything that is loaded, in the order of loading.
#[derive(Debug)]
pub struct Plan {
    /// Business units.
    pub units: Vec<Seed>,
    /// Roles, without their privileges.
    pub roles: Vec<Seed>,
    /// Users, managers before those whom they manage, and the application user last.
    pub users: Vec<Seed>,
    /// Who holds which role.
    pub grants: Vec<Grant>,
    /// Teams.
    pub teams: Vec<Seed>,
    /// Members of each team.
    pub members: BTreeMap<Uuid, Vec<Uuid>>,
    /// For each company: the account, its contact, and the account again to name the contact.
    pub companies: Vec<[Entity; 3]>,
}

/// Id of the application user.
pub fn application_user() -> Uuid {
    id("user/integration")
}

/// Id of a role of the sample.
pub fn role_id(name: &str) -> Uuid {
    id(&format!("role/{name}"))
}

fn unit_id(region: u32) -> Uuid {
    id(&format!("region/{region}"))
}

fn user_id(employee: u32) -> Uuid {
    id(&format!("employee/{employee}"))
}

fn team_id(territory: &str) -> Uuid {
    id(&format!("territory/{territory}"))
}

/// Makes the records of a data set.
pub fn plan(data: &Northwind, ground: Ground) -> Plan {
    let (users, grants) = users(data, ground);
    Plan {
        units: units(data, ground),
        roles: sample_roles(ground),
        users,
        grants,
        teams: teams(data),
        members: members(data),
        companies: companies(data, ground),
    }
}

fn business_unit(id: Uuid) -> EntityReference {
    EntityReference::new("businessunit", id)
}

fn units(data: &Northwind, ground: Ground) -> Vec<Seed> {
    data.regions
        .iter()
        .map(|region| Seed {
            record: Entity::new("businessunit")
                .with_id(unit_id(region.id))
                .set("name", region.region_description.trim())
                .set("parentbusinessunitid", business_unit(ground.root_unit)),
            placing: &["parentbusinessunitid"],
        })
        .collect()
}

fn sample_roles(ground: Ground) -> Vec<Seed> {
    roles::all()
        .iter()
        .map(|role| Seed {
            record: Entity::new("role")
                .with_id(role_id(role.name))
                .set("name", role.name)
                .set("businessunitid", business_unit(ground.root_unit))
                // What the team may read is for the team's records only.
                .set(
                    "isinherited",
                    OptionSet(i32::from(role.name != roles::SUPPLIER_OWNER)),
                ),
            placing: &["businessunitid"],
        })
        .collect()
}

fn users(data: &Northwind, ground: Ground) -> (Vec<Seed>, Vec<Grant>) {
    let mut users = Vec::new();
    let mut grants = Vec::new();
    for employee in data.by_rank() {
        let unit = data
            .region_of(employee.id)
            .map_or(ground.root_unit, unit_id);
        let login = format!("{}.{}", employee.first_name, employee.last_name).to_lowercase();
        let mut user = Entity::new("systemuser")
            .with_id(user_id(employee.id))
            .set("domainname", format!("northwind\\{login}"))
            .set("firstname", &employee.first_name)
            .set("lastname", &employee.last_name)
            .set("internalemailaddress", format!("{login}@northwind.example"))
            .set("title", &employee.title)
            .set("businessunitid", business_unit(unit));
        if let Some(phone) = &employee.home_phone {
            user.insert("mobilephone", phone);
        }
        if let Some(manager) = employee.reports_to {
            user.insert(
                "parentsystemuserid",
                EntityReference::new("systemuser", user_id(manager)),
            );
        }
        grants.push(Grant {
            holder: user.reference(),
            role: if data.is_manager(employee.id) {
                roles::MANAGER
            } else {
                roles::REPRESENTATIVE
            },
            unit,
        });
        users.push(Seed {
            record: user,
            placing: &["businessunitid", "domainname"],
        });
    }
    let application = Entity::new("systemuser")
        .with_id(application_user())
        .set("domainname", "northwind\\integration")
        .set("firstname", "Northwind")
        .set("lastname", "Integration")
        .set("applicationid", id("application/integration"))
        .set("accessmode", OptionSet(4))
        .set("businessunitid", business_unit(ground.root_unit));
    grants.push(Grant {
        holder: application.reference(),
        role: roles::INTEGRATION,
        unit: ground.root_unit,
    });
    grants.push(Grant {
        holder: EntityReference::new("team", ground.root_team),
        role: roles::SUPPLIER_OWNER,
        unit: ground.root_unit,
    });
    users.push(Seed {
        record: application,
        placing: &[
            "businessunitid",
            "domainname",
            "applicationid",
            "accessmode",
        ],
    });
    (users, grants)
}

fn teams(data: &Northwind) -> Vec<Seed> {
    data.territories
        .iter()
        .map(|territory| Seed {
            // Two territories are named NewYork; the postal code tells them apart.
            record: Entity::new("team")
                .with_id(team_id(&territory.id))
                .set(
                    "name",
                    format!(
                        "{} {}",
                        territory.territory_description.trim(),
                        territory.id
                    ),
                )
                .set("teamtype", OptionSet(0))
                .set("businessunitid", business_unit(unit_id(territory.region))),
            placing: &["businessunitid", "teamtype"],
        })
        .collect()
}

fn members(data: &Northwind) -> BTreeMap<Uuid, Vec<Uuid>> {
    let mut members: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
    for service in &data.service {
        members
            .entry(team_id(&service.territory))
            .or_default()
            .insert(user_id(service.employee));
    }
    members
        .into_iter()
        .map(|(team, users)| (team, users.into_iter().collect()))
        .collect()
}

fn companies(data: &Northwind, ground: Ground) -> Vec<[Entity; 3]> {
    let closest = data.closest_employees();
    let head = data
        .employees
        .iter()
        .find(|employee| employee.reports_to.is_none());
    let customers = data.customers.iter().filter_map(|customer| {
        let employee = closest
            .get(customer.own.id.as_str())
            .copied()
            .or(head.map(|head| head.id))?;
        let account = Entity::new("account")
            .set("accountnumber", &customer.own.id)
            .set("description", "Northwind customer");
        Some(company(
            &format!("customer/{}", customer.own.id),
            account,
            &customer.company,
            &EntityReference::new("systemuser", user_id(employee)),
        ))
    });
    let suppliers = data.suppliers.iter().map(|supplier| {
        let mut account = Entity::new("account")
            .set("accountnumber", format!("SUPPLIER-{}", supplier.own.id))
            .set("description", "Northwind supplier");
        if let Some(page) = supplier.own.home_page.as_deref().and_then(address_of_link) {
            account.insert("websiteurl", page);
        }
        company(
            &format!("supplier/{}", supplier.own.id),
            account,
            &supplier.company,
            &EntityReference::new("team", ground.root_team),
        )
    });
    customers.chain(suppliers).collect()
}

/// `Mayumi's (on the World Wide Web)#http://…#`: text, address and place, as old databases hold links.
fn address_of_link(link: &str) -> Option<&str> {
    link.split('#').find(|part| part.starts_with("http"))
}

/// An account, its contact, and the account again to name the contact, which must exist before.
fn company(key: &str, account: Entity, company: &Company, owner: &EntityReference) -> [Entity; 3] {
    let account_id = id(&format!("{key}/account"));
    let contact_id = id(&format!("{key}/contact"));
    let (first_name, last_name) = company
        .contact_name
        .rsplit_once(' ')
        .unwrap_or(("", &company.contact_name));
    let mut account = account
        .with_id(account_id)
        .set("name", &company.company_name)
        .set("ownerid", owner);
    let mut contact = Entity::new("contact")
        .with_id(contact_id)
        .set("lastname", last_name)
        .set(
            "parentcustomerid",
            EntityReference::new("account", account_id),
        )
        .set("ownerid", owner);
    if !first_name.is_empty() {
        contact.insert("firstname", first_name);
    }
    if let Some(title) = &company.contact_title {
        contact.insert("jobtitle", title);
    }
    for (column, value) in [
        ("telephone1", &company.phone),
        ("fax", &company.fax),
        ("address1_line1", &company.address),
        ("address1_city", &company.city),
        ("address1_stateorprovince", &company.region),
        ("address1_postalcode", &company.postal_code),
        ("address1_country", &company.country),
    ] {
        // What the data set does not know is cleared when it is loaded again.
        let value = value.as_ref().map_or(Value::Null, Value::from);
        account.insert(column, value.clone());
        contact.insert(column, value);
    }
    let named = Entity::new("account").with_id(account_id).set(
        "primarycontactid",
        EntityReference::new("contact", contact_id),
    );
    [account, contact, named]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const GROUND: Ground = Ground {
        root_unit: Uuid::from_u128(1),
        root_team: Uuid::from_u128(2),
    };

    fn shipped() -> Plan {
        plan(&Northwind::shipped().unwrap(), GROUND)
    }

    fn named<'a>(seeds: &'a [Seed], column: &str, name: &str) -> &'a Entity {
        let named = |seed: &&Seed| seed.record.get::<String>(column).is_ok_and(|it| it == name);
        &seeds.iter().find(named).unwrap().record
    }

    #[test]
    fn the_counts_are_those_of_the_data_set() {
        let plan = shipped();
        assert_eq!(plan.units.len(), 4);
        assert_eq!(plan.roles.len(), 4);
        assert_eq!(plan.users.len(), 9 + 1);
        assert_eq!(plan.grants.len(), 9 + 1 + 1);
        assert_eq!(plan.teams.len(), 53);
        assert_eq!(plan.members.values().map(Vec::len).sum::<usize>(), 49);
        assert_eq!(plan.companies.len(), 91 + 29);
    }

    #[test]
    fn ids_are_distinct_and_stay_the_same() {
        let plan = shipped();
        let seeds = [&plan.units, &plan.roles, &plan.users, &plan.teams];
        let ids: BTreeSet<_> = seeds
            .into_iter()
            .flatten()
            .filter_map(|seed| seed.record.id)
            .chain(
                plan.companies
                    .iter()
                    .flat_map(|[account, contact, _]| [account.id, contact.id])
                    .flatten(),
            )
            .collect();
        assert_eq!(ids.len(), 4 + 4 + 10 + 53 + 2 * 120);
        assert_eq!(plan.companies, shipped().companies);
        // Ids are kept from release to release: another one would load everything a second time.
        assert_eq!(
            user_id(1).to_string(),
            "9a71b36d-7ab6-5ad0-813d-3ee55cb9d0dd"
        );
    }

    #[test]
    fn nancy_is_in_the_unit_of_her_region_below_her_manager() {
        let plan = shipped();
        let nancy = named(&plan.users, "lastname", "Davolio");
        let unit = named(&plan.units, "name", "Eastern").reference();
        let manager = named(&plan.users, "lastname", "Fuller").reference();
        let reference = |column| nancy.get::<EntityReference>(column).unwrap();
        assert_eq!(reference("businessunitid"), unit);
        assert_eq!(reference("parentsystemuserid"), manager);
        let grant = plan
            .grants
            .iter()
            .find(|grant| grant.holder == nancy.reference());
        let grant = grant.unwrap();
        assert_eq!(
            (grant.role, Some(grant.unit)),
            (roles::REPRESENTATIVE, unit.id)
        );
        assert_eq!(plan.grants[0].role, roles::MANAGER);
    }

    #[test]
    fn a_customer_belongs_to_whoever_took_most_of_its_orders() {
        let plan = shipped();
        let account = |number: &str| {
            plan.companies
                .iter()
                .find(|[account, ..]| account.get::<String>("accountnumber").unwrap() == number)
                .unwrap()
        };
        let owner = |number: &str| {
            account(number)[0]
                .get::<EntityReference>("ownerid")
                .unwrap()
        };
        let user = |name: &str| named(&plan.users, "lastname", name).reference();
        assert_eq!(
            owner("FISSA"),
            user("Fuller"),
            "without orders it is the head's"
        );
        assert_eq!(
            owner("SUPPLIER-1"),
            EntityReference::new("team", GROUND.root_team)
        );
        let [company, contact, again] = account("ALFKI");
        assert_eq!(contact.get::<String>("firstname").unwrap(), "Maria");
        assert_eq!(contact.get::<String>("lastname").unwrap(), "Anders");
        assert_eq!(
            contact.get::<EntityReference>("ownerid").unwrap(),
            owner("ALFKI")
        );
        assert_eq!(again.id, company.id);
        assert_eq!(
            again.get::<EntityReference>("primarycontactid").unwrap(),
            contact.reference()
        );
        assert_eq!(company.attributes["address1_stateorprovince"], Value::Null);
    }

    #[test]
    fn loading_again_moves_nobody() {
        let plan = shipped();
        for seed in plan.users.iter().chain(&plan.teams) {
            let update = seed.for_update();
            assert!(!update.attributes.contains_key("businessunitid"));
            assert_eq!(update.id, seed.record.id);
            assert!(!update.attributes.is_empty());
        }
    }

    #[test]
    fn links_hold_an_address_or_none() {
        let link = "Mayumi's (on the World Wide Web)#http://www.microsoft.com/mayumi.htm#";
        assert_eq!(
            address_of_link(link),
            Some("http://www.microsoft.com/mayumi.htm")
        );
        assert_eq!(address_of_link("#CAJUN.HTM#"), None);
    }
}
