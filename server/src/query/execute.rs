//! Runs a bound query: candidates of a plan are judged on the record, ordered, cut into a page.

use std::collections::BinaryHeap;

use uuid::Uuid;

use super::{
    RowFilter,
    bind::BoundQuery,
    filter::Row,
    order::{id_of, position},
    paging::Bookmark,
    plan::{Delivery, Plan, Surroundings, plans},
    stream::{Candidate, KeyReader, Step, Stream},
};
use crate::{
    directory::owner,
    fault::{Fault, FaultCode, Result},
    limits::{PAGE_KEYS_SCANNED_MAX, TOTAL_COUNT_MAX},
    model::{Entity, EntityCollection},
    records::{Lookups, project},
    storage::{ReadView, keys, record::Record},
};

/// What a query runs against.
#[derive(Clone, Copy)]
pub struct QueryContext<'a> {
    /// One consistent view of the store.
    pub view: &'a dyn ReadView,
    /// Names and currencies of other records.
    pub lookups: &'a dyn Lookups,
    /// Which rows the caller may see (AC-6).
    pub filter: &'a dyn RowFilter,
    /// The secret that cookies are sealed with (PG-4).
    pub cookie_key: &'a [u8; 32],
    /// Whom the cookies are for.
    pub subject: Uuid,
    /// Stops work that nobody waits for any more (GO-4).
    pub check_deadline: &'a dyn Fn() -> Result<()>,
}

/// The bounds of one execution. Tests make them small, and take other plans than the cheapest one to
/// see that all give the same rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) keys_scanned: usize,
    pub(super) total_count: usize,
    /// Rank of the plan, 0 being the cheapest.
    pub(super) plan: usize,
}

/// Runs a query.
///
/// Work is bounded by keys read: a page may come back short, even empty, with `more_records` and a
/// cookie that continues where it stopped. `total_record_count` stops at the same bound with
/// `total_record_count_limit_exceeded`.
///
/// # Errors
/// `QueryBuilderInvalidPagingCookie`, `QueryBuilderPagingOrderBy` (PG-4); `InvalidOperation`
/// (reason LIMIT_EXCEEDED, `page_keys_scanned_max`) when rows have to be sorted that are too many
/// to be read; a passed deadline; what the store says.
pub fn execute(cx: &QueryContext<'_>, query: &BoundQuery) -> Result<EntityCollection> {
    let bounds = Bounds {
        keys_scanned: PAGE_KEYS_SCANNED_MAX,
        total_count: TOTAL_COUNT_MAX,
        plan: 0,
    };
    execute_within(cx, query, bounds)
}

pub(super) fn execute_within(
    cx: &QueryContext<'_>,
    query: &BoundQuery,
    bounds: Bounds,
) -> Result<EntityCollection> {
    let execution = Execution { cx, query, bounds };
    let start = execution.start()?;
    let page = execution.page(&start)?;
    let cookie = match page.next {
        Some((position, skip)) => {
            let skip = u32::try_from(skip).map_err(Fault::unexpected)?;
            let bookmark = Bookmark {
                shape: query.shape(),
                position,
                skip,
            };
            Some(bookmark.seal(cx.cookie_key, cx.subject)?)
        }
        None => None,
    };
    let (total, exceeded) = if query.page.count_total {
        execution.count()?
    } else {
        (-1, false)
    };
    Ok(EntityCollection {
        entity_name: query.table.logical_name.to_string(),
        entities: page.rows,
        more_records: cookie.is_some(),
        paging_cookie: cookie,
        total_record_count: total,
        total_record_count_limit_exceeded: exceeded,
    })
}

/// Where a page starts.
struct Start {
    after: Option<Vec<u8>>,
    skip: usize,
}

/// Rows, and where the next page starts if there is one.
struct Found {
    rows: Vec<Entity>,
    next: Option<(Vec<u8>, usize)>,
}

struct Execution<'a> {
    cx: &'a QueryContext<'a>,
    query: &'a BoundQuery,
    bounds: Bounds,
}

