//! Keys of a plan as candidates in order, read in steps under a bound.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use uuid::Uuid;

use super::{
    filter::Operand,
    order::{ID_BYTES, id_of},
    plan::{Access, Delivery, Plan, index_values, null_mark},
};
use crate::{
    fault::Result,
    storage::{Direction, KeyRange, ReadView, StorageError, keys, record::RowOwnership},
};

/// Keys of the first step; later ones double up to [`STEP_KEYS_MAX`].
const STEP_KEYS_MIN: usize = 64;
/// Keys of one step at most: what is read ahead in vain stays small against a page.
const STEP_KEYS_MAX: usize = 512;
/// Keys of the first step of one of many merged ranges.
const MERGED_STEP_KEYS_MIN: usize = 4;

/// A key and its value.
type Entry = (Bytes, Bytes);

/// A row that may belong to the result.
#[derive(Debug)]
pub struct Candidate {
    /// Its id.
    pub id: Uuid,
    /// Its place in the order; `None` where rows are sorted afterwards.
    pub position: Option<Vec<u8>>,
    /// What its index entry tells of it.
    pub ownership: Option<RowOwnership>,
    /// The stored record, where it was read anyway.
    pub stored: Option<Bytes>,
    /// A column that has to be null, for rows that no index holds.
    pub null: Option<Operand>,
}

/// What a step brought.
pub enum Step {
    /// Some candidates; more may follow.
    Candidates(Vec<Candidate>),
    /// There are no more.
    Done,
    /// The bound on keys is met; there may be more.
    OutOfKeys,
}

/// Reads keys and counts them.
pub struct KeyReader<'a> {
    view: &'a dyn ReadView,
    left: usize,
}

impl<'a> KeyReader<'a> {
    /// A reader of at most `keys` keys.
    pub fn new(view: &'a dyn ReadView, keys: usize) -> Self {
        KeyReader { view, left: keys }
    }

    /// Up to `limit` pairs and whether the range may hold more; `None` when no key is left.
    fn scan(
        &mut self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Option<(Vec<Entry>, bool)>> {
        if range.start >= range.end {
            return Ok(Some((Vec::new(), false)));
        }
        let limit = limit.min(self.left);
        if limit == 0 {
            return Ok(None);
        }
        let pairs = self.view.scan(range, direction, limit)?;
        self.left = self.left.saturating_sub(pairs.len().max(1));
        let more = pairs.len() >= limit;
        Ok(Some((pairs, more)))
    }
}

/// The candidates of a plan.
pub struct Stream {
    phases: VecDeque<Phase>,
}

struct Phase {
    source: Source,
    position: Position,
    null: Option<Operand>,
}

/// How a candidate's place in the order follows from its key.
#[derive(Clone, Copy)]
enum Position {
    /// It does not.
    Unknown,
    /// The id.
    Id,
    /// The id in descending order, then the id.
    IdDescending,
    /// The values of the index key, then the id.
    Values,
    /// The complement of the values, then the id.
    ValuesDescending,
    /// The mark of a null, then the id.
    Null(u8),
}

enum Source {
    Ids { ids: VecDeque<Uuid>, step: usize },
    Merge(Merge),
    Ascending(Cursor),
    Descending(Descending),
}

impl Stream {
    /// The candidates of a plan behind a position.
    pub fn new(plan: &Plan, after: Option<&[u8]>) -> Self {
        let phases = match &plan.delivery {
            Delivery::Sorted => vec![Phase {
                source: source(&plan.access, Direction::Forward, None),
                position: Position::Unknown,
                null: None,
            }],
            Delivery::ById(direction) => vec![Phase {
                source: source(&plan.access, *direction, after.and_then(id_of)),
                position: match direction {
                    Direction::Forward => Position::Id,
                    Direction::Backward => Position::IdDescending,
                },
                null: None,
            }],
            Delivery::ByValue {
                operand,
                descending,
                nulls,
            } => by_value(&plan.access, *operand, *descending, nulls.as_deref(), after),
        };
        Stream {
            phases: phases.into(),
        }
    }

