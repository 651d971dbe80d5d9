//! What is stored of a record.

use uuid::Uuid;

use crate::model::Value;

/// Who owns a record.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum StoredOwner {
    /// A systemuser.
    User(Uuid),
    /// A team.
    Team(Uuid),
}

impl StoredOwner {
    /// The id, whatever it names.
    pub fn id(self) -> Uuid {
        match self {
            StoredOwner::User(id) | StoredOwner::Team(id) => id,
        }
    }
}

/// A record as it is stored: columns by number, sorted, no nulls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// The version counter of the row (SY-6).
    pub row_version: u64,
    /// The owner; `None` in a table without owners.
    pub owner: Option<StoredOwner>,
    /// The owning business unit; `None` in a table of the organization.
    pub business_unit: Option<Uuid>,
    columns: Vec<(u16, Value)>,
}

impl Record {
    /// The value of a column; `None` is null.
    pub fn get(&self, column: u16) -> Option<&Value> {
        let at = self.position(column).ok()?;
        self.columns.get(at).map(|(_, value)| value)
    }

    /// Sets a column; [`Value::Null`] removes it.
    pub fn set(&mut self, column: u16, value: Value) {
        match (self.position(column), value) {
            (Ok(at), Value::Null) => {
                self.columns.remove(at);
            }
            (Err(_), Value::Null) => {}
            (Ok(at), value) => self.columns[at].1 = value,
            (Err(at), value) => self.columns.insert(at, (column, value)),
        }
    }

    /// The columns that are not null, by number.
    pub fn columns(&self) -> &[(u16, Value)] {
        &self.columns
    }

    fn position(&self, column: u16) -> Result<usize, usize> {
        self.columns.binary_search_by_key(&column, |&(n, _)| n)
    }
}

impl FromIterator<(u16, Value)> for Record {
    fn from_iter<I: IntoIterator<Item = (u16, Value)>>(columns: I) -> Self {
        let mut record = Record::default();
        for (column, value) in columns {
            record.set(column, value);
        }
        record
    }
}
