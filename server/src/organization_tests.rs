#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
    mpsc,
};

use super::*;
use crate::{
    metadata::DefinitionsBuilder,
    model::{Entity, Value},
    storage::{EmbeddedStore, engine::MemoryEngine},
};

/// A clock that, when told to, lets another commit get ahead of the request that asks it: a request
/// asks for the time after it has read the version of the directory.
#[derive(Default)]
struct Overtaker {
    store: OnceLock<Arc<dyn Store>>,
    armed: AtomicBool,
}

impl Clock for Overtaker {
    fn now(&self) -> Timestamp {
        if self.armed.swap(false, Ordering::AcqRel) {
            let mut transaction = self.store.get().unwrap().begin().unwrap();
            let key = keys::meta(DIRECTORY_VERSION);
            let version = transaction.get(&key).unwrap().unwrap();
            transaction.put(key, version.to_vec());
            transaction.commit(None).unwrap();
        }
        Timestamp::now()
    }
}

struct Rig {
    organization: Organization,
    overtaker: Arc<Overtaker>,
    administrator: Caller,
}

fn rig() -> Rig {
    let overtaker = Arc::new(Overtaker::default());
    let store: Arc<dyn Store> =
        Arc::new(EmbeddedStore::open(Box::<MemoryEngine>::default()).unwrap());
    assert!(overtaker.store.set(Arc::clone(&store)).is_ok());
    let definitions = DefinitionsBuilder::system().build().unwrap();
    let options = OrganizationOptions {
        clock: overtaker.clone(),
        ..OrganizationOptions::new(definitions, "memory")
    };
    let organization = Organization::open(store, options).unwrap();
    let first = organization
        .bootstrap(&BootstrapOptions {
            organization_name: "Contoso".into(),
            administrator_name: "First Administrator".into(),
        })
        .unwrap()
        .unwrap();
    Rig {
        organization,
        overtaker,
        administrator: Caller::direct(UserId(first.administrator)),
    }
}

fn create(name: impl Into<Value>) -> OrganizationRequest {
    let account = Entity::new("account").with("name", name);
    OrganizationRequest::new("Create").with("Target", account)
}

impl Rig {
    fn start(&self, request: OrganizationRequest, options: CallOptions) -> Started {
        let (then, started) = mpsc::channel();
        let then = move |outcome| then.send(outcome).unwrap();
        self.organization
            .start(&self.administrator, request, options, then);
        started.recv().unwrap()
    }
}

#[test]
fn a_started_request_ends_as_an_executed_one() {
    let rig = rig();
    let Started::Finished(Ok(response)) = rig.start(create("Contoso"), CallOptions::default())
    else {
        panic!("nothing stood in its way");
    };
    assert!(matches!(response.results.get("id"), Some(Value::Guid(_))));
    let Started::Finished(Err(fault)) = rig.start(create(7), CallOptions::default()) else {
        panic!("a number is no name");
    };
    let executed = rig
        .organization
        .execute(&rig.administrator, create(7), &CallOptions::default());
    assert_eq!(executed.unwrap_err().code(), fault.code());
}

#[test]
fn tx_4_an_overtaken_request_is_handed_back_whole() {
    let rig = rig();
    let mut options = CallOptions::default();
    options.options.request_id = Some(Uuid::from_u128(7));
    rig.overtaker.armed.store(true, Ordering::Release);
    let before = rig.organization.store().content_hash().unwrap();
    let Started::Overtaken(request, options) = rig.start(create("Contoso"), options) else {
        panic!("another commit got ahead of it");
    };
    assert_eq!(rig.organization.store().content_hash().unwrap(), before);
    let execute = |request| {
        rig.organization
            .execute(&rig.administrator, request, &options)
            .unwrap()
    };
    let first = execute(request);
    // GO-2: the id was kept, so a repeat is answered from memory, however it comes.
    assert_eq!(execute(create("Contoso")), first);
    let Started::Finished(Ok(again)) = rig.start(create("Contoso"), options.clone()) else {
        panic!("nothing stood in its way");
    };
    assert_eq!(again, first);
}