    /// The next candidates.
    ///
    /// # Errors
    /// What the store says.
    pub fn next(&mut self, reader: &mut KeyReader<'_>) -> Result<Step> {
        while let Some(phase) = self.phases.front_mut() {
            match phase.source.next(reader)? {
                SourceStep::Done => {
                    self.phases.pop_front();
                }
                SourceStep::OutOfKeys => return Ok(Step::OutOfKeys),
                SourceStep::Entries(entries) => {
                    let candidates = entries.into_iter().map(|entry| phase.candidate(entry));
                    return Ok(Step::Candidates(candidates.collect::<Result<_, _>>()?));
                }
            }
        }
        Ok(Step::Done)
    }
}

/// Two phases: rows with a value from the index, rows without from elsewhere.
fn by_value(
    access: &Access,
    operand: Operand,
    descending: bool,
    nulls: Option<&[KeyRange]>,
    after: Option<&[u8]>,
) -> Vec<Phase> {
    let mark = null_mark(descending);
    let is_in_nulls = after.is_some_and(|after| after.first() == Some(&mark));
    let valued = |after: Option<&[u8]>| {
        let Access::Index(range) = access else {
            return None;
        };
        let (source, position) = if descending {
            (
                Source::Descending(Descending::new(range, after)),
                Position::ValuesDescending,
            )
        } else {
            (
                Source::Ascending(Cursor::ascending(range, after)),
                Position::Values,
            )
        };
        Some(Phase {
            source,
            position,
            null: None,
        })
    };
    let empty = |after: Option<Uuid>| {
        let ranges = nulls?.to_vec();
        Some(Phase {
            source: source(&Access::Merge(ranges), Direction::Forward, after),
            position: Position::Null(mark),
            null: Some(operand),
        })
    };
    let phases = match (descending, is_in_nulls) {
        (false, true) => [empty(after.and_then(id_of)), valued(None)],
        (false, false) if after.is_some() => [None, valued(after)],
        (false, false) => [empty(None), valued(None)],
        (true, true) => [None, empty(after.and_then(id_of))],
        (true, false) => [valued(after), empty(None)],
    };
    phases.into_iter().flatten().collect()
}

fn source(access: &Access, direction: Direction, after: Option<Uuid>) -> Source {
    match access {
        Access::Ids(ids) => {
            let mut ids: VecDeque<Uuid> = ids.iter().copied().collect();
            if direction == Direction::Backward {
                ids.make_contiguous().reverse();
            }
            ids.retain(|id| match (after, direction) {
                (None, _) => true,
                (Some(after), Direction::Forward) => *id > after,
                (Some(after), Direction::Backward) => *id < after,
            });
            Source::Ids {
                ids,
                step: STEP_KEYS_MIN,
            }
        }
        Access::Merge(ranges) => Source::Merge(Merge::new(ranges, direction, after)),
        Access::Index(range) => Source::Ascending(Cursor::ascending(range, None)),
    }
}

impl Phase {
    fn candidate(&self, (key, value): Entry) -> Result<Candidate, StorageError> {
        let id = key
            .last_chunk::<ID_BYTES>()
            .map(|bytes| Uuid::from_bytes(*bytes))
            .ok_or_else(|| StorageError::Corrupt("a key is too short to end in an id".into()))?;
        let inverted = |bytes: &[u8]| bytes.iter().map(|byte| !byte).collect::<Vec<u8>>();
        let prefix = match self.position {
            Position::Unknown => None,
            Position::Id => Some(Vec::with_capacity(ID_BYTES)),
            Position::IdDescending => {
                // The order's own encoding of an id has a tag before it.
                Some(inverted(&super::order::encoded(
                    &crate::model::Value::Guid(id),
                )))
            }
            Position::Values => Some(index_values(&key).to_vec()),
            Position::ValuesDescending => Some(inverted(index_values(&key))),
            Position::Null(mark) => Some(vec![mark]),
        };
        let position = prefix.map(|mut position| {
            position.extend_from_slice(id.as_bytes());
            position
        });
        let (ownership, stored) = match key.first() {
            Some(&keys::RECORD) if !value.is_empty() => (None, Some(value)),
            Some(&(keys::BY_OWNER | keys::BY_BUSINESS_UNIT | keys::INDEX)) => {
                (Some(RowOwnership::decode(&key, &value)?), None)
            }
            _ => (None, None),
        };
        Ok(Candidate {
            id,
            position,
            ownership,
            stored,
            null: self.null,
        })
    }
}

enum SourceStep {
    Entries(Vec<Entry>),
    Done,
    OutOfKeys,
}

impl Source {
    fn next(&mut self, reader: &mut KeyReader<'_>) -> Result<SourceStep> {
        match self {
            Source::Ids { ids, step } => {
                if ids.is_empty() {
                    return Ok(SourceStep::Done);
                }
                let count = ids.len().min(*step).min(reader.left);
                if count == 0 {
                    return Ok(SourceStep::OutOfKeys);
                }
                reader.left -= count;
                *step = (*step * 2).min(STEP_KEYS_MAX);
                // No key of the store, only the id at its end: the record is read with others.
                let entries = ids.drain(..count).map(|id| {
                    let key = [&[keys::META][..], id.as_bytes()].concat();
                    (Bytes::from(key), Bytes::new())
                });
                Ok(SourceStep::Entries(entries.collect()))
            }
            Source::Merge(merge) => merge.next(reader),
            Source::Ascending(cursor) => {
                if cursor.pending.is_empty() && !cursor.refill(reader)? {
                    return Ok(SourceStep::OutOfKeys);
                }
                if cursor.pending.is_empty() {
                    return Ok(SourceStep::Done);
                }
                Ok(SourceStep::Entries(cursor.pending.drain(..).collect()))
            }
            Source::Descending(descending) => descending.next(reader),
        }
    }
}

/// One range, read in steps.
struct Cursor {
    range: KeyRange,
    direction: Direction,
    step: usize,
    pending: VecDeque<Entry>,
    finished: bool,
}

impl Cursor {
    fn new(range: KeyRange, direction: Direction, step: usize) -> Self {
        Cursor {
            range,
            direction,
            step,
            pending: VecDeque::new(),
            finished: false,
        }
    }

