//! The tree of business units, laid out so that "is this unit below that one" is two look-ups.
//!
//! Units stand in preorder: a unit is followed by everything below it, so a subtree is one
//! stretch of the list and containment a comparison of positions. The tree is immutable; a
//! re-parented unit means a new tree, and with it the next decision sees the move (BU-2).

use rustc_hash::FxHashMap;

use crate::types::BusinessUnitId;

/// A few business units, asked for membership all the time and mostly in vain: a filter of one
/// bit per unit turns most questions away before the search.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnitSet {
    filter: u64,
    /// Sorted, without duplicates.
    units: Box<[BusinessUnitId]>,
}

impl UnitSet {
    pub(crate) fn contains(&self, unit: BusinessUnitId) -> bool {
        self.filter & Self::bit(unit) != 0 && self.units.binary_search(&unit).is_ok()
    }

    /// The units, sorted.
    pub(crate) fn as_slice(&self) -> &[BusinessUnitId] {
        &self.units
    }

    /// The last bits of an id are random in versions 4 and 7; in others only speed is lost.
    fn bit(unit: BusinessUnitId) -> u64 {
        1 << (unit.0.as_bytes()[15] & 63)
    }
}

impl FromIterator<BusinessUnitId> for UnitSet {
    fn from_iter<I: IntoIterator<Item = BusinessUnitId>>(units: I) -> Self {
        let mut units: Vec<_> = units.into_iter().collect();
        units.sort_unstable();
        units.dedup();
        let filter = units
            .iter()
            .fold(0, |filter, unit| filter | Self::bit(*unit));
        Self {
            filter,
            units: units.into_boxed_slice(),
        }
    }
}

/// All business units of the organization (BU-1).
#[derive(Clone, Debug, Default)]
pub struct BusinessUnitTree {
    /// Preorder.
    units: Vec<BusinessUnitId>,
    nodes: Vec<Node>,
    positions: FxHashMap<BusinessUnitId, u32>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// Position of the parent; the own position at a root.
    parent: u32,
    /// First position behind the subtree.
    end: u32,
    /// Number of ancestors.
    level: u32,
}

impl BusinessUnitTree {
    /// Lays out the tree of (unit, parent). A unit whose parent is not among the units counts as
    /// a root. Units on a loop, or below one, are left out: they are in no subtree, their own
    /// included, so that damaged data never widens access.
    #[must_use]
    pub fn new(units: impl Iterator<Item = (BusinessUnitId, Option<BusinessUnitId>)>) -> Self {
        let given: FxHashMap<_, _> = units.collect();
        let mut children: FxHashMap<BusinessUnitId, Vec<BusinessUnitId>> = FxHashMap::default();
        let mut roots = Vec::new();
        for (&unit, &parent) in &given {
            match parent.filter(|parent| given.contains_key(parent)) {
                Some(parent) => children.entry(parent).or_default().push(unit),
                None => roots.push(unit),
            }
        }
        // The order of siblings has no meaning; sorting makes equal trees equal values.
        roots.sort_unstable_by(|a, b| b.cmp(a));
        for siblings in children.values_mut() {
            siblings.sort_unstable_by(|a, b| b.cmp(a));
        }

        let mut tree = Self::default();
        let mut pending: Vec<(BusinessUnitId, Option<u32>)> =
            roots.into_iter().map(|root| (root, None)).collect();
        while let Some((unit, parent)) = pending.pop() {
            let position = tree.units.len() as u32;
            let level = parent.map_or(0, |parent| tree.nodes[parent as usize].level + 1);
            tree.units.push(unit);
            tree.nodes.push(Node {
                parent: parent.unwrap_or(position),
                end: position + 1,
                level,
            });
            tree.positions.insert(unit, position);
            let below = children.remove(&unit).unwrap_or_default();
            pending.extend(below.into_iter().map(|child| (child, Some(position))));
        }
        // Children stand behind their parent, so from the back every end is final when read.
        for position in (0..tree.nodes.len()).rev() {
            let Node { parent, end, .. } = tree.nodes[position];
            let above = &mut tree.nodes[parent as usize].end;
            *above = end.max(*above);
        }
        tree
    }

    /// Whether `unit` is `anchor` or below it (BU-2); `false` if either is unknown.
    #[must_use]
    pub fn contains(&self, anchor: BusinessUnitId, unit: BusinessUnitId) -> bool {
        match (self.position(anchor), self.position(unit)) {
            (Some(anchor), Some(unit)) => self.holds(anchor, unit),
            _ => false,
        }
    }

    /// Whether `unit` is in the subtree of one of these anchors. Asks each of few anchors, or
    /// looks each ancestor up among many, so that neither a user in many teams nor a tall tree
    /// makes a decision slow.
    pub(crate) fn any_contains(&self, anchors: &UnitSet, unit: BusinessUnitId) -> bool {
        if anchors.units.is_empty() {
            return false;
        }
        let Some(position) = self.position(unit) else {
            return false;
        };
        if anchors.units.len() <= self.nodes[position as usize].level as usize {
            let mut known = anchors
                .units
                .iter()
                .filter_map(|anchor| self.position(*anchor));
            known.any(|anchor| self.holds(anchor, position))
        } else {
            self.upwards(position).any(|unit| anchors.contains(unit))
        }
    }

    /// The unit and everything below it; empty if it is unknown.
    #[must_use]
    pub fn subtree(&self, unit: BusinessUnitId) -> &[BusinessUnitId] {
        match self.position(unit) {
            Some(position) => {
                &self.units[position as usize..self.nodes[position as usize].end as usize]
            }
            None => &[],
        }
    }

    /// The units above this one, its parent first, the root last.
    pub fn ancestors(&self, unit: BusinessUnitId) -> impl Iterator<Item = BusinessUnitId> {
        self.position(unit)
            .into_iter()
            .flat_map(|position| self.upwards(position))
            .skip(1)
    }

    /// The parent; `None` for a root and for an unknown unit.
    #[must_use]
    pub fn parent(&self, unit: BusinessUnitId) -> Option<BusinessUnitId> {
        self.ancestors(unit).next()
    }

    /// Whether the unit is in the tree.
    #[must_use]
    pub fn knows(&self, unit: BusinessUnitId) -> bool {
        self.position(unit).is_some()
    }

    /// Whether giving `unit` this parent would make a loop, the unit as its own parent included:
    /// `BusinessManagementLoopBeingCreated` (BU-3).
    #[must_use]
    pub fn would_loop(&self, unit: BusinessUnitId, parent: BusinessUnitId) -> bool {
        unit == parent || self.contains(unit, parent)
    }

    /// All units, each before those below it.
    #[must_use]
    pub fn units(&self) -> &[BusinessUnitId] {
        &self.units
    }

    fn position(&self, unit: BusinessUnitId) -> Option<u32> {
        self.positions.get(&unit).copied()
    }

    fn holds(&self, anchor: u32, position: u32) -> bool {
        anchor <= position && position < self.nodes[anchor as usize].end
    }

    /// The unit at a position and its ancestors.
    fn upwards(&self, position: u32) -> impl Iterator<Item = BusinessUnitId> {
        let mut next = Some(position);
        std::iter::from_fn(move || {
            let position = next?;
            let parent = self.nodes[position as usize].parent;
            next = (parent != position).then_some(parent);
            Some(self.units[position as usize])
        })
    }
}
