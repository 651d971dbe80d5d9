//! How far a set of grants for one privilege reaches: the compiled form of AC-0.

use crate::business_units::{BusinessUnitTree, UnitSet};
use crate::principal::Principal;
use crate::record::{Owner, SharePrincipal};
use crate::rule::Roads;
use crate::types::{BusinessUnitId, PrivilegeDepth, RoleId, TeamId};

/// One line of AC-0: a privilege that somebody has, for which the list was asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Grant {
    /// The role it comes from.
    pub role: RoleId,
    /// How far it reaches.
    pub depth: PrivilegeDepth,
    /// Who holds it: the principal itself or one of its teams.
    pub holder: Owner,
    /// The business unit from which Local and Deep are measured.
    pub anchor: BusinessUnitId,
    /// The Basic grant that a member has from a team's role, beside the team's own one.
    pub inherited: bool,
}

impl Grant {
    /// The grant as a part of the reach of `subject`.
    pub(crate) fn part(&self, subject: Owner) -> Part {
        let team = match self.holder {
            Owner::Team(team) if self.holder != subject => Some(team),
            _ => None,
        };
        Part {
            depth: self.depth,
            team,
            anchor: (!self.inherited).then_some(self.anchor),
        }
    }
}

/// What one grant contributes, in terms that are the same for every user with the same roles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) depth: PrivilegeDepth,
    /// The holder; `None` is the subject itself.
    pub(crate) team: Option<TeamId>,
    /// Where Local and Deep are measured; `None` is the subject's own business unit, of an
    /// inherited grant, which is Basic.
    pub(crate) anchor: Option<BusinessUnitId>,
}

/// All grants for one privilege in the form that decisions ask for.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    /// The highest depth of all grants.
    depth: PrivilegeDepth,
    /// Some grant is held by the subject itself.
    by_subject: bool,
    /// Teams holding a grant, sorted.
    by_teams: Box<[TeamId]>,
    /// Anchors of Local grants.
    local: UnitSet,
    /// Anchors of Deep grants.
    deep: UnitSet,
    /// Anchors of all grants whose depth a role sets, which the inherited ones are not;
    /// read only to tell which depth would have reached.
    anchors: UnitSet,
}

impl Reach {
    /// The reach of the built-in SYSTEM user.
    pub(crate) fn everything() -> Self {
        Self {
            depth: PrivilegeDepth::Global,
            by_subject: true,
            by_teams: Box::default(),
            local: UnitSet::default(),
            deep: UnitSet::default(),
            anchors: UnitSet::default(),
        }
    }

    /// The reach of these grants, at least one.
    pub(crate) fn of(parts: impl Iterator<Item = Part>) -> Self {
        let mut depth = PrivilegeDepth::Basic;
        let mut by_subject = false;
        let (mut by_teams, mut local, mut deep, mut anchors) = (vec![], vec![], vec![], vec![]);
        for part in parts {
            depth = depth.max(part.depth);
            match part.team {
                Some(team) => by_teams.push(team),
                None => by_subject = true,
            }
            let Some(anchor) = part.anchor else { continue };
            match part.depth {
                PrivilegeDepth::Local => local.push(anchor),
                PrivilegeDepth::Deep => deep.push(anchor),
                PrivilegeDepth::Basic | PrivilegeDepth::Global => {}
            }
            anchors.push(anchor);
        }
        Self {
            depth,
            by_subject,
            by_teams: sorted(by_teams),
            local: local.into_iter().collect(),
            deep: deep.into_iter().collect(),
            anchors: anchors.into_iter().collect(),
        }
    }

    pub(crate) const fn depth(&self) -> PrivilegeDepth {
        self.depth
    }

    /// The roads of this reach for the principal it was compiled for.
    pub(crate) const fn roads<'a>(
        &'a self,
        principal: &'a Principal,
        tree: &'a BusinessUnitTree,
    ) -> ReachRoads<'a> {
        ReachRoads {
            reach: self,
            principal,
            tree,
        }
    }
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Box<[T]> {
    list.sort_unstable();
    list.dedup();
    list.into_boxed_slice()
}

/// A reach with the two things it is read against: the principal's teams and the current tree.
#[derive(Clone, Copy)]
pub(crate) struct ReachRoads<'a> {
    reach: &'a Reach,
    principal: &'a Principal,
    tree: &'a BusinessUnitTree,
}

impl Roads for ReachRoads<'_> {
    fn all(&self) -> bool {
        self.reach.depth == PrivilegeDepth::Global
    }

    fn owner(&self, owner: Owner) -> bool {
        if self.reach.by_subject && owner == self.principal.owner() {
            return true;
        }
        match owner {
            Owner::User(_) => false,
            Owner::Team(team) => {
                self.reach.by_teams.binary_search(&team).is_ok()
                    || self.reach.by_subject && self.principal.is_member(team)
            }
        }
    }

    fn unit(&self, unit: BusinessUnitId) -> bool {
        self.reach.local.contains(unit) || self.tree.any_contains(&self.reach.deep, unit)
    }

    fn share(&self, principal: SharePrincipal) -> bool {
        match principal {
            SharePrincipal::Organization => true,
            SharePrincipal::Team(team) if self.principal.is_member(team) => true,
            principal => principal == self.principal.owner().into(),
        }
    }
}

impl ReachRoads<'_> {
    /// The owners whose records road 2 leads to, sorted.
    pub(crate) fn owners(&self) -> Vec<Owner> {
        let own = self.reach.by_subject.then(|| self.principal.owner());
        let teams = if self.reach.by_subject {
            self.principal.teams()
        } else {
            &[]
        };
        let teams = teams
            .iter()
            .chain(&self.reach.by_teams)
            .map(|team| Owner::Team(*team));
        sorted(own.into_iter().chain(teams).collect()).into_vec()
    }

    /// The business units whose records road 3 leads to, sorted.
    pub(crate) fn business_units(&self) -> Vec<BusinessUnitId> {
        let mut units = self.reach.local.as_slice().to_vec();
        for anchor in self.reach.deep.as_slice() {
            // A subtree inside another one adds nothing.
            let mut above = self.tree.ancestors(*anchor);
            if !above.any(|unit| self.reach.deep.contains(unit)) {
                units.extend_from_slice(self.tree.subtree(*anchor));
            }
        }
        sorted(units).into_vec()
    }

    /// The principals whose shares road 4 uses, sorted.
    pub(crate) fn shared_with(&self) -> Vec<SharePrincipal> {
        let teams = self
            .principal
            .teams()
            .iter()
            .map(|team| SharePrincipal::Team(*team));
        let own = [self.principal.owner().into(), SharePrincipal::Organization];
        sorted(teams.chain(own).collect()).into_vec()
    }

    /// The lowest depth at which the roles behind this reach would have reached a record of this
    /// unit. Basic is never the answer: ownership does not depend on depth (AC-3 road 2).
    pub(crate) fn depth_to_reach(&self, unit: Option<BusinessUnitId>) -> PrivilegeDepth {
        match unit {
            Some(unit) if self.reach.anchors.contains(unit) => PrivilegeDepth::Local,
            Some(unit) if self.tree.any_contains(&self.reach.anchors, unit) => PrivilegeDepth::Deep,
            _ => PrivilegeDepth::Global,
        }
    }
}