    /// A range of an index behind a position: its value and id are the rest of the key.
    fn ascending(range: &KeyRange, after: Option<&[u8]>) -> Self {
        let mut range = range.clone();
        if let Some(after) = after {
            let mut key = index_head_of(&range);
            key.extend_from_slice(after);
            range.start = range.start.max(keys::successor(&key));
        }
        Cursor::new(range, Direction::Forward, STEP_KEYS_MIN)
    }

    /// Reads on if nothing is pending; false when no key is left to read with.
    fn refill(&mut self, reader: &mut KeyReader<'_>) -> Result<bool> {
        if self.finished || !self.pending.is_empty() {
            return Ok(true);
        }
        let Some((pairs, more)) = reader.scan(&self.range, self.direction, self.step)? else {
            return Ok(false);
        };
        self.finished = !more;
        if let Some((last, _)) = pairs.last() {
            match self.direction {
                Direction::Forward => self.range.start = keys::successor(last),
                Direction::Backward => self.range.end = last.to_vec(),
            }
        }
        self.pending = pairs.into();
        self.step = (self.step * 2).min(STEP_KEYS_MAX);
        Ok(true)
    }
}

/// What stands before the values in every key of an index range.
fn index_head_of(range: &KeyRange) -> Vec<u8> {
    range
        .start
        .iter()
        .take(super::plan::index_head_length())
        .copied()
        .collect()
}

/// Ranges in id order as one, each id once.
struct Merge {
    cursors: Vec<Cursor>,
    direction: Direction,
    /// The next id of each cursor that has one, and which cursors those are.
    heads: BTreeMap<Uuid, Vec<usize>>,
    /// Cursors whose next id is not known yet.
    waiting: Vec<usize>,
    step: usize,
}

impl Merge {
    fn new(ranges: &[KeyRange], direction: Direction, after: Option<Uuid>) -> Self {
        let step = (STEP_KEYS_MIN / ranges.len().max(1)).max(MERGED_STEP_KEYS_MIN);
        let cursors: Vec<Cursor> = ranges
            .iter()
            .map(|range| {
                let mut range = range.clone();
                if let Some(after) = after {
                    // A range in id order begins with all that stands before the id.
                    let mut key = range.start.clone();
                    key.extend_from_slice(after.as_bytes());
                    match direction {
                        Direction::Forward => range.start = keys::successor(&key),
                        Direction::Backward => range.end = key,
                    }
                }
                Cursor::new(range, direction, step)
            })
            .collect();
        let waiting = (0..cursors.len()).collect();
        Merge {
            cursors,
            direction,
            heads: BTreeMap::new(),
            waiting,
            step: STEP_KEYS_MIN,
        }
    }

