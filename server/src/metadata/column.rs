//! How one column is described in code: [`ColumnBuilder`] and a function per kind.
//!
//! Names are schema names; the logical name is the same in lower case (MD-1).

use std::sync::Arc;

use rust_decimal::Decimal;

use super::{
    CascadeConfiguration, ColumnSource, ColumnType, DateTimeBehavior, OptionDefinition,
    RequiredLevel, StatusDefinition,
};

/// Bounds of Decimal and Double columns that state none (`messages.md` 3.1).
pub(crate) const DECIMAL_MAX: i64 = 100_000_000_000;

/// Bound of Money columns (`messages.md` 3.1).
pub(crate) const MONEY_MAX: i64 = 922_337_203_685_477;

/// Labels of a Boolean column that states none.
const NO_YES: (&str, &str) = ("Yes", "No");

/// A column under construction.
#[derive(Clone, Debug)]
pub struct ColumnBuilder {
    pub(super) schema_name: String,
    pub(super) kind: ColumnType,
    pub(super) required: RequiredLevel,
    pub(super) valid_for_create: bool,
    pub(super) valid_for_update: bool,
    pub(super) source: ColumnSource,
    /// The fixed number of a system column; `None` for a table's own columns.
    pub(super) number: Option<u16>,
    pub(super) indexed: bool,
    pub(super) relationships: Vec<LookupRelationship>,
    /// Lookups that take part in no relationship: stamps, derived owners, the organization.
    pub(super) unrelated: bool,
}

/// The relationship of a lookup with one of its targets, where it differs from the generic one.
#[derive(Clone, Debug)]
pub(super) struct LookupRelationship {
    pub(super) target: String,
    pub(super) schema_name: String,
    pub(super) cascade: CascadeConfiguration,
}

impl ColumnBuilder {
    fn new(schema_name: &str, kind: ColumnType) -> Self {
        ColumnBuilder {
            schema_name: schema_name.to_owned(),
            kind,
            required: RequiredLevel::None,
            valid_for_create: true,
            valid_for_update: true,
            source: ColumnSource::Stored,
            number: None,
            indexed: false,
            relationships: Vec::new(),
            unrelated: false,
        }
    }

    pub(super) fn logical_name(&self) -> String {
        self.schema_name.to_lowercase()
    }

    /// Cannot be without value (UP-3); for shipped tables only (MD-4).
    pub fn system_required(mut self) -> Self {
        self.required = RequiredLevel::SystemRequired;
        self
    }

    /// Marked as required for forms; never enforced.
    pub fn business_required(mut self) -> Self {
        self.required = RequiredLevel::ApplicationRequired;
        self
    }

    /// Maintained by the server: a client's value is ignored (G-6).
    pub fn read_only(mut self) -> Self {
        self.valid_for_create = false;
        self.valid_for_update = false;
        self
    }

    /// A client's value counts on Create only (G-6).
    pub fn create_only(mut self) -> Self {
        self.valid_for_update = false;
        self
    }

    /// Keeps an index of the column, for conditions and orders on it; every key costs a write
    /// about 20 microseconds. Lookups have one anyway.
    pub fn indexed(mut self) -> Self {
        self.indexed = true;
        self
    }

    /// Names a lookup's relationship with `target` and says how it cascades; without this it is
    /// called `<referenced>_<referencing>_<lookup>` and cascades nothing.
    pub fn relationship(
        mut self,
        target: &str,
        schema_name: &str,
        cascade: CascadeConfiguration,
    ) -> Self {
        self.relationships.push(LookupRelationship {
            target: target.to_owned(),
            schema_name: schema_name.to_owned(),
            cascade,
        });
        self
    }

    pub(super) fn numbered(mut self, number: u16) -> Self {
        self.number = Some(number);
        self
    }

    pub(super) fn source(mut self, source: ColumnSource) -> Self {
        self.source = source;
        self
    }

    pub(super) fn unrelated(mut self) -> Self {
        self.unrelated = true;
        self
    }
}

/// Text of up to `max_length` UTF-16 units (1 to 4000).
pub fn text(schema_name: &str, max_length: usize) -> ColumnBuilder {
    ColumnBuilder::new(schema_name, ColumnType::String { max_length })
}

/// Long text of up to `max_length` UTF-16 units.
pub fn memo(schema_name: &str, max_length: usize) -> ColumnBuilder {
    ColumnBuilder::new(schema_name, ColumnType::Memo { max_length })
}

/// A 32-bit number.
pub fn integer(schema_name: &str, min: i32, max: i32) -> ColumnBuilder {
    ColumnBuilder::new(schema_name, ColumnType::Integer { min, max })
}

/// A 64-bit number.
pub fn big_int(schema_name: &str) -> ColumnBuilder {
    ColumnBuilder::new(schema_name, ColumnType::BigInt)
}

