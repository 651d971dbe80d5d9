//! Who sends a line, and in whose name.

use uuid::Uuid;

use super::format::Line;
use crate::support::{client::Client, world::World};

/// An id without a user.
const NOBODY: Uuid = Uuid::from_u128(0x0b0d_0000_4000_8000_0000_0000_0001);

/// The two users of a line.
pub struct Pair {
    /// Sends what A sends.
    pub client: Client,
    /// A; `None` for a host without a user row.
    pub caller: Option<Uuid>,
    /// B, else A.
    pub subject: Option<Uuid>,
    /// Whether somebody else is named.
    pub impersonated: bool,
    /// A and B, where an administrator can ask about them.
    pub ids: Option<(Uuid, Option<Uuid>)>,
}

impl Pair {
    /// The pair of a line.
    pub fn of(world: &World, line: &Line) -> Self {
        let mut client = world.client(&line.caller);
        let caller = world.knows(&line.caller).then(|| world.id(&line.caller));
        let trusted = world.is_trusted(&line.caller);
        let mut named = None;
        let mut unknown = false;
        if let Some(name) = &line.on_behalf_of {
            let user = world.knows(name).then(|| world.id(name));
            unknown |= user.is_none();
            client = client.on_behalf_of(user.unwrap_or(NOBODY));
            named = named.or(user);
        }
        if let Some(name) = &line.on_behalf_of_object {
            let user = world.knows(name).then(|| world.id(name));
            unknown |= user.is_none();
            let object = user.map_or(NOBODY, |_| World::object_id(name));
            client = client.on_behalf_of_object(object);
            named = named.or(user);
        }
        let impersonated = (named.is_some() || unknown) && named != caller;
        let subject = if impersonated { named } else { caller };
        let ids = match caller {
            Some(caller) if !unknown && !trusted => {
                Some((caller, named.filter(|&user| user != caller)))
            }
            _ => None,
        };
        Pair {
            client,
            caller,
            subject,
            impersonated,
            ids,
        }
    }
}