    fn next(&mut self, reader: &mut KeyReader<'_>) -> Result<SourceStep> {
        let mut entries = Vec::with_capacity(self.step);
        while entries.len() < self.step {
            if !self.advance(reader)? {
                if entries.is_empty() {
                    return Ok(SourceStep::OutOfKeys);
                }
                break;
            }
            let next = match self.direction {
                Direction::Forward => self.heads.pop_first(),
                Direction::Backward => self.heads.pop_last(),
            };
            let Some((_, at)) = next else { break };
            let mut entry = None;
            for cursor in at {
                // The first one that tells most of the record: they agree where they tell anything.
                let found = self
                    .cursors
                    .get_mut(cursor)
                    .and_then(|c| c.pending.pop_front());
                entry = entry.or(found);
                self.waiting.push(cursor);
            }
            entries.extend(entry);
        }
        if entries.is_empty() {
            return Ok(SourceStep::Done);
        }
        self.step = (self.step * 2).min(STEP_KEYS_MAX);
        Ok(SourceStep::Entries(entries))
    }

    /// Makes the next id of every cursor known; false when no key is left to read with.
    fn advance(&mut self, reader: &mut KeyReader<'_>) -> Result<bool> {
        while let Some(&at) = self.waiting.last() {
            let Some(cursor) = self.cursors.get_mut(at) else {
                self.waiting.pop();
                continue;
            };
            if !cursor.refill(reader)? {
                return Ok(false);
            }
            self.waiting.pop();
            if let Some((key, _)) = cursor.pending.front()
                && let Some(id) = id_of(key)
            {
                self.heads.entry(id).or_default().push(at);
            }
        }
        Ok(true)
    }
}

/// An index from its largest value to its smallest, ids within one value ascending: backwards from
/// value to value, forwards within each.
struct Descending {
    /// What is not read yet, whole groups of one value.
    rest: KeyRange,
    /// The group that is too long for one step.
    group: Option<Cursor>,
    step: usize,
    finished: bool,
}

impl Descending {
    fn new(range: &KeyRange, after: Option<&[u8]>) -> Self {
        let mut rest = range.clone();
        let mut group = None;
        if let Some((values, id)) = after.and_then(|after| after.split_last_chunk::<ID_BYTES>()) {
            let mut prefix = index_head_of(range);
            prefix.extend(values.iter().map(|byte| !byte));
            let mut last = prefix.clone();
            last.extend_from_slice(id);
            let mut remaining = keys::prefix_range(prefix.clone());
            remaining.start = keys::successor(&last).max(rest.start.clone());
            remaining.end = remaining.end.min(rest.end.clone());
            group = Some(Cursor::new(remaining, Direction::Forward, STEP_KEYS_MIN));
            rest.end = rest.end.min(prefix);
        }
        Descending {
            rest,
            group,
            step: STEP_KEYS_MIN,
            finished: false,
        }
    }

    fn next(&mut self, reader: &mut KeyReader<'_>) -> Result<SourceStep> {
        loop {
            if let Some(group) = &mut self.group {
                if !group.refill(reader)? {
                    return Ok(SourceStep::OutOfKeys);
                }
                if group.pending.is_empty() {
                    self.group = None;
                    continue;
                }
                return Ok(SourceStep::Entries(group.pending.drain(..).collect()));
            }
            if self.finished {
                return Ok(SourceStep::Done);
            }
            let scanned = reader.scan(&self.rest, Direction::Backward, self.step)?;
            let Some((pairs, more)) = scanned else {
                return Ok(SourceStep::OutOfKeys);
            };
            self.step = (self.step * 2).min(STEP_KEYS_MAX);
            self.finished = !more;
            let mut groups: Vec<Vec<Entry>> = Vec::new();
            for pair in pairs {
                match groups.last_mut() {
                    Some(group)
                        if group
                            .first()
                            .is_some_and(|(key, _)| same_values(key, &pair.0)) =>
                    {
                        group.push(pair);
                    }
                    _ => groups.push(vec![pair]),
                }
            }
            if more
                && let Some(open) = groups.pop()
                && let Some((key, _)) = open.first()
            {
                // The last group may go on: read it again from its beginning.
                let whole = keys::prefix_range(without_id(key).to_vec());
                if groups.is_empty() {
                    self.rest.end = self.rest.end.clone().min(whole.start.clone());
                    self.group = Some(Cursor::new(whole, Direction::Forward, STEP_KEYS_MAX));
                } else {
                    self.rest.end = whole.end;
                }
            }
            let entries: Vec<_> = groups
                .into_iter()
                .flat_map(|group| group.into_iter().rev())
                .collect();
            if !entries.is_empty() {
                return Ok(SourceStep::Entries(entries));
            }
        }
    }
}

fn without_id(key: &[u8]) -> &[u8] {
    key.get(..key.len().saturating_sub(ID_BYTES))
        .unwrap_or_default()
}

fn same_values(a: &[u8], b: &[u8]) -> bool {
    without_id(a) == without_id(b)
}