impl Execution<'_> {
    fn start(&self) -> Result<Start> {
        let page = &self.query.page;
        let Some(cookie) = &page.cookie else {
            return Ok(Start {
                after: None,
                skip: page.skip,
            });
        };
        let field = format!("{}.page_info.paging_cookie", self.query.field);
        let bookmark = Bookmark::open(cookie, self.cx.cookie_key, self.cx.subject, &field)?;
        if bookmark.shape != self.query.shape() {
            let description = "the paging cookie belongs to another table, filter or order";
            return Err(
                Fault::new(FaultCode::QueryBuilderPagingOrderBy, description)
                    .violation(field, description),
            );
        }
        let skip = usize::try_from(bookmark.skip).map_err(Fault::unexpected)?;
        Ok(Start {
            after: Some(bookmark.position),
            skip,
        })
    }

    fn page(&self, start: &Start) -> Result<Found> {
        let wanted = start.skip + self.query.page.rows + 1;
        let around = self.surroundings(wanted, start.after.as_deref());
        let plans = plans(self.query, &self.query.orders, &around);
        let Some(best) = plans.get(self.bounds.plan.min(plans.len().saturating_sub(1))) else {
            return Err(Fault::unexpected("a query without plan"));
        };
        tracing::debug!(table = %self.query.table.logical_name, plan = %best, "query planned");
        if best.delivery != Delivery::Sorted {
            return self.in_order(best, start);
        }
        if let Some(found) = self.sorted(best, start)? {
            return Ok(found);
        }
        // Too many to be sorted: a way that keeps the order gets on, if only page by page.
        match plans.iter().find(|plan| plan.delivery != Delivery::Sorted) {
            Some(plan) => self.in_order(plan, start),
            None => Err(self.too_many_keys()),
        }
    }

    fn too_many_keys(&self) -> Fault {
        Fault::limit_exceeded("page_keys_scanned_max", self.bounds.keys_scanned).violation(
            format!("{}.orders", self.query.field),
            "too many rows to be sorted; filter them, or order by an indexed column",
        )
    }

    fn surroundings<'s>(&'s self, wanted: usize, after: Option<&'s [u8]>) -> Surroundings<'s> {
        Surroundings {
            scope: self.cx.filter.scope(),
            organization_id: self.cx.lookups.organization_id(),
            wanted: wanted as u64,
            after,
        }
    }

    /// Rows as they come, until the page is full and one more shows that it is not the last.
    fn in_order(&self, plan: &Plan, start: &Start) -> Result<Found> {
        let page = &self.query.page;
        let mut reader = KeyReader::new(self.cx.view, self.bounds.keys_scanned);
        let mut stream = Stream::new(plan, start.after.as_deref());
        let (mut rows, mut skip) = (Vec::new(), start.skip);
        // The last row returned once the page is full, before that the last one looked at.
        let mut last = start.after.clone();
        loop {
            if page.is_top && rows.len() == page.rows {
                return Ok(Found { rows, next: None });
            }
            (self.cx.check_deadline)()?;
            let candidates = match stream.next(&mut reader)? {
                Step::Candidates(candidates) => candidates,
                Step::Done => return Ok(Found { rows, next: None }),
                // Without progress the next page would be this one again.
                Step::OutOfKeys if last == start.after => return Err(self.too_many_keys()),
                Step::OutOfKeys => {
                    let next = last.map(|position| (position, skip));
                    return Ok(Found { rows, next });
                }
            };
            for (candidate, record) in self.read(candidates)? {
                let is_full = rows.len() == page.rows;
                if is_full && page.is_top {
                    break;
                }
                let admitted = match &record {
                    Some(record) => self.admits(&candidate, record)?,
                    None => false,
                };
                if admitted && is_full {
                    return Ok(Found {
                        rows,
                        next: Some((last.unwrap_or_default(), 0)),
                    });
                }
                if !is_full {
                    last = candidate.position;
                }
                match record {
                    Some(_) if !admitted => {}
                    Some(_) if skip > 0 => skip -= 1,
                    Some(record) => rows.push(self.project(candidate.id, &record)),
                    None => {}
                }
            }
        }
    }

    /// All rows, of which the first of the order are kept by their positions alone and read again;
    /// `None` when there are more keys than may be read.
    fn sorted(&self, plan: &Plan, start: &Start) -> Result<Option<Found>> {
        let page = &self.query.page;
        let kept = start.skip + page.rows + 1;
        // The largest on top, to be pushed out by smaller ones.
        let mut first: BinaryHeap<Vec<u8>> = BinaryHeap::new();
        let complete = self.each_admitted(plan, |id, record| {
            let row = self.row(id, record);
            let position = position(&self.query.orders, &row);
            if start.after.as_ref().is_some_and(|after| position <= *after) {
                return true;
            }
            if first.len() < kept {
                first.push(position);
            } else if let Some(mut largest) = first.peek_mut()
                && position < *largest
            {
                *largest = position;
            }
            true
        })?;
        if !complete {
            return Ok(None);
        }
        let mut positions = first.into_sorted_vec();
        let has_more = positions.len() == kept && !page.is_top;
        positions.truncate(start.skip + page.rows);
        let positions = positions.split_off(start.skip.min(positions.len()));
        let next = positions
            .last()
            .filter(|_| has_more)
            .map(|last| (last.clone(), 0));
        let ids: Vec<Uuid> = positions
            .iter()
            .filter_map(|position| id_of(position))
            .collect();
        let mut rows = Vec::with_capacity(ids.len());
        for (id, record) in ids.iter().zip(self.records(&ids)?) {
            rows.extend(record.map(|record| self.project(*id, &record)));
        }
        Ok(Some(Found { rows, next }))
    }

    /// PG-6: all rows of the query, whatever page is asked for.
    fn count(&self) -> Result<(i64, bool)> {
        let limit = self.bounds.total_count;
        let around = self.surroundings(limit + 1, None);
        let plans = plans(self.query, &[], &around);
        let Some(plan) = plans.first() else {
            return Err(Fault::unexpected("a query without plan"));
        };
        let mut count = 0;
        let complete = self.each_admitted(plan, |_, _| {
            count += 1;
            count <= limit
        })?;
        let exceeded = count > limit || !complete;
        Ok((
            i64::try_from(count.min(limit)).map_err(Fault::unexpected)?,
            exceeded,
        ))
    }

    /// Visits the rows of a plan until the visitor has enough; false when keys ran out before.
    fn each_admitted(
        &self,
        plan: &Plan,
        mut visit: impl FnMut(Uuid, &Record) -> bool,
    ) -> Result<bool> {
        let mut reader = KeyReader::new(self.cx.view, self.bounds.keys_scanned);
        let mut stream = Stream::new(plan, None);
        loop {
            (self.cx.check_deadline)()?;
            let candidates = match stream.next(&mut reader)? {
                Step::Candidates(candidates) => candidates,
                Step::Done => return Ok(true),
                Step::OutOfKeys => return Ok(false),
            };
            for (candidate, record) in self.read(candidates)? {
                let Some(record) = record else { continue };
                if self.admits(&candidate, &record)? && !visit(candidate.id, &record) {
                    return Ok(true);
                }
            }
        }
    }

    /// The candidates with their records; without one where the index entry already tells that the
    /// caller may not see the row.
    fn read(&self, candidates: Vec<Candidate>) -> Result<Vec<(Candidate, Option<Record>)>> {
        let scope = self.cx.filter.scope();
        let is_hopeless = |candidate: &Candidate| match (scope, candidate.ownership) {
            (Some(scope), Some(ownership)) => {
                let unit = ownership
                    .business_unit
                    .map(orgservice_security::BusinessUnitId);
                scope.shared_with.is_empty()
                    && !scope.admits_without_shares(ownership.owner.map(owner), unit)
            }
            _ => false,
        };
        let unread: Vec<Uuid> = candidates
            .iter()
            .filter(|candidate| candidate.stored.is_none() && !is_hopeless(candidate))
            .map(|candidate| candidate.id)
            .collect();
        let mut fetched = self.records(&unread)?.into_iter();
        let mut rows = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let record = match &candidate.stored {
                Some(bytes) => {
                    let key = keys::record(self.query.table.code.0, candidate.id);
                    Some(Record::decode(&key, bytes)?)
                }
                None if is_hopeless(&candidate) => None,
                None => fetched.next().flatten(),
            };
            rows.push((candidate, record));
        }
        Ok(rows)
    }

    fn records(&self, ids: &[Uuid]) -> Result<Vec<Option<Record>>> {
        let otc = self.query.table.code.0;
        let keys: Vec<Vec<u8>> = ids.iter().map(|&id| keys::record(otc, id)).collect();
        let values = self.cx.view.get_many(&keys)?;
        let records = keys
            .iter()
            .zip(values)
            .map(|(key, value)| value.map(|bytes| Record::decode(key, &bytes)).transpose());
        Ok(records.collect::<Result<_, _>>()?)
    }

    /// The filter first, because access may have to read shares.
    fn admits(&self, candidate: &Candidate, record: &Record) -> Result<bool> {
        let row = self.row(candidate.id, record);
        if candidate
            .null
            .is_some_and(|operand| !row.value(operand).is_null())
        {
            return Ok(false);
        }
        Ok(self.query.filter.holds(&row) && self.cx.filter.admits(candidate.id, record)?)
    }

    fn row<'r>(&'r self, id: Uuid, record: &'r Record) -> Row<'r> {
        Row {
            table: &self.query.table,
            id,
            record,
            lookups: self.cx.lookups,
        }
    }

    fn project(&self, id: Uuid, record: &Record) -> Entity {
        project(
            &self.query.table,
            id,
            record,
            &self.query.projection,
            self.cx.lookups,
        )
    }
}
