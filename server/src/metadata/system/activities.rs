//! Activities: `activitypointer`, which has a row for each of them, and `task` (SY-9).

use crate::metadata::{
    CascadeConfiguration, DateTimeBehavior, TableMessages,
    column::{
        ColumnBuilder, choice_with_default, date_time, entity_name, integer, lookup, memo, text,
    },
    table::{ACTIVITY_CODE, TableBuilder, table},
};

const PRIORITIES: &[(i32, &str)] = &[(0, "Low"), (1, "Normal"), (2, "High")];

const POINTER_STATES: &[(i32, &str)] = &[
    (0, "Open"),
    (1, "Completed"),
    (2, "Canceled"),
    (3, "Scheduled"),
];
const POINTER_STATUSES: &[(i32, &str, i32)] = &[
    (1, "Open", 0),
    (2, "Completed", 1),
    (3, "Canceled", 2),
    (4, "Scheduled", 3),
];

const TASK_STATES: &[(i32, &str)] = &[(0, "Open"), (1, "Completed"), (2, "Canceled")];
const TASK_STATUSES: &[(i32, &str, i32)] = &[
    (2, "Not Started", 0),
    (3, "In Progress", 0),
    (4, "Waiting on someone else", 0),
    (7, "Deferred", 0),
    (5, "Completed", 1),
    (6, "Canceled", 2),
];

pub(super) fn tables() -> Vec<TableBuilder> {
    vec![activity_pointer(), task()]
}

/// Written by the server beside each activity, under the same id; read-only to everybody else, and
/// without relationships: its row follows the activity's.
fn activity_pointer() -> TableBuilder {
    table("ActivityPointer")
        .code(ACTIVITY_CODE)
        .primary_id("ActivityId")
        .messages(TableMessages::READ_ONLY)
        .states(POINTER_STATES, POINTER_STATUSES)
        .primary_name(text("Subject", 200))
        .columns(shared(lookup("RegardingObjectId", &["account", "contact"])))
}

fn task() -> TableBuilder {
    let regarding = lookup("RegardingObjectId", &["account", "contact"])
        .relationship("account", "Account_Tasks", CascadeConfiguration::PARENTAL)
        .relationship("contact", "Contact_Tasks", CascadeConfiguration::PARENTAL);
    table("Task")
        .code(4212)
        .activity()
        .states(TASK_STATES, TASK_STATUSES)
        .primary_name(text("Subject", 200).business_required())
        .columns(shared(regarding))
        .column(integer("PercentComplete", 0, 100))
        .column(text("Category", 250))
        .column(text("Subcategory", 250))
}

/// The columns that an activity has in common with its `activitypointer` row.
fn shared(regarding: ColumnBuilder) -> Vec<ColumnBuilder> {
    vec![
        memo("Description", 2000),
        regarding,
        date_time("ScheduledStart", DateTimeBehavior::UserLocal),
        date_time("ScheduledEnd", DateTimeBehavior::UserLocal),
        date_time("ActualStart", DateTimeBehavior::UserLocal),
        date_time("ActualEnd", DateTimeBehavior::UserLocal),
        choice_with_default("PriorityCode", PRIORITIES, 1),
        entity_name("ActivityTypeCode").read_only(),
        integer("ActualDurationMinutes", 0, i32::MAX),
    ]
}
