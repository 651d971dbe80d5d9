//! What one decision costs in this process, with the principals of a real organization.

use std::{hint::black_box, path::Path, time::Instant};

use orgservice_security::{Caller, Owner, RecordFacts, Right, UserId};
use orgservice_server::{
    metadata::DefinitionsBuilder,
    organization::{Organization, OrganizationOptions},
    storage::{
        EmbeddedStore,
        engine::{SledEngine, SledOptions},
    },
};
use std::sync::Arc;
use uuid::Uuid;

use super::{
    Outcome,
    data::TABLE,
    report::{Line, quantile},
    service::Session,
};

const BATCH: u32 = 10_000;
const BATCHES: usize = 201;

/// Nanoseconds of one decision about an own record, median over batches. The store must not be served.
pub fn measure(folder: &Path) -> Outcome<Line> {
    let session = Session::read(folder)?;
    let engine = SledEngine::open(&SledOptions {
        directory: folder.join("store"),
        cache_bytes: super::service::CACHE_BYTES,
    })?;
    let definitions = DefinitionsBuilder::system().build()?;
    let organization = Organization::open(
        Arc::new(EmbeddedStore::open(Box::new(engine))?),
        OrganizationOptions::new(definitions, "sled"),
    )
    .map_err(|fault| fault.body().message.clone())?;
    let snapshot = organization.snapshot();
    let principal = |user: Uuid| {
        snapshot
            .principal(UserId(user))
            .map_err(|fault| fault.body().message.clone())
    };
    let (delegate, owner) = (principal(session.delegate)?, principal(session.owner)?);
    let pair = Caller::on_behalf_of(&delegate, &owner);
    let table = snapshot.definitions().table(TABLE).ok_or("no table")?;
    let unit = snapshot.directory().root_unit().ok_or("no unit")?.id;
    let facts = RecordFacts::of_owner(
        table.facts,
        Some(session.written_id),
        Owner::User(UserId(session.owner)),
        unit,
    );
    let tree = snapshot.directory().tree();
    if pair.decide(tree, Right::Read, &facts).is_err() {
        return Err("the measured decision refuses".into());
    }
    let mut batches: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let begin = Instant::now();
            for _ in 0..BATCH {
                let _ = black_box(pair.decide(tree, Right::Read, black_box(&facts)));
            }
            begin.elapsed().as_nanos() as f64 / f64::from(BATCH)
        })
        .collect();
    let median = quantile(&mut batches, 0.5);
    let what = "one decision on behalf of another user, ns";
    Ok(Line::figure(what, median, Some((13, 500.0, 200.0))))
}
