//! The Northwind data set: its files as they are, and what can be said from them alone.

use std::{collections::BTreeMap, fs, path::Path};

use csv::StringRecord;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::failure::{Failure, Result};

/// A file of the data set that comes with the program, by its name.
macro_rules! shipped {
    ($name:literal) => {
        include_str!(concat!("../../northwind/", $name))
    };
}

/// The part of the data set that is loaded.
#[derive(Debug)]
pub struct Northwind {
    pub regions: Vec<Region>,
    pub territories: Vec<Territory>,
    pub employees: Vec<Employee>,
    pub service: Vec<EmployeeTerritory>,
    pub customers: Vec<With<Customer>>,
    pub suppliers: Vec<With<Supplier>>,
    pub orders: Vec<Order>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    #[serde(rename = "regionID")]
    pub id: u32,
    pub region_description: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Territory {
    /// A postal code, with its leading zero.
    #[serde(rename = "territoryID")]
    pub id: String,
    pub territory_description: String,
    #[serde(rename = "regionID")]
    pub region: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Employee {
    #[serde(rename = "employeeID")]
    pub id: u32,
    pub last_name: String,
    pub first_name: String,
    pub title: String,
    #[serde(deserialize_with = "nullable")]
    pub home_phone: Option<String>,
    #[serde(deserialize_with = "nullable_number")]
    pub reports_to: Option<u32>,
}

#[derive(Debug, Deserialize)]
pub struct EmployeeTerritory {
    #[serde(rename = "employeeID")]
    pub employee: u32,
    #[serde(rename = "territoryID")]
    pub territory: String,
}

/// What customers and suppliers have in common: a company and whom one talks to there.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Company {
    pub company_name: String,
    pub contact_name: String,
    #[serde(deserialize_with = "nullable")]
    pub contact_title: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub address: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub city: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub region: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub postal_code: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub country: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub phone: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub fax: Option<String>,
}

/// A row that is a company and something besides. Both are read from the same columns, one after the other:
/// a struct flattened into another would have its texts guessed to be numbers, and lose leading zeros.
#[derive(Debug)]
pub struct With<T> {
    pub company: Company,
    pub own: T,
}

#[derive(Debug, Deserialize)]
pub struct Customer {
    #[serde(rename = "customerID")]
    pub id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Supplier {
    #[serde(rename = "supplierID")]
    pub id: String,
    #[serde(deserialize_with = "nullable")]
    pub home_page: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Order {
    #[serde(rename = "customerID")]
    pub customer: String,
    #[serde(rename = "employeeID")]
    pub employee: u32,
}

/// `NULL` means no value.
fn nullable<'de, D: Deserializer<'de>>(field: D) -> std::result::Result<Option<String>, D::Error> {
    let text = String::deserialize(field)?;
    Ok((text != "NULL" && !text.is_empty()).then_some(text))
}

fn nullable_number<'de, D: Deserializer<'de>>(
    field: D,
) -> std::result::Result<Option<u32>, D::Error> {
    match nullable(field)? {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}

impl Northwind {
    /// The data set that comes with the program.
    pub fn shipped() -> Result<Self> {
        Self {
            regions: rows("regions.csv", shipped!("regions.csv"))?,
            territories: rows("territories.csv", shipped!("territories.csv"))?,
            employees: rows("employees.csv", shipped!("employees.csv"))?,
            service: rows(
                "employee-territories.csv",
                shipped!("employee-territories.csv"),
            )?,
            customers: companies("customers.csv", shipped!("customers.csv"))?,
            suppliers: companies("suppliers.csv", shipped!("suppliers.csv"))?,
            orders: rows("orders.csv", shipped!("orders.csv"))?,
        }
        .checked()
    }

    /// A data set of the same files in a folder.
    pub fn read(folder: &Path) -> Result<Self> {
        let text = |name| text(folder, name);
        Self {
            regions: rows("regions.csv", &text("regions.csv")?)?,
            territories: rows("territories.csv", &text("territories.csv")?)?,
            employees: rows("employees.csv", &text("employees.csv")?)?,
            service: rows(
                "employee-territories.csv",
                &text("employee-territories.csv")?,
            )?,
            customers: companies("customers.csv", &text("customers.csv")?)?,
            suppliers: companies("suppliers.csv", &text("suppliers.csv")?)?,
            orders: rows("orders.csv", &text("orders.csv")?)?,
        }
        .checked()
    }

    /// The same data set, if all that it refers to is there.
    fn checked(self) -> Result<Self> {
        let missing = |what: String| Err(Failure::usage(format!("the data set has no {what}")));
        for territory in &self.territories {
            if !self
                .regions
                .iter()
                .any(|region| region.id == territory.region)
            {
                return missing(format!("region {}", territory.region));
            }
        }
        for service in &self.service {
            if !self
                .territories
                .iter()
                .any(|territory| territory.id == service.territory)
            {
                return missing(format!("territory {}", service.territory));
            }
        }
        for employee in &self.employees {
            if self.region_of(employee.id).is_none() {
                return missing(format!("territory served by employee {}", employee.id));
            }
        }
        if self.by_rank().len() != self.employees.len() {
            return missing(
                "manager of every employee but the first, or they manage each other".to_owned(),
            );
        }
        if self
            .employees
            .iter()
            .all(|employee| employee.reports_to.is_some())
        {
            return missing("employee without a manager".to_owned());
        }
        let is_employee = |id: u32| self.employees.iter().any(|employee| employee.id == id);
        match self
            .orders
            .iter()
            .find(|order| !is_employee(order.employee))
        {
            Some(order) => missing(format!("employee {}, who took an order", order.employee)),
            None => Ok(self),
        }
    }

    /// The region that an employee serves. One serves several territories, all of one region.
    pub fn region_of(&self, employee: u32) -> Option<u32> {
        let served = self
            .service
            .iter()
            .find(|service| service.employee == employee)?;
        self.territories
            .iter()
            .find(|territory| territory.id == served.territory)
            .map(|territory| territory.region)
    }

    /// The employees, each one after its manager.
    pub fn by_rank(&self) -> Vec<&Employee> {
        let mut ranked: Vec<&Employee> = Vec::new();
        loop {
            let before = ranked.len();
            for employee in &self.employees {
                let is_next = match employee.reports_to {
                    None => true,
                    Some(manager) => ranked.iter().any(|ranked| ranked.id == manager),
                };
                if is_next && !ranked.iter().any(|ranked| ranked.id == employee.id) {
                    ranked.push(employee);
                }
            }
            if ranked.len() == before {
                return ranked;
            }
        }
    }

    /// Whether somebody reports to the employee.
    pub fn is_manager(&self, employee: u32) -> bool {
        self.employees
            .iter()
            .any(|other| other.reports_to == Some(employee))
    }

    /// Who took most orders of each customer; of equals the one with the lower number.
    pub fn closest_employees(&self) -> BTreeMap<&str, u32> {
        let mut taken: BTreeMap<&str, BTreeMap<u32, usize>> = BTreeMap::new();
        for order in &self.orders {
            *taken
                .entry(&order.customer)
                .or_default()
                .entry(order.employee)
                .or_default() += 1;
        }
        taken
            .into_iter()
            .filter_map(|(customer, employees)| {
                let most = employees
                    .into_iter()
                    .min_by_key(|&(employee, orders)| (std::cmp::Reverse(orders), employee));
                most.map(|(employee, _)| (customer, employee))
            })
            .collect()
    }
}

fn text(folder: &Path, name: &str) -> Result<String> {
    let path = folder.join(name);
    fs::read_to_string(&path)
        .map_err(|error| Failure::usage(format!("cannot read `{}`: {error}", path.display())))
}

fn companies<T: DeserializeOwned>(name: &str, text: &str) -> Result<Vec<With<T>>> {
    let companies = rows(name, text)?;
    let own = rows(name, text)?;
    let both = companies.into_iter().zip(own);
    Ok(both.map(|(company, own)| With { company, own }).collect())
}

fn rows<T: DeserializeOwned>(name: &str, text: &str) -> Result<Vec<T>> {
    read_rows(text).map_err(|error| Failure::usage(format!("`{name}`: {error}")))
}

fn read_rows<T: DeserializeOwned>(text: &str) -> std::result::Result<Vec<T>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let read = |record: csv::Result<StringRecord>| {
        let record = record.map_err(|error| error.to_string())?;
        let record = whole(&record, header.len());
        if record.len() != header.len() {
            return Err(format!(
                "a row has {} columns instead of {}: {}",
                record.len(),
                header.len(),
                record.iter().collect::<Vec<_>>().join(",")
            ));
        }
        record
            .deserialize(Some(&header))
            .map_err(|error| error.to_string())
    };
    reader.records().map(read).collect()
}

/// A record with its texts whole. The files do not quote `24, place Kléber`; a comma before a space is
/// part of the text there.
fn whole(record: &StringRecord, columns: usize) -> StringRecord {
    if record.len() <= columns {
        return record.clone();
    }
    let mut fields: Vec<String> = Vec::with_capacity(columns);
    for field in record {
        match fields.last_mut() {
            Some(text) if field.starts_with(' ') => {
                text.push(',');
                text.push_str(field);
            }
            _ => fields.push(field.to_owned()),
        }
    }
    fields.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_shipped_data_set_is_complete() {
        let data = Northwind::shipped().unwrap();
        assert_eq!(data.regions.len(), 4);
        assert_eq!(data.territories.len(), 53);
        assert_eq!(data.employees.len(), 9);
        assert_eq!(data.service.len(), 49);
        assert_eq!(data.customers.len(), 91);
        assert_eq!(data.suppliers.len(), 29);
        assert_eq!(data.orders.len(), 830);
    }

    #[test]
    fn texts_are_read_as_they_are() {
        let data = Northwind::shipped().unwrap();
        let customer = |id: &str| {
            &data
                .customers
                .iter()
                .find(|customer| customer.own.id == id)
                .unwrap()
                .company
        };
        assert_eq!(customer("BONAP").company_name, "Bon app'");
        assert_eq!(customer("ANATR").city.as_deref(), Some("México D.F."));
        assert_eq!(customer("ALFKI").region, None);
        assert_eq!(customer("ALFKI").phone.as_deref(), Some("030-0074321"));
        // Commas that are not quoted, but followed by a space.
        assert_eq!(
            customer("BLONP").address.as_deref(),
            Some("24, place Kléber")
        );
        assert_eq!(customer("BLONP").city.as_deref(), Some("Strasbourg"));
        // Leading zeros stay.
        assert_eq!(customer("ANATR").postal_code.as_deref(), Some("05021"));
        assert!(
            data.territories
                .iter()
                .any(|territory| territory.id == "01581")
        );
    }

    #[test]
    fn rows_of_another_width_are_refused() {
        let row = |text: &str| rows::<EmployeeTerritory>("file.csv", text).map(|rows| rows.len());
        assert_eq!(row("employeeID,territoryID\n1,01581\n").unwrap(), 1);
        let error = row("employeeID,territoryID\none,01581\n")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`file.csv`") && error.contains("line: 2"),
            "{error}"
        );
    }

    #[test]
    fn every_employee_serves_one_region_and_follows_the_manager() {
        let data = Northwind::shipped().unwrap();
        for service in &data.service {
            let territory = data
                .territories
                .iter()
                .find(|t| t.id == service.territory)
                .unwrap();
            assert_eq!(data.region_of(service.employee), Some(territory.region));
        }
        let ranked: Vec<_> = data.by_rank().iter().map(|employee| employee.id).collect();
        assert_eq!(ranked.len(), 9);
        assert_eq!(ranked[0], 2, "Andrew Fuller reports to nobody");
        let place = |id| ranked.iter().position(|ranked| *ranked == id);
        assert!(place(5) < place(6));
        let managers: Vec<_> = ranked.iter().filter(|id| data.is_manager(**id)).collect();
        assert_eq!(managers, [&2, &5]);
    }

    #[test]
    fn most_customers_have_a_closest_employee() {
        let data = Northwind::shipped().unwrap();
        let closest = data.closest_employees();
        let without: Vec<_> = data
            .customers
            .iter()
            .map(|customer| customer.own.id.as_str())
            .filter(|customer| !closest.contains_key(customer))
            .collect();
        assert_eq!(without, ["FISSA", "PARIS"], "they never ordered");
        for (customer, employee) in closest {
            let taken = |employee: u32| {
                data.orders
                    .iter()
                    .filter(|order| order.customer == customer && order.employee == employee)
                    .count()
            };
            let most = (1..=9).map(taken).max().unwrap();
            assert_eq!(taken(employee), most, "{customer}");
            assert!((1..employee).all(|other| taken(other) < most), "{customer}");
        }
    }

    #[test]
    fn a_data_set_that_does_not_fit_together_is_refused() {
        let broken = |change: fn(&mut Northwind)| {
            let mut data = Northwind::shipped().unwrap();
            change(&mut data);
            data.checked().unwrap_err().to_string()
        };
        assert!(broken(|data| data.regions.clear()).contains("region 1"));
        assert!(broken(|data| data.territories.clear()).contains("territory 06897"));
        assert!(broken(|data| data.service.clear()).contains("served by employee 1"));
        assert!(
            broken(|data| data.employees[1].reports_to = Some(1)).contains("manage each other")
        );
        assert!(broken(|data| data.orders[0].employee = 77).contains("employee 77"));
    }
}