/// An exact decimal within the widest bounds, with `precision` digits after the point (0 to 10).
pub fn decimal(schema_name: &str, precision: u32) -> ColumnBuilder {
    decimal_between(
        schema_name,
        Decimal::from(-DECIMAL_MAX),
        Decimal::from(DECIMAL_MAX),
        precision,
    )
}

/// An exact decimal with bounds of its own.
pub fn decimal_between(
    schema_name: &str,
    min: Decimal,
    max: Decimal,
    precision: u32,
) -> ColumnBuilder {
    ColumnBuilder::new(
        schema_name,
        ColumnType::Decimal {
            min,
            max,
            precision,
        },
    )
}

/// A floating-point number, shown with `precision` digits after the point (0 to 5).
pub fn double(schema_name: &str, min: f64, max: f64, precision: u32) -> ColumnBuilder {
    ColumnBuilder::new(
        schema_name,
        ColumnType::Double {
            min,
            max,
            precision,
        },
    )
}

/// An amount of money from `min` to the largest there is, with two digits after the point. The
/// table gets its `_base` column right behind it, a currency and an exchange rate (SY-5).
pub fn money(schema_name: &str, min: i64) -> ColumnBuilder {
    ColumnBuilder::new(
        schema_name,
        ColumnType::Money {
            min: Decimal::from(min.max(-MONEY_MAX)),
            max: Decimal::from(MONEY_MAX),
            precision: 2,
            base: None,
        },
    )
}

/// Yes or no, with its default on Create (CR-5).
pub fn boolean(schema_name: &str, default: bool) -> ColumnBuilder {
    labelled_boolean(schema_name, default, NO_YES)
}

/// Yes or no under other labels: that of true first.
pub fn labelled_boolean(
    schema_name: &str,
    default: bool,
    labels: (&'static str, &'static str),
) -> ColumnBuilder {
    ColumnBuilder::new(
        schema_name,
        ColumnType::Boolean {
            default: Some(default),
            labels,
        },
    )
}

/// A point in time.
pub fn date_time(schema_name: &str, behavior: DateTimeBehavior) -> ColumnBuilder {
    ColumnBuilder::new(schema_name, ColumnType::DateTime(behavior))
}

/// One of several options, without default.
pub fn choice(schema_name: &str, options: &[(i32, &str)]) -> ColumnBuilder {
    ColumnBuilder::new(
        schema_name,
        ColumnType::Picklist {
            options: options_of(options),
            default: None,
        },
    )
}

/// One of several options, with the one that a new record gets (CR-5).
pub fn choice_with_default(
    schema_name: &str,
    options: &[(i32, &str)],
    default: i32,
) -> ColumnBuilder {
    ColumnBuilder::new(
        schema_name,
        ColumnType::Picklist {
            options: options_of(options),
            default: Some(default),
        },
    )
}

/// A set of options.
pub fn choices(schema_name: &str, options: &[(i32, &str)]) -> ColumnBuilder {
    ColumnBuilder::new(
        schema_name,
        ColumnType::MultiSelect {
            options: options_of(options),
        },
    )
}

/// `statecode`: the options in order, the first one being the default.
pub(super) fn state(options: &[(i32, &str)]) -> ColumnBuilder {
    ColumnBuilder::new(
        "StateCode",
        ColumnType::State {
            options: options_of(options),
        },
    )
}

/// `statuscode`: value, label and state; the first status of a state is its default.
pub(super) fn status(options: &[(i32, &str, i32)]) -> ColumnBuilder {
    let mut seen = Vec::new();
    let options = options
        .iter()
        .map(|&(value, label, state)| {
            let default = !seen.contains(&state);
            seen.push(state);
            StatusDefinition {
                value,
                label: label.into(),
                state,
                default,
            }
        })
        .collect();
    ColumnBuilder::new("StatusCode", ColumnType::Status { options })
}

/// Points at a record of one of `targets`, by logical name.
pub fn lookup(schema_name: &str, targets: &[&str]) -> ColumnBuilder {
    let targets = targets.iter().map(|&target| Arc::from(target)).collect();
    ColumnBuilder::new(schema_name, ColumnType::Lookup { targets })
}

/// `ownerid`.
pub(super) fn owner() -> ColumnBuilder {
    ColumnBuilder::new("OwnerId", ColumnType::Owner)
}

/// A GUID.
pub fn guid(schema_name: &str) -> ColumnBuilder {
    ColumnBuilder::new(schema_name, ColumnType::UniqueIdentifier)
}

/// The logical name of a table.
pub fn entity_name(schema_name: &str) -> ColumnBuilder {
    ColumnBuilder::new(schema_name, ColumnType::EntityName)
}

/// Picture data.
pub fn image(schema_name: &str) -> ColumnBuilder {
    ColumnBuilder::new(schema_name, ColumnType::Image)
}

fn options_of(options: &[(i32, &str)]) -> Vec<OptionDefinition> {
    options
        .iter()
        .map(|&(value, label)| OptionDefinition {
            value,
            label: label.into(),
        })
        .collect()
}
